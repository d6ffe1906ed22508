"""scikit-learn's own text pipelines: hashed n-grams with stochastic gradient descent, TF-IDF with logistic regression."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.classify.systems.base import Batch, Classify, System, Training

_MODEL: Final = "model.joblib"
_WORDS: Final = {"ngram_range": (1, 2), "token_pattern": r"(?u)\w+|[^\w\s]"}
_CHARACTERS: Final = {"analyzer": "char_wb", "ngram_range": (2, 5)}


@dataclass(frozen=True)
class _Pipeline(System):
    @abstractmethod
    def build(self) -> Any:
        """The unfitted pipeline."""

    def fit(self, prepared: Training) -> Any:
        """Train.

        Parameters
        ----------
        prepared
            The paragraphs.

        Returns
        -------
        The fitted pipeline.
        """
        return self.build().fit(prepared.texts, prepared.labels)

    def save(self, fitted: Any, folder: Path) -> None:
        """Save with joblib.

        Parameters
        ----------
        fitted
            The pipeline.
        folder
            Where to.
        """
        import joblib

        joblib.dump(fitted, folder / _MODEL)

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
        import joblib

        pipeline = joblib.load(folder / _MODEL)

        def classify(batch: Batch) -> list[str]:
            labels: list[str] = pipeline.predict(batch.texts).tolist()
            return labels

        return classify


@dataclass(frozen=True)
class HashingSgd(_Pipeline):
    """Words 1-2 and characters 2-5 hashed to 2**20 columns each; logistic loss."""

    def build(self) -> Any:
        """The unfitted pipeline.

        Returns
        -------
        Vectorizers and classifier.
        """
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import SGDClassifier
        from sklearn.pipeline import make_pipeline, make_union

        words = HashingVectorizer(alternate_sign=False, **_WORDS)
        characters = HashingVectorizer(alternate_sign=False, **_CHARACTERS)
        sgd = SGDClassifier(loss="log_loss", alpha=3e-5, class_weight="balanced", random_state=0)
        return make_pipeline(make_union(words, characters), sgd)


@dataclass(frozen=True)
class TfidfLogistic(_Pipeline):
    """TF-IDF of words 1-2 and of the 200,000 most frequent character 2-5-grams; logistic regression."""

    def build(self) -> Any:
        """The unfitted pipeline.

        Returns
        -------
        Vectorizers and classifier.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        words = TfidfVectorizer(min_df=2, sublinear_tf=True, **_WORDS)
        characters = TfidfVectorizer(min_df=5, max_features=200_000, sublinear_tf=True, **_CHARACTERS)
        # Looser than the default of 1e-4: it is timed, and less exact is quicker.
        logistic = LogisticRegression(C=5.0, class_weight="balanced", max_iter=300, tol=1e-3)
        return make_pipeline(make_union(words, characters), logistic)


_SKLEARN: Final = (("scikit-learn",), ("sklearn",))


def hashing_sgd() -> HashingSgd:
    """Hashed n-grams with stochastic gradient descent.

    Returns
    -------
    The system.
    """
    return HashingSgd("hashing-sgd", "scikit-learn, HashingVectorizer + SGD", "pipeline.predict(texts)", *_SKLEARN)


def tfidf_logistic() -> TfidfLogistic:
    """TF-IDF with logistic regression.

    Returns
    -------
    The system.
    """
    return TfidfLogistic("tfidf-logistic", "scikit-learn, TF-IDF + logistic regression", "pipeline.predict(texts)", *_SKLEARN)
