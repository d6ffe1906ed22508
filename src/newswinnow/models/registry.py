"""Classic models by name: a specification in, an unfitted scikit-learn classifier out.

The registry is closed: a configuration can name nothing that is not here. Fitting is left to :mod:`newswinnow.models.training`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from newswinnow.features.edges import edge_tokens
from newswinnow.features.surface import SurfaceFeatures
from newswinnow.models.ladder.classifier import LadderClassifier
from newswinnow.models.rules import LineRule
from newswinnow.models.stacked import StackedBoosting
from newswinnow.models.winnow import WinnowClassifier
from newswinnow.paragraphs.table import texts_of

ANALYZERS: Final = ("word", "char", "both")
LADDER: Final = "ladder"


@dataclass(frozen=True)
class ModelSpec:
    """What to build: a family's name and its options, as in the ``[model]`` table of a configuration.

    Attributes
    ----------
    family
        One of :data:`FAMILIES`.
    analyzer
        N-grams of a text model: ``word`` (1-2), ``char`` (2-5 inside words) or ``both``.
    surface
        Whether surface features stand beside the n-grams.
    edges
        Whether first and last words and word-shape n-grams stand beside them.
    C
        Inverse regularisation strength of logistic regression and SVM.
    balanced
        Whether classes are weighted by inverse frequency.
    min_df
        N-grams seen in fewer paragraphs are dropped.
    max_char_features
        At most so many character n-grams, the most frequent ones.
    bits
        Binary logarithm of the number of hashed features of the ``winnow`` and ``ladder`` families.
    n_hidden, n_epochs, distillation, corrected, stretch_weight, thinned_weight
        Of the ``ladder`` family: channels of the networks, their passes over the pages, weight of the teacher's answers, whether
        the linear model is corrected on read labels where it judges paragraphs alone, weights of stretches and of thinned
        copies of the pages as pages of their own.
    """

    family: str = "tfidf-logistic"
    analyzer: str = "both"
    surface: bool = True
    edges: bool = False
    C: float = 5.0
    balanced: bool = True
    min_df: int = 2
    max_char_features: int = 200_000
    bits: int = 18
    n_hidden: int = 48
    n_epochs: int = 12
    distillation: float = 0.2
    corrected: bool = False
    stretch_weight: float = 0.0
    thinned_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"family: must be one of {', '.join(FAMILIES)}; got {self.family!r}")
        if self.analyzer not in ANALYZERS:
            raise ValueError(f"analyzer: must be one of {', '.join(ANALYZERS)}; got {self.analyzer!r}")
        if not self.C > 0:
            raise ValueError(f"C: must be > 0; got {self.C}")
        if self.min_df < 1 or self.max_char_features < 1:
            raise ValueError(f"min_df, max_char_features: must be >= 1; got {self.min_df}, {self.max_char_features}")

    @property
    def needs_pages(self) -> bool:
        """Whether it learns from whole pages, unlabelled paragraphs as context, and not from labelled paragraphs alone."""
        return self.family == LADDER

    def as_dict(self) -> dict[str, Any]:
        """The specification as plain values, for manifests."""
        return asdict(self)


# Surface features live on a scale of standard deviations, TF-IDF rows have length 1: 0.3 brings both to the same order, so that
# one C regularises both (CV on hand-read data: experiments/009).
_SURFACE_WEIGHT: Final = 0.3


def _vectorizers(spec: ModelSpec, *, counts: bool) -> list[tuple[str, Any]]:
    kind: Any = CountVectorizer if counts else TfidfVectorizer
    options: dict[str, Any] = {} if counts else {"sublinear_tf": True}
    parts: list[tuple[str, Any]] = []
    if spec.analyzer in ("word", "both"):
        parts.append(("word", kind(ngram_range=(1, 2), min_df=spec.min_df, token_pattern=r"(?u)\w+|[^\w\s]", **options)))
    if spec.analyzer in ("char", "both"):
        char = kind(
            analyzer="char_wb", ngram_range=(2, 5), min_df=spec.min_df + 3, max_features=spec.max_char_features, **options
        )
        parts.append(("char", char))
    if spec.edges:
        parts.append(("edges", kind(analyzer=edge_tokens, min_df=spec.min_df + 1, **options)))
    return parts


def _text_pipeline(spec: ModelSpec, classifier: Any, *, counts: bool = False) -> Pipeline:
    parts = _vectorizers(spec, counts=counts)
    weights = {}
    if spec.surface:
        parts.append(("surface", SurfaceFeatures(numeric=not counts)))
        weights = {} if counts else {"surface": _SURFACE_WEIGHT}
    features = FeatureUnion(parts, transformer_weights=weights)
    return Pipeline([("texts", FunctionTransformer(texts_of)), ("features", features), ("classifier", classifier)])


def _logistic(spec: ModelSpec, seed: int) -> Any:
    weight = "balanced" if spec.balanced else None
    return _text_pipeline(spec, LogisticRegression(C=spec.C, max_iter=300, class_weight=weight, random_state=seed))


def _svm(spec: ModelSpec, seed: int) -> Any:
    svm = LinearSVC(C=spec.C, class_weight="balanced" if spec.balanced else None, random_state=seed)
    return _text_pipeline(spec, CalibratedClassifierCV(svm, cv=3))


def _naive_bayes(spec: ModelSpec, seed: int) -> Any:
    return _text_pipeline(spec, ComplementNB(alpha=0.3), counts=True)


def _boosting(spec: ModelSpec, seed: int) -> Any:
    return StackedBoosting(_logistic(spec, seed), random_state=seed)


def _winnow(spec: ModelSpec, seed: int) -> Any:
    return WinnowClassifier(bits=spec.bits, C=spec.C, min_count=spec.min_df, balanced=spec.balanced, random_state=seed)


def _ladder(spec: ModelSpec, seed: int) -> Any:
    return LadderClassifier(
        bits=spec.bits,
        C=spec.C,
        min_count=spec.min_df,
        balanced=spec.balanced,
        n_hidden=spec.n_hidden,
        n_epochs=spec.n_epochs,
        distillation=spec.distillation,
        corrected=spec.corrected,
        stretch_weight=spec.stretch_weight,
        thinned_weight=spec.thinned_weight,
        random_state=seed,
    )


def _majority(spec: ModelSpec, seed: int) -> Any:
    return Pipeline([("texts", FunctionTransformer(_column)), ("classifier", DummyClassifier(strategy="prior"))])


def _column(X: Any) -> list[list[int]]:
    """Texts as a column of lengths: what the majority classifier needs is only how many there are."""
    return [[len(text)] for text in texts_of(X)]


FAMILIES: Final[dict[str, Callable[[ModelSpec, int], Any]]] = {
    "majority": _majority,
    "three-line": lambda spec, seed: LineRule("three-line"),
    "c4": lambda spec, seed: LineRule("c4"),
    "naive-bayes": _naive_bayes,
    "tfidf-logistic": _logistic,
    "tfidf-svm": _svm,
    "tfidf-boosting": _boosting,
    "winnow": _winnow,
    LADDER: _ladder,
}


# Paragraphs of every label that a fit needs: the SVM is calibrated in three folds, the trees learn from out-of-fold answers.
_MIN_PER_LABEL: Final = {"tfidf-svm": 3, "tfidf-boosting": 2}


def min_per_label(spec: ModelSpec) -> int:
    """How many paragraphs of every label present a model must have to be fitted.

    Parameters
    ----------
    spec
        What is to be fitted.

    Returns
    -------
    At least 1.
    """
    return _MIN_PER_LABEL.get(spec.family, 1)


# What a model's fit calls the weights of rows.
_WEIGHT_PARAMETER: Final = {
    **dict.fromkeys(("winnow", LADDER), "sample_weight"),
    **dict.fromkeys(("majority", "naive-bayes", "tfidf-logistic", "tfidf-svm"), "classifier__sample_weight"),
}


def weight_parameter(spec: ModelSpec) -> str:
    """The parameter by which a model's ``fit`` takes weights of rows.

    Parameters
    ----------
    spec
        The model.

    Returns
    -------
    Its name.

    Raises
    ------
    ValueError
        If the family takes no weights.

    Examples
    --------
    >>> weight_parameter(ModelSpec("winnow"))
    'sample_weight'
    """
    if spec.family not in _WEIGHT_PARAMETER:
        raise ValueError(f"family: must be one of {', '.join(_WEIGHT_PARAMETER)} to weight labels; got {spec.family!r}")
    return _WEIGHT_PARAMETER[spec.family]


def build_model(spec: ModelSpec, *, seed: int = 0) -> Any:
    """An unfitted classifier.

    Parameters
    ----------
    spec
        What to build.
    seed
        Seed of everything random in it.

    Returns
    -------
    A scikit-learn classifier of texts or paragraph tables; its ``classes_`` are sorted as scikit-learn wants them.

    Examples
    --------
    >>> model = build_model(ModelSpec("three-line")).fit(["Share"], ["boilerplate"])
    >>> model.predict(["Share", "A bridge over the river Tarn opened on Monday."]).tolist()
    ['boilerplate', 'news']
    """
    return FAMILIES[spec.family](spec, seed)
