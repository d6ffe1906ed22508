"""The gate: models that the project stands for, measured against stored answers, so that no change makes them worse unseen.

``baseline.json`` names the models and corpora and keeps, for each level of information, a compact copy of the answers and a floor
for each measure. The rule itself stands in :mod:`newswinnow.evaluation.floors`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.corpus.sample import resolve_corpus
from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import write_text
from newswinnow.evaluation.floors import Check, Outcome, check_floors, floors_of, tightest
from newswinnow.experiments.config import corpus_paths, read_config
from newswinnow.models.predictor import Predictor, contexts_for
from newswinnow.models.saved import load_model
from newswinnow.models.training import table_digest, train
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import labelled_rows

BASELINE: Final = "baseline.json"
FORMAT: Final = 1
SHIPPED: Final = "shipped"
DEFAULT: Final = "default"
MODELS: Final = (SHIPPED, DEFAULT)
"""The model in the package, and one trained anew as ``newswinnow train`` does without a configuration."""

_LETTERS: Final = "".join(str(label)[0].upper() for label in LABELS)

MakeModel = Callable[[str], Predictor]


@dataclass(frozen=True)
class GateLevel:
    """One level of information of one test: its checks, and why it fails as a whole."""

    context: str
    checks: tuple[Check, ...]
    failure: str

    @property
    def is_passed(self) -> bool:
        """Whether nothing fails."""
        return not self.failure and not any(check.failure for check in self.checks)


@dataclass(frozen=True)
class GateTest:
    """What the gate found on one test; ``skipped`` says why it could not be run here, and is empty where it was."""

    name: str
    skipped: str
    levels: tuple[GateLevel, ...]

    @property
    def is_passed(self) -> bool:
        """Whether every level is."""
        return all(level.is_passed for level in self.levels)


@dataclass(frozen=True)
class _Measured:
    """A test's new answers: digest of the paragraphs and the outcome at each level."""

    digest: str
    outcomes: dict[str, Outcome]


def make_model(name: str) -> Predictor:
    """A model that the gate knows by name.

    Parameters
    ----------
    name
        ``shipped`` or ``default``.

    Returns
    -------
    The predictor, loaded or trained.

    Raises
    ------
    ValueError
        If the gate does not know the name.
    """
    if name == SHIPPED:
        return load_model()
    if name != DEFAULT:
        raise ValueError(f"gate: model must be one of {', '.join(MODELS)}; got {name!r}")
    config = read_config(None)
    paths, _ = corpus_paths(config, relative_to=Path())
    return train(read_corpus(paths), config.model, mix=config.data.mix, seed=config.seed)


def read_baseline(path: str | Path) -> dict[str, Any]:
    """The stored baseline.

    Parameters
    ----------
    path
        ``baseline.json``.

    Returns
    -------
    Its content.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold a baseline.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: must be a baseline; got nothing there (it names the tests: see experiments/{BASELINE})")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or not isinstance(content["tests"], dict):
            raise ValueError(f"format {content['format']!r}")
        for test in content["tests"].values():
            if not {"model", "corpus"} <= set(test) <= {"model", "corpus", "data_digest", "levels", "pages"}:
                raise ValueError(f"a test with {', '.join(sorted(test))}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: must hold a baseline of format {FORMAT}; got {type(error).__name__}: {error}") from error
    if not content["tests"]:
        raise ValueError(f"{path}: must name at least one test; got none")
    return dict(content)


def _measure(model: Predictor, corpus: pd.DataFrame) -> _Measured:
    outcomes = {
        context: Outcome.of(model.predict_table(corpus, context=context)) for context in ("auto", *contexts_for(model, corpus))
    }
    if len(outcomes) == 2:
        del outcomes["auto"]
    return _Measured(table_digest(labelled_rows(corpus)), outcomes)


def _stored(test: dict[str, Any], level: dict[str, Any]) -> Outcome:
    """The outcome kept in a baseline."""
    pages: list[str] = []
    columns: dict[str, list[int]] = {"positions": [], "truth": [], "answers": [], "losses": []}
    for page, (positions, truth) in test["pages"].items():
        answers, losses = level["pages"][page]
        columns["positions"] += map(int, positions.split())
        columns["truth"] += map(_LETTERS.index, truth)
        columns["answers"] += map(_LETTERS.index, answers)
        columns["losses"] += map(int, losses.split())
        pages += [page] * len(truth)
    return Outcome(np.asarray(pages, dtype=object), **{name: np.asarray(found, np.int64) for name, found in columns.items()})


def _by_page(outcome: Outcome) -> Iterator[tuple[str, Any]]:
    codes, unique = pd.factorize(outcome.pages)
    for i, page in enumerate(unique):
        yield str(page), codes == i


def _as_letters(codes: Any) -> str:
    return "".join(_LETTERS[code] for code in codes)


def _level_entry(outcome: Outcome, floors: dict[str, float]) -> dict[str, Any]:
    pages = {
        page: [_as_letters(outcome.answers[here]), " ".join(map(str, outcome.losses[here].tolist()))]
        for page, here in _by_page(outcome)
    }
    return {"floors": floors, "pages": pages}


def _check_level(test: dict[str, Any], context: str, measured: _Measured) -> GateLevel:
    level = test["levels"][context]
    if context not in measured.outcomes:
        return GateLevel(context, (), "the model has no such level any more")
    return GateLevel(context, check_floors(_stored(test, level), measured.outcomes[context], level["floors"]), "")


def _check_test(name: str, test: dict[str, Any], measured: _Measured, where: str) -> GateTest:
    if "levels" not in test:
        raise ValueError(f"{where}: test {name!r} must have a baseline; got none yet (--update makes it)")
    if measured.digest != test["data_digest"]:
        raise ValueError(
            f"{where}: test {name!r} must be measured on the paragraphs of its baseline, digest {test['data_digest'][:12]}; "
            f"got {measured.digest[:12]} (--update --allow-regression starts it anew)"
        )
    return GateTest(name, "", tuple(_check_level(test, context, measured) for context in test["levels"]))


@dataclass(frozen=True)
class Gate:
    """All tests of a baseline, and the new answers behind them."""

    path: Path
    baseline: dict[str, Any]
    measured: dict[str, _Measured]
    skipped: dict[str, str]

    def check(self) -> tuple[GateTest, ...]:
        """Hold every test that can be run here to its baseline.

        Returns
        -------
        One finding per test of the baseline.

        Raises
        ------
        ValueError
            If a test has no baseline yet or its paragraphs are not those of the baseline.
        """
        return tuple(
            GateTest(name, self.skipped[name], ())
            if name in self.skipped
            else _check_test(name, test, self.measured[name], str(self.path))
            for name, test in self.baseline["tests"].items()
        )

    def updated(self, *, allow_regression: bool = False) -> dict[str, Any]:
        """The baseline with the new answers in it; floors never fall unless that is allowed.

        Parameters
        ----------
        allow_regression
            Whether a worse model, or other test paragraphs, may replace the baseline and lower its floors.

        Returns
        -------
        The content of the new ``baseline.json``; tests that cannot be run here stay as they are.

        Raises
        ------
        ValueError
            If a test fails, or its paragraphs are others, and that is not allowed.
        """
        tests = dict(self.baseline["tests"])
        for name, measured in self.measured.items():
            old = tests[name]
            is_new = "levels" not in old or allow_regression
            if not is_new:
                found = _check_test(name, old, measured, str(self.path))
                if not found.is_passed:
                    raise ValueError(f"{self.path}: --update must not lower a floor; got {_why(found)} (--allow-regression does)")
            tests[name] = _updated_test(old, measured, {} if is_new else old["levels"])
        return {"format": FORMAT, "tests": tests}


def _updated_test(old: dict[str, Any], measured: _Measured, levels: dict[str, Any]) -> dict[str, Any]:
    first = next(iter(measured.outcomes.values()))
    pages = {
        page: [" ".join(map(str, first.positions[here].tolist())), _as_letters(first.truth[here])]
        for page, here in _by_page(first)
    }
    entries = {}
    for context, outcome in measured.outcomes.items():
        entries[context] = _level_entry(outcome, tightest(levels.get(context, {}).get("floors", {}), floors_of(outcome)))
    kept = {"model": old["model"], "corpus": old["corpus"]}
    return {**kept, "data_digest": measured.digest, "levels": entries, "pages": pages}


def _why(test: GateTest) -> str:
    for level in test.levels:
        reasons = [level.failure] if level.failure else [f"{c.measure} {c.failure}" for c in level.checks if c.failure]
        if reasons:
            return f"{test.name} ({level.context}): {reasons[0]}"
    return f"{test.name}: nothing"


def run_gate(path: str | Path, *, model: MakeModel = make_model) -> Gate:
    """Measure every test of a baseline whose corpus is here.

    Parameters
    ----------
    path
        ``baseline.json``; corpora are named relative to it, or ``sample:test``.
    model
        Makes a model of its name.

    Returns
    -------
    What was measured, to be checked or stored.

    Raises
    ------
    FileNotFoundError
        If there is no baseline.
    ValueError
        If the baseline or a corpus is damaged, or a model unknown.
    """
    path = Path(path)
    baseline = read_baseline(path)
    models: dict[str, Predictor] = {}
    measured, skipped = {}, {}
    for name, test in baseline["tests"].items():
        corpus = resolve_corpus(test["corpus"], relative_to=path.parent)
        if not corpus.is_file():
            skipped[name] = f"{corpus} is not here"
            continue
        if test["model"] not in models:
            models[test["model"]] = model(test["model"])
        measured[name] = _measure(models[test["model"]], read_corpus([corpus]))
    return Gate(path, baseline, measured, skipped)


def write_baseline(path: str | Path, content: dict[str, Any]) -> None:
    """Replace a baseline at once.

    Parameters
    ----------
    path
        ``baseline.json``.
    content
        As :meth:`Gate.updated` gives it.
    """
    text = json.dumps(content, indent=0, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(Path(path), text)
