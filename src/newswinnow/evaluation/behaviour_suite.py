"""The cases of the behaviour suite, read from the package: invented paragraphs and pages, and what a model must say of them.

Asking a model is left to :mod:`newswinnow.evaluation.behaviour`.
"""

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final

from newswinnow.evaluation.behaviour_pages import CHANGES, ORDER_CHANGES, Change, Page, alone, parse_page
from newswinnow.models.predictor import ALONE, AUTO, CONTEXTS
from newswinnow.paragraphs.label import LABELS

DATA_FOLDER: Final = "behaviour_data"
BAG: Final = "bag"
ALL_CONTEXTS: Final = (*CONTEXTS, AUTO)
PAGE_CONTEXTS: Final = ALL_CONTEXTS[1:]


class Kind(StrEnum):
    """What a case is about."""

    FUNCTIONALITY = "functionality"
    """The right label, where a reader would not hesitate."""

    INVARIANCE = "invariance"
    """The same label after a change that means nothing."""

    DIRECTION = "direction"
    """A change that means something moves the answer the right way."""


class Rule(StrEnum):
    """When a case is passed."""

    LABEL = "label"
    """The target gets the label."""

    NOT = "not"
    """The target does not get the label."""

    SAME = "same"
    """Every target's label is what it was before."""

    EXACT = "exact"
    """Every target's probabilities are what they were before, to the last bit."""

    RISES = "rises"
    """The probability of the label rises, or was and stays where it has no room to."""


@dataclass(frozen=True)
class Case:
    """One thing a model must do.

    Attributes
    ----------
    name
        Unique in the suite.
    kind
        What the case is about.
    capability
        What it shows.
    contexts
        Levels of information at which a reader could do it.
    rule
        When it is passed.
    label
        The label that the rule speaks of; empty for ``same`` and ``exact``.
    page
        What is judged.
    targets
        Indices of the lines that count, shape (n_targets,).
    before
        The page before the change; empty for a case without one.
    targets_before
        Indices of the same lines there, shape (n_targets,).
    """

    name: str
    kind: Kind
    capability: str
    contexts: tuple[str, ...]
    rule: Rule
    label: str
    page: Page
    targets: tuple[int, ...]
    before: Page = ()
    targets_before: tuple[int, ...] = ()


@dataclass(frozen=True)
class Suite:
    """All cases.

    Attributes
    ----------
    cases
        In the order of the files.
    digest
        sha256 of the files: pass rates of different suites say nothing about each other.
    """

    cases: tuple[Case, ...]
    digest: str


_COMMON: Final = {"capability", "contexts"}
_KEYS: Final[dict[str, set[str]]] = {
    "functionality": {"label", "texts"},
    "page": {"lines", "changes"},
    "invariance": {"change", "texts", "pairs"},
    "direction": {"toward", "never", "prefix", "suffix", "texts", "pairs", "before", "after"},
}
"""Tables of the files, and what may stand in each beside :data:`_COMMON`."""


@dataclass(frozen=True)
class _Entry:
    """One table of a file, its keys checked."""

    where: str
    fields: dict[str, Any]

    @property
    def capability(self) -> str:
        return str(self.fields["capability"])

    def contexts(self, default: tuple[str, ...]) -> tuple[str, ...]:
        named = tuple(self.fields.get("contexts", default))
        if not named or not set(named) <= set(ALL_CONTEXTS):
            raise ValueError(f"{self.where}: contexts must be of {', '.join(ALL_CONTEXTS)}; got {list(named)}")
        return named

    def label(self, key: str) -> str:
        label = str(self.fields.get(key))
        if label not in LABELS:
            raise ValueError(f"{self.where}: {key} must be one of {', '.join(LABELS)}; got {label!r}")
        return label

    def page(self, key: str) -> Page:
        return parse_page(str(self.fields.get(key, "")), where=f"{self.where}.{key}")


def _targets(page: Page) -> tuple[int, ...]:
    return tuple(i for i, line in enumerate(page) if line.is_target)


def _of_texts(entry: _Entry) -> Iterator[Case]:
    label = entry.label("label")
    for text in entry.fields.get("texts", []):
        yield _case(entry, Kind.FUNCTIONALITY, Rule.LABEL, alone(text, label), label=label, default=(ALONE,))


def _of_page(entry: _Entry) -> Iterator[Case]:
    page = entry.page("lines")
    for i in _targets(page):
        yield _case(entry, Kind.FUNCTIONALITY, Rule.LABEL, page, label=page[i].label, default=PAGE_CONTEXTS, targets=(i,))
    for name in entry.fields.get("changes", []):
        yield _invariant(entry, page, name)


def _case(
    entry: _Entry,
    kind: Kind,
    rule: Rule,
    page: Page,
    *,
    label: str = "",
    default: tuple[str, ...],
    targets: tuple[int, ...] = (0,),
) -> Case:
    """A case that has no name yet."""
    return Case("", kind, entry.capability, entry.contexts(default), rule, label, page, targets)


def _invariant(entry: _Entry, before: Page, name: str) -> Case:
    """A page with a change that must change no answer: to the last bit where only the order of a bag changes."""
    changed = _change(entry, name)(before)
    is_order, is_alone = name in ORDER_CHANGES, len(before) == 1
    counts = [is_order or line.is_target for line in before]
    kept = [(place, origin) for place, origin in enumerate(changed.came_from) if origin >= 0 and counts[origin]]
    rule, default = (Rule.EXACT if is_order else Rule.SAME), ((ALONE,) if is_alone else PAGE_CONTEXTS)
    case = replace(
        _case(entry, Kind.INVARIANCE, rule, changed.page, default=default, targets=tuple(place for place, _ in kept)),
        before=before,
        targets_before=tuple(origin for _, origin in kept),
    )
    if is_alone:
        return case
    return replace(case, capability=f"{name} on a page", contexts=(BAG,) if is_order else case.contexts)


def _change(entry: _Entry, name: str) -> Change:
    if name not in CHANGES:
        raise ValueError(f"{entry.where}: change must be one of {', '.join(CHANGES)}; got {name!r}")
    return CHANGES[name]


def _of_invariance(entry: _Entry) -> Iterator[Case]:
    for first, second in entry.fields.get("pairs", []):
        case = _case(entry, Kind.INVARIANCE, Rule.SAME, alone(second), default=(ALONE,))
        yield replace(case, before=alone(first), targets_before=(0,))
    for text in entry.fields.get("texts", []):
        yield _invariant(entry, alone(text), str(entry.fields.get("change")))


def _pages_of(entry: _Entry) -> Iterator[tuple[Page, Page, tuple[str, ...]]]:
    """What an entry changes: pages before and after, and the levels at which that can be seen."""
    prefix, suffix = entry.fields.get("prefix", ""), entry.fields.get("suffix", "")
    for text in entry.fields.get("texts", []):
        yield alone(text), alone(prefix + text + suffix), (ALONE,)
    for first, second in entry.fields.get("pairs", []):
        yield alone(first), alone(second), (ALONE,)
    if "before" in entry.fields:
        yield entry.page("before"), entry.page("after"), PAGE_CONTEXTS


def _of_direction(entry: _Entry) -> Iterator[Case]:
    is_never = "never" in entry.fields
    rule, label = (Rule.NOT, entry.label("never")) if is_never else (Rule.RISES, entry.label("toward"))
    for before, after, default in _pages_of(entry):
        places, new_places = _targets(before), _targets(after)
        if len(places) != len(new_places):
            rule_text = "before and after must have as many lines that count"
            raise ValueError(f"{entry.where}: {rule_text}; got {len(places)} and {len(new_places)}")
        for i, j in zip(places, new_places, strict=True):
            case = _case(entry, Kind.DIRECTION, rule, after, label=label, default=default, targets=(j,))
            yield replace(case, before=before, targets_before=(i,))


_READERS: Final[dict[str, Callable[[_Entry], Iterator[Case]]]] = {
    "functionality": _of_texts,
    "page": _of_page,
    "invariance": _of_invariance,
    "direction": _of_direction,
}


def _entries(values: dict[str, Any], where: str) -> Iterator[tuple[str, _Entry]]:
    for table, entries in values.items():
        if table not in _KEYS:
            raise ValueError(f"{where}: tables must be of {', '.join(_KEYS)}; got {table!r}")
        for n, fields in enumerate(entries, 1):
            unknown = sorted(set(fields) - _KEYS[table] - _COMMON)
            if unknown or "capability" not in fields:
                wanted = ", ".join(sorted(_KEYS[table] | _COMMON))
                raise ValueError(f"{where}: {table} {n} must have a capability and keys of {wanted}; got {sorted(fields)}")
            yield table, _Entry(f"{where}: {table} {n} ({fields['capability']})", fields)


def parse_cases(text: str, *, where: str) -> Iterator[Case]:
    """Cases of one file.

    Parameters
    ----------
    text
        TOML.
    where
        The file, for messages.

    Yields
    ------
    Cases, their names ``KIND/CAPABILITY/NUMBER``, numbered within the file.

    Raises
    ------
    ValueError
        If it is not TOML, or a table, key or value breaks its rule.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where}: must be valid TOML; got {error}") from error
    numbers: dict[str, int] = {}
    for table, entry in _entries(values, where):
        found = list(_READERS[table](entry))
        if not found:
            raise ValueError(f"{entry.where}: must hold a case; got none")
        for case in found:
            stem = f"{case.kind}/{case.label + ': ' if case.kind is Kind.FUNCTIONALITY else ''}{case.capability}"
            numbers[stem] = numbers.get(stem, 0) + 1
            yield replace(case, name=f"{stem}/{numbers[stem]}")


@cache
def read_suite() -> Suite:
    """The suite in the package.

    Returns
    -------
    Its cases.

    Raises
    ------
    ValueError
        If a file breaks a rule, or two cases have one name.
    """
    folder = resources.files("newswinnow.evaluation").joinpath(DATA_FOLDER)
    digest = hashlib.sha256()
    cases: list[Case] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            data = file.read_bytes()
            digest.update(data)
            cases += parse_cases(data.decode("utf-8"), where=file.name)
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"behaviour suite: names of cases must differ; got {twice!r} twice")
    return Suite(tuple(cases), digest.hexdigest())
