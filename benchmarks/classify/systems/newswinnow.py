"""Our own: the model that ships, and its family trained in the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.classify.systems.base import Batch, Classify, System, Training

CONFIG: Final = Path(__file__).resolve().parents[2] / "winnow.toml"


def classify_with(model: Any, context: str = "alone") -> Classify:
    """A model's answers; it works on as many threads as its process is given.

    Parameters
    ----------
    model
        What ``load_model`` gave.
    context
        Level of information; for all but ``alone`` the table of pages is made from the texts inside the function.

    Returns
    -------
    The function that classifies.
    """

    def classify(batch: Batch) -> list[str]:
        labels: list[str] = model.predict(batch.texts if context == "alone" else as_table(batch), context=context).tolist()
        return labels

    return classify


def as_table(batch: Batch) -> Any:
    """Paragraphs as the table that models of whole pages take.

    Parameters
    ----------
    batch
        The paragraphs.

    Returns
    -------
    Columns ``page``, ``position`` and ``text``.
    """
    from newswinnow.paragraphs.rows import Rows

    pages: list[str] = []
    positions: list[int] = []
    for number, (begin, end) in enumerate(batch.bounds):
        pages += [str(number)] * (end - begin)
        positions += range(end - begin)
    return Rows({"page": pages, "position": positions, "text": batch.texts})


@dataclass(frozen=True)
class Shipped(System):
    """``load_model()`` without arguments; it learnt from both parts of the written sample."""

    is_trained: bool = False
    knows: tuple[str, ...] = ("sample",)
    context: str = "alone"

    def load(self, folder: Path) -> Classify:
        """Load the model inside the package.

        Parameters
        ----------
        folder
            Not looked at.

        Returns
        -------
        The function that classifies.
        """
        from newswinnow import load_model

        return classify_with(load_model(), self.context)

    def size_bytes(self, folder: Path) -> int:
        """Size of the model inside the package.

        Parameters
        ----------
        folder
            Not looked at.

        Returns
        -------
        Bytes of its files.
        """
        from importlib.resources import as_file, files

        with as_file(files("newswinnow.models") / "shipped") as shipped:
            return super().size_bytes(shipped)


@dataclass(frozen=True)
class Winnow(System):
    """The family of the shipped model, configured by ``benchmarks/winnow.toml``."""

    def prepare(self, training: Training, folder: Path) -> Any:
        """Make a paragraph table of them, which is what ``train`` takes, and have the training code compiled.

        Parameters
        ----------
        training
            The paragraphs.
        folder
            Not looked at.

        Returns
        -------
        The table.
        """
        import pandas as pd

        columns = {"page": training.pages, "text": training.texts, "label": training.labels}
        hints = {"site": training.sites, "origin": training.origins}
        known = {name: values for name, values in hints.items() if any(value is not None for value in values)}
        table = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in {**columns, **known}.items()})
        table = table.assign(position=range(len(table)))
        # The others' code came compiled; ours is compiled by the first training on a machine, and kept.
        self.fit(table.groupby("label").head(20))
        return table

    def fit(self, prepared: Any) -> Any:
        """Train and calibrate.

        Parameters
        ----------
        prepared
            The paragraph table.

        Returns
        -------
        The predictor.
        """
        from newswinnow import train
        from newswinnow.experiments.config import read_config

        config = read_config(CONFIG)
        return train(prepared, config.model, mix=config.data.mix, seed=config.seed)

    def save(self, fitted: Any, folder: Path) -> None:
        """Save as ``newswinnow train`` does.

        Parameters
        ----------
        fitted
            The predictor.
        folder
            The model's folder comes to lie in it.
        """
        from newswinnow import save_model

        save_model(fitted, folder / "model")

    def load(self, folder: Path) -> Classify:
        """Load it again.

        Parameters
        ----------
        folder
            Where it was saved.

        Returns
        -------
        The function that classifies.
        """
        from newswinnow import load_model

        return classify_with(load_model(folder / "model"))


def shipped(threads: int = 1) -> Shipped:
    """The model that ships.

    Parameters
    ----------
    threads
        Threads to classify with.

    Returns
    -------
    The system.
    """
    return Shipped(call="load_model().predict(texts)", **_named("shipped", "newswinnow, the model that ships", threads))


def shipped_in_processes(processes: int) -> Shipped:
    """The model that ships, in several processes at a time.

    Parameters
    ----------
    processes
        How many, with a core each.

    Returns
    -------
    The system.
    """
    named = {
        **_named("shipped", f"newswinnow, the model that ships, {processes} processes", 1),
        "key": f"shipped-{processes}-processes",
    }
    return Shipped(call="load_model().predict(texts)", processes=processes, model_of="shipped", **named)


def shipped_with_pages(context: str) -> Shipped:
    """The model that ships, looking at whole pages.

    Parameters
    ----------
    context
        ``bag`` or ``order``.

    Returns
    -------
    The system.
    """
    named = _named(f"shipped-{context}", f"newswinnow, the model that ships, {context}", 1)
    return Shipped(call=f'load_model().predict(rows, context="{context}")', context=context, **named)


def winnow(threads: int = 1) -> Winnow:
    """The shipped model's family, trained in the run.

    Parameters
    ----------
    threads
        Threads to classify with; more than one loads the model trained for one.

    Returns
    -------
    The system.
    """
    return Winnow(call="load_model(DIR).predict(texts)", **_named("winnow", "newswinnow, trained here", threads))


def _named(key: str, title: str, threads: int) -> dict[str, Any]:
    parts: dict[str, Any] = {"distributions": ("newswinnow", "numba"), "modules": ("newswinnow",), "threads": threads}
    if threads == 1:
        return {"key": key, "title": title, **parts}
    return {"key": f"{key}-{threads}", "title": f"{title}, {threads} threads", "model_of": key, **parts}
