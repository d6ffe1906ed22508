"""The run: systems are trained one after the other, then take turns at classifying and at starting cold.

Only one process works at any time, but for systems that are several. What is found goes into :mod:`benchmarks.classify.results`.
"""

import datetime
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pandas as pd
from benchmarks.classify.child import IDLE
from benchmarks.classify.data import Data, write_batch, write_training
from benchmarks.classify.processes import Child, SystemFailed, available_cores
from benchmarks.classify.results import DataSet, Fitted, Results, Score, Served, SystemResult
from benchmarks.classify.systems.base import System
from benchmarks.split_html import machine

from newswinnow.evaluation.scores import score
from newswinnow.paragraphs.table import LABEL, PAGE, TEXT

Progress = Callable[[str], object]
_VERSIONS: Final = ("newswinnow", "numpy", "scipy")
_SHIPPED: Final = ""
"""Name of no training set: that of systems which are not trained here."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes
    ----------
    n_rounds
        Rounds of classifying and of cold starts.
    n_train_rounds
        Rounds of training.
    seconds
        A system classifies the batch again and again for at least so long in each round.
    """

    n_rounds: int = 5
    n_train_rounds: int = 1
    seconds: float = 0.5


@dataclass
class _Notes:
    """What is known of a system so far."""

    system: System
    fitted: dict[str, Fitted] = field(default_factory=dict)
    speeds: list[float] = field(default_factory=list)
    colds: list[float] = field(default_factory=list)
    scores: dict[str, dict[str, Score]] = field(default_factory=dict)
    peak_bytes: int = 0
    size_bytes: int = 0
    failed: str = ""


class _Run:
    """One run over one set of data, its files in a folder of its own."""

    def __init__(self, systems: Iterable[System], data: Data, plan: Plan, folder: Path, progress: Progress) -> None:
        self.data, self.plan, self.folder, self.progress = data, plan, folder, progress
        self.notes = [_Notes(system, failed=_why_not(system)) for system in systems]
        self.timed_file = write_batch(data.timed, folder / "timed.jsonl")
        self.test_files = {name: write_batch(table, folder / f"{name}.jsonl") for name, table in data.tests.items()}

    def alive(self) -> Iterator[_Notes]:
        """Notes of the systems that have not failed, each guarded by whoever uses them."""
        return (notes for notes in self.notes if not notes.failed)

    def model_folder(self, system: System, training: str) -> Path:
        """Where a system's model lies."""
        return self.folder / "models" / (training or "none") / (system.model_of or system.key)

    def last_training(self, system: System) -> str:
        """The training set of the model that is timed."""
        return self.data.trainings[-1].name if system.is_trained else _SHIPPED

    def train(self) -> None:
        """Train every system that is, on every training set."""
        for training in self.data.trainings:
            corpus = write_training(training.table, self.folder / f"train-{training.name}.jsonl")
            for i in range(self.plan.n_train_rounds):
                for notes in self.alive():
                    if notes.system.is_trained and not notes.system.model_of:
                        self.progress(f"training {notes.system.title} on {training.name}, round {i + 1}")
                        self._guarded(notes, self._train, training.name, corpus)

    def _train(self, notes: _Notes, training: str, corpus: Path) -> None:
        system = notes.system
        with TemporaryDirectory(dir=self.folder) as target, TemporaryDirectory(dir=self.folder) as scratch:
            with Child("train", system.key, [Path(target), corpus, Path(scratch)]) as child:
                answer = child.answer()
            before = notes.fitted.get(training, Fitted([], 0, 0))
            seconds, peak = [*before.seconds, answer["seconds"]], max(before.peak_bytes, answer["peak"])
            notes.fitted[training] = Fitted(seconds, peak, answer["size"])
            folder = self.model_folder(system, training)
            if not folder.exists():
                folder.parent.mkdir(parents=True, exist_ok=True)
                Path(target).rename(folder)
                Path(target).mkdir()

    def serve(self) -> Served:
        """Let all systems take turns at classifying; what an idle process takes comes back."""
        with ExitStack() as stack:
            children: list[tuple[_Notes, list[Child]]] = []
            for notes in self.alive():
                self.progress(f"loading {notes.system.title}")
                training = self.last_training(notes.system)
                numbers = range(notes.system.processes)
                started = [self._server(notes.system, training, self.timed_file, number) for number in numbers]
                together = [stack.enter_context(child) for child in started]
                if all(self._guarded(notes, self._loaded, child) for child in together):
                    children.append((notes, together))
            for i in range(self.plan.n_rounds):
                self.progress(f"classifying, round {i + 1} of {self.plan.n_rounds}")
                for notes, together in children:
                    self._guarded(notes, self._time, together)
            for notes, together in children:
                self._guarded(notes, self._finish, together)
        with Child("serve", IDLE, [self.folder, self.timed_file]) as child:
            child.answer()
            return Served("", [], [], child.ask(do="peak")["peak"], 0)

    def _server(self, system: System, training: str, batch_file: Path, number: int = 0) -> Child:
        paths = [self.model_folder(system, training), batch_file]
        return Child("serve", system.key, paths, threads=system.threads, number=number)

    def _loaded(self, notes: _Notes, child: Child) -> None:
        answer = child.answer()
        notes.size_bytes = answer["size"]
        if answer["n_labels"] != len(self.data.timed):
            raise SystemFailed(f"{notes.system.key}: must give one label per paragraph; got {answer['n_labels']}")

    def _time(self, notes: _Notes, together: Sequence[Child]) -> None:
        if not notes.failed:
            for child in together:
                child.tell(do="time", seconds=self.plan.seconds)
            taken = [child.answer()["seconds"] for child in together]
            notes.speeds.append(sum(len(seconds) * len(self.data.timed) / sum(seconds) for seconds in taken))

    def _finish(self, notes: _Notes, together: Sequence[Child]) -> None:
        notes.peak_bytes = sum(child.ask(do="peak")["peak"] for child in together)
        if not notes.system.model_of:
            notes.scores[self.last_training(notes.system)] = self._scores(notes.system, together[0])

    def _scores(self, system: System, child: Child) -> dict[str, Score]:
        return {
            name: _score(table, child.ask(do="labels", file=str(self.test_files[name]))["labels"])
            for name, table in self.data.tests.items()
            if name not in system.knows
        }

    def score_others(self) -> None:
        """Score the models of the training sets that are not timed."""
        for training in self.data.trainings[:-1]:
            for notes in self.alive():
                if notes.system.is_trained and not notes.system.model_of:
                    self.progress(f"scoring {notes.system.title} trained on {training.name}")
                    self._guarded(notes, self._score_other, training.name)

    def _score_other(self, notes: _Notes, training: str) -> None:
        with self._server(notes.system, training, next(iter(self.test_files.values()))) as child:
            child.answer()
            notes.scores[training] = self._scores(notes.system, child)

    def start_cold(self) -> list[float]:
        """Start every system anew in every round; the seconds of a process that does nothing come back."""
        idle = []
        for i in range(self.plan.n_rounds):
            self.progress(f"cold starts, round {i + 1} of {self.plan.n_rounds}")
            idle.append(_cold(IDLE, self.folder, 1))
            for notes in self.alive():
                self._guarded(notes, self._start_cold)
        return idle

    def _start_cold(self, notes: _Notes) -> None:
        system = notes.system
        notes.colds.append(_cold(system.key, self.model_folder(system, self.last_training(system)), system.threads))

    def _guarded(self, notes: _Notes, step: Callable[..., None], *parts: Any) -> bool:
        """Whether a step of a system succeeded; one that fails is out of the run, the others go on."""
        try:
            step(notes, *parts)
        except SystemFailed as error:
            notes.failed = str(error)
            self.progress(f"out of the run: {error}")
        return not notes.failed

    def result(self, notes: _Notes) -> SystemResult:
        """What is known of a system, in the end."""
        system = notes.system
        names = ("key", "title", "call", "threads", "processes", "model_of", "decides")
        known = SystemResult(**{name: getattr(system, name) for name in names}, failed=notes.failed)
        if notes.failed:
            return known
        served = Served(self.last_training(system), notes.speeds, notes.colds, notes.peak_bytes, notes.size_bytes)
        return replace(known, fitted=notes.fitted, served=served, scores=notes.scores)


def _known(systems: Iterable[System], data: Data) -> list[str]:
    pairs = [(system, name) for system in systems if not system.model_of for name in data.tests if name in system.knows]
    return [f"{system.title} on {name}: it learnt from that before" for system, name in pairs]


def _why_not(system: System) -> str:
    if system.missing:
        return f"{system.key}: must be installed (pip install -e '.[bench]'); got no module {', '.join(system.missing)}"
    n_cores = len(available_cores())
    return f"{system.key}: needs {system.n_cores} cores; got {n_cores}" if system.n_cores > n_cores else ""


def _cold(key: str, folder: Path, threads: int) -> float:
    with Child("cold", key, [folder], threads=threads) as child:
        child.answer()
        return time.perf_counter() - child.begin


def _score(table: pd.DataFrame, labels: Sequence[str]) -> Score:
    is_labelled = table[LABEL].notna().to_numpy()
    rows = table[is_labelled]
    predicted = [label for label, is_kept in zip(labels, is_labelled, strict=True) if is_kept]
    found = score(rows[LABEL].tolist(), predicted, rows[PAGE].tolist(), n_resamples=1)
    return Score(found.macro_f1.value, found.news_f1.value)


def _versions(systems: Iterable[System]) -> dict[str, str]:
    names = dict.fromkeys([*_VERSIONS, *(name for system in systems if not system.missing for name in system.distributions)])
    return {"Python": platform.python_version(), **{name: version(name) for name in names}}


def _data_set(name: str, described: str, table: pd.DataFrame) -> DataSet:
    n_bytes = sum(len(text.encode()) for text in table[TEXT])
    return DataSet(name, described, len(table), int(table[PAGE].nunique()), n_bytes)


def measure(systems: Sequence[System], data: Data, plan: Plan, *, reference: str, progress: Progress) -> Results:
    """Measure everything.

    Parameters
    ----------
    systems
        In the order of the tables; a system that cannot run says why in its result.
    data
        The paragraphs.
    plan
        How much is measured.
    reference
        Key of the system that ratios are taken against.
    progress
        Told what is going on.

    Returns
    -------
    What was found.
    """
    begin = time.perf_counter()
    with TemporaryDirectory(prefix="newswinnow-bench-") as folder:
        run = _Run(systems, data, plan, Path(folder), progress)
        run.train()
        idle = run.serve()
        run.score_others()
        idle = replace(idle, cold_seconds=run.start_cold())
    tests = [_data_set(name, "whole pages", table[table[LABEL].notna()]) for name, table in data.tests.items()]
    return Results(
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        machine=machine(),
        versions=_versions(systems),
        reference=reference,
        n_rounds=plan.n_rounds,
        seconds=time.perf_counter() - begin,
        trainings=[_data_set(training.name, training.described, training.table) for training in data.trainings],
        tests=tests,
        timed=_data_set("timed", "whole pages", data.timed),
        idle=idle,
        systems=[run.result(notes) for notes in run.notes],
        skipped=[*data.skipped, *_known(systems, data)],
    )
