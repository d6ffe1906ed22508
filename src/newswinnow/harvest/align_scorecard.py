"""The scorecard that weighs named evidence for the three labels, and the fit of its weights to labelled paragraphs.

Where evidence comes from, and when the outcome is too doubtful to use, is left to :mod:`newswinnow.harvest.align`.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from newswinnow.paragraphs.label import LABELS, Label

WEIGHTS_FILE: Final = "align_weights.json"
INTERCEPT: Final = "(any paragraph)"
# experiments/014-aligned-quality: between 0.1 and 0.5 the cross-validated macro-F1 moves by less than 0.003.
REGULARISATION: Final = 0.3
MIN_PARAGRAPHS: Final = 5
_MAX_ITERATIONS: Final = 2000
_DIGITS: Final = 3
_N_REASONS: Final = 3

Weights = tuple[float, float, float]


@dataclass(frozen=True)
class Verdict:
    """Outcome of weighing: the likeliest label, its probability, and the evidence that spoke most for it over the runner-up."""

    label: Label
    probability: float
    because: tuple[str, ...]


@dataclass(frozen=True)
class Scorecard:
    """Weight of each piece of evidence for each label, in label order; evidence it does not name weighs nothing."""

    weights: Mapping[str, Weights]

    def weigh(self, evidence: Iterable[str]) -> Verdict:
        """The label that evidence speaks for.

        Parameters
        ----------
        evidence
            Names, each once.

        Returns
        -------
        The verdict; reasons are the heaviest three at most of those with a positive weight, the heaviest first.

        Examples
        --------
        >>> card = Scorecard({"unlinked": (2.0, 0.5, 0.0), "short": (0.0, 1.0, 0.0)})
        >>> str(card.weigh(["unlinked"]).label), card.weigh(["unlinked"]).because
        ('news', ('unlinked',))
        """
        known = {name: self.weights[name] for name in (INTERCEPT, *evidence) if name in self.weights}
        columns = list(zip(*known.values(), strict=True)) or [()] * len(LABELS)
        sums = [math.fsum(column) for column in columns]
        best, second = sorted(range(len(LABELS)), key=lambda k: -sums[k])[:2]
        probability = 1 / math.fsum(math.exp(total - sums[best]) for total in sums)
        known.pop(INTERCEPT, None)
        margins = [(weights[second] - weights[best], name) for name, weights in known.items() if weights[best] > weights[second]]
        return Verdict(LABELS[best], probability, tuple(name for _, name in sorted(margins)[:_N_REASONS]))

    def as_json(self) -> str:
        """The weights as JSON, one name a line, in alphabetical order."""
        lines = [f"{json.dumps(name)}: {json.dumps(list(self.weights[name]))}" for name in sorted(self.weights)]
        return "{\n" + ",\n".join(lines) + "\n}\n"


def scorecard_from_json(text: str) -> Scorecard:
    """A scorecard as :meth:`Scorecard.as_json` wrote it.

    Parameters
    ----------
    text
        JSON: one object, names to three numbers.

    Returns
    -------
    The scorecard.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    found: Any = json.loads(text)
    if not isinstance(found, dict) or not all(_is_weights(weights) for weights in found.values()):
        raise ValueError(f"{WEIGHTS_FILE}: must hold {len(LABELS)} numbers for each name; got something else")
    return Scorecard({name: (float(a), float(b), float(c)) for name, (a, b, c) in found.items()})


def _is_weights(value: Any) -> bool:
    return isinstance(value, list) and len(value) == len(LABELS) and all(isinstance(v, int | float) for v in value)


@cache
def packaged_scorecard() -> Scorecard:
    """The scorecard that comes with the package, fitted by ``experiments/014-aligned-quality``."""
    return scorecard_from_json(files("newswinnow.harvest").joinpath(WEIGHTS_FILE).read_text(encoding="utf-8"))


def fit_scorecard(evidence: Sequence[Sequence[str]], labels: Sequence[str]) -> Scorecard:
    """Fit weights to labelled paragraphs by multinomial logistic regression.

    Parameters
    ----------
    evidence
        Names of evidence per paragraph, shape (n_paragraphs,) of any lengths.
    labels
        Their labels, shape (n_paragraphs,).

    Returns
    -------
    The scorecard; evidence that fewer than five paragraphs show is left out.

    Raises
    ------
    ValueError
        If one of the three labels does not occur.
    """
    missing = [label for label in LABELS if label not in set(labels)]
    if missing:
        raise ValueError(f"labels: must hold each of {', '.join(LABELS)}; got none of {', '.join(missing)}")
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counts = Counter(name for names in evidence for name in set(names))
    column = {name: k for k, name in enumerate(sorted(name for name, n in counts.items() if n >= MIN_PARAGRAPHS))}
    cells = [(i, column[name]) for i, names in enumerate(evidence) for name in sorted(set(names)) if name in column]
    rows, columns = zip(*cells, strict=True) if cells else ((), ())
    X = csr_matrix(([1.0] * len(cells), (rows, columns)), shape=(len(evidence), len(column)))
    model = LogisticRegression(C=REGULARISATION, max_iter=_MAX_ITERATIONS, tol=1e-6).fit(X, list(map(str, labels)))
    order = [list(model.classes_).index(label) for label in LABELS]
    fitted = {name: model.coef_[order, k] for name, k in column.items()} | {INTERCEPT: model.intercept_[order]}
    return Scorecard({name: _rounded(weights) for name, weights in _centred(fitted, counts, len(evidence)).items()})


def _centred(fitted: Mapping[str, Any], counts: Mapping[str, int], n_paragraphs: int) -> dict[str, Any]:
    """Weights such that families of names of which every paragraph shows one weigh nothing on average.

    What they weighed on average goes into the intercept, so that no verdict changes; but a reason then tells in what a paragraph
    differs from others, and a name not seen before weighs what its family weighs on average.
    """
    centred = dict(fitted)
    n_shown: Counter[str] = Counter()
    for name, n in counts.items():
        n_shown[_family(name)] += n
    for family in sorted(family for family, n in n_shown.items() if n == n_paragraphs):
        members = [name for name in sorted(fitted) if _family(name) == family]
        mean = sum(fitted[name] * (counts[name] / n_paragraphs) for name in members)
        centred |= {name: fitted[name] - mean for name in members}
        centred[INTERCEPT] = centred[INTERCEPT] + mean
    return centred


def _family(name: str) -> str:
    """What stands before the colon: of names that share it, a paragraph shows at most one."""
    return name.partition(":")[0]


def _rounded(weights: Sequence[float]) -> Weights:
    news, boilerplate, related = (round(float(weight), _DIGITS) + 0.0 for weight in weights)
    return (news, boilerplate, related)
