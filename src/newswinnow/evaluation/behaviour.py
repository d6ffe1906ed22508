"""What a model does on the behaviour suite: pass rates by kind, capability and level of information.

The suite itself stands in :mod:`newswinnow.evaluation.behaviour_suite`; showing the rates is left to reports. Pass rates carry no
intervals: the cases are written, not drawn from anything.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from newswinnow.evaluation.behaviour_pages import Page, table_of
from newswinnow.evaluation.behaviour_suite import ALL_CONTEXTS, Case, Rule, Suite, read_suite
from newswinnow.models.predictor import ALONE, AUTO, Predictor
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray

NO_ROOM: Final = 0.95
"""Where a probability was at least this before a change, it need not rise, only stay so high."""

_MARKUP: Final = "markup"


@dataclass(frozen=True)
class Outcome:
    """A case at one level of information; ``got`` is what the targets were called."""

    case: Case
    context: str
    is_passed: bool
    got: tuple[str, ...]


@dataclass(frozen=True)
class PassRate:
    """How many of some cases were passed."""

    n_cases: int
    n_passed: int

    @property
    def share(self) -> float:
        """Share of cases passed; 1 where there are none."""
        return self.n_passed / self.n_cases if self.n_cases else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "share": self.share}


def _rate(outcomes: Iterable[Outcome]) -> PassRate:
    passed = [outcome.is_passed for outcome in outcomes]
    return PassRate(len(passed), sum(passed))


@dataclass(frozen=True)
class Behaviour:
    """What a model did on the suite.

    Attributes
    ----------
    outcomes
        A case at a level of information each, levels and cases in order.
    suite_digest
        sha256 of the suite.
    """

    outcomes: tuple[Outcome, ...]
    suite_digest: str

    @property
    def overall(self) -> PassRate:
        """All outcomes."""
        return _rate(self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """What was not passed."""
        return tuple(outcome for outcome in self.outcomes if not outcome.is_passed)

    def by(self, key: Callable[[Outcome], str]) -> dict[str, PassRate]:
        """Pass rates of groups.

        Parameters
        ----------
        key
            Group of an outcome.

        Returns
        -------
        By group, in order of first appearance.
        """
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            groups.setdefault(key(outcome), []).append(outcome)
        return {name: _rate(outcomes) for name, outcomes in groups.items()}

    @property
    def by_context(self) -> dict[str, PassRate]:
        """By level of information."""
        return self.by(lambda outcome: outcome.context)

    @property
    def by_kind(self) -> dict[str, PassRate]:
        """By kind of case."""
        return self.by(lambda outcome: str(outcome.case.kind))

    @property
    def by_capability(self) -> dict[str, PassRate]:
        """By kind and capability, as the names of the cases begin."""
        return self.by(lambda outcome: outcome.case.name.rpartition("/")[0])

    @property
    def by_kind_and_context(self) -> dict[str, dict[str, PassRate]]:
        """By kind, and within it by level of information: what a report shows as a table."""
        found: dict[str, dict[str, PassRate]] = {}
        for both, rate in self.by(lambda outcome: f"{outcome.case.kind}\0{outcome.context}").items():
            kind, _, context = both.partition("\0")
            found.setdefault(kind, {})[context] = rate
        return found

    def as_dict(self) -> dict[str, Any]:
        """The rates, and the names of what failed, as plain values for ``metrics.json``."""
        groups = {"by_context": self.by_context, "by_kind": self.by_kind, "by_capability": self.by_capability}
        return {
            "suite_digest": self.suite_digest,
            **self.overall.as_dict(),
            **{name: {key: rate.as_dict() for key, rate in rates.items()} for name, rates in groups.items()},
            "by_kind_and_context": {
                kind: {context: rate.as_dict() for context, rate in rates.items()}
                for kind, rates in self.by_kind_and_context.items()
            },
            "failures": [
                {"case": outcome.case.name, "context": outcome.context, "got": list(outcome.got)} for outcome in self.failures
            ],
        }


def _is_rising(before: float, after: float) -> bool:
    return after >= NO_ROOM if before >= NO_ROOM else after > before


def _is_passed(case: Case, before: FloatArray, after: FloatArray) -> bool:
    """Whether probabilities of the targets, shape (n_targets, 3), obey the rule of the case."""
    if case.rule is Rule.EXACT:
        return np.array_equal(before, after)
    if case.rule is Rule.SAME:
        return np.array_equal(before.argmax(axis=1), after.argmax(axis=1))
    column = [str(label) for label in LABELS].index(case.label)
    if case.rule is Rule.RISES:
        return all(_is_rising(*pair) for pair in zip(before[:, column], after[:, column], strict=True))
    return bool(((after.argmax(axis=1) == column) == (case.rule is Rule.LABEL)).all())


def _answers(predictor: Predictor, pages: Iterable[Page], context: str) -> dict[Page, FloatArray]:
    """Probabilities of every line of every page, shape (n_lines, 3) each; equal pages are asked for once."""
    unique = list(dict.fromkeys(pages))
    if context == ALONE:
        found = predictor.predict_proba([line.text for page in unique for line in page], context=context)
    else:
        table = table_of({f"p{n:04}": page for n, page in enumerate(unique)}, markup=context == _MARKUP)
        found = predictor.predict_proba(table, context=context)
    ends = np.cumsum([len(page) for page in unique])
    return dict(zip(unique, np.split(found, ends[:-1]), strict=True))


def _outcomes(predictor: Predictor, cases: list[Case], context: str) -> list[Outcome]:
    answers = _answers(predictor, (page for case in cases for page in (case.before, case.page) if page), context)
    outcomes = []
    for case in cases:
        after = answers[case.page][list(case.targets)]
        before = answers[case.before][list(case.targets_before)] if case.before else after
        outcomes.append(Outcome(case, context, _is_passed(case, before, after), tuple(predictor.labels_of(after))))
    return outcomes


def behaviour_of(predictor: Predictor, *, suite: Suite | None = None) -> Behaviour:
    """Ask a model everything in the suite that it has the information for.

    Parameters
    ----------
    predictor
        The model. One that judges paragraphs alone is asked no question about a page.
    suite
        The cases; None for those in the package.

    Returns
    -------
    What it did, at each level of information it offers and, where it offers several, at ``auto``.
    """
    suite = suite or read_suite()
    offered = [*predictor.contexts, *([AUTO] if len(predictor.contexts) > 1 else [])]
    outcomes: list[Outcome] = []
    for context in (context for context in ALL_CONTEXTS if context in offered):
        cases = [case for case in suite.cases if context in case.contexts]
        if cases:
            outcomes += _outcomes(predictor, cases, context)
    return Behaviour(tuple(outcomes), suite.digest)
