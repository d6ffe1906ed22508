"""Doubtful labels: planted errors come to the top."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from newswinnow.corpus.tables import read_corpus
from newswinnow.evaluation.label_review import CONFIDENCE, SUGGESTED, out_of_fold, rank_suspects, suspect_labels
from newswinnow.models.registry import ModelSpec
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "train.jsonl"
RULE = ModelSpec("three-line")
FAST = ModelSpec("tfidf-logistic", analyzer="word", min_df=1)
N, B, R = map(str, LABELS)


def rows_of(*labels: str | None) -> pd.DataFrame:
    sites = [f"s{i % 3}.example" for i in range(len(labels))]
    texts = {N: "The mayor opened a bridge.", B: "Share", R: "More on the mayor"}
    return pd.DataFrame(
        {
            "page": sites,
            "position": range(len(labels)),
            "text": [texts[label or B] for label in labels],
            "label": labels,
            "site": sites,
        }
    )


def test_labels_are_ranked_by_the_probability_of_the_label_given() -> None:
    rows = rows_of(N, B, R, N)
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.2, 0.6], [0.3, 0.6, 0.1]])
    found = rank_suspects(rows, probabilities).table
    assert found["position"].tolist() == [1, 3, 2, 0]
    assert found[CONFIDENCE].tolist() == [0.3, 0.3, 0.6, 0.7]
    assert found[SUGGESTED].tolist() == [R, B, R, N]


def test_likely_errors_are_those_as_sure_of_another_label_as_is_usual_for_it() -> None:
    rows = rows_of(N, N, B, B, R)
    usual = [[0.9, 0.05, 0.05], [0.1, 0.85, 0.05], [0.05, 0.9, 0.05], [0.4, 0.5, 0.1], [0.1, 0.1, 0.8]]
    # Mean confidence: news 0.5, boilerplate 0.7. Row 1 is as sure of boilerplate, row 3 not as sure of news.
    assert rank_suspects(rows, np.array(usual)).n_likely == 1


def test_a_label_nobody_has_is_never_likely() -> None:
    assert rank_suspects(rows_of(N, B), np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8]])).n_likely == 0


@pytest.mark.parametrize("shape", [(3, 3), (2, 2), (0, 3)])
def test_probabilities_of_another_shape_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"probabilities: must have the shape \(2, 3\)"):
        rank_suspects(rows_of(N, B), np.zeros(shape))


def test_no_model_sees_a_page_of_the_site_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    from newswinnow.evaluation import label_review

    seen: list[tuple[set[str], set[str]]] = []

    class Spy:
        classes_ = np.array(sorted(map(str, LABELS)))

        def fit(self, X: pd.DataFrame, y: object) -> "Spy":
            self.sites = set(X["site"])
            return self

        def predict_proba(self, X: pd.DataFrame) -> FloatArray:
            seen.append((self.sites, set(X["site"])))
            return np.tile([0.2, 0.5, 0.3], (len(X), 1))

    monkeypatch.setattr(label_review, "build_model", lambda spec, seed: Spy())
    corpus = pd.concat([rows_of(N, B, R, B, R, N, R, N, B), rows_of(None, None)], ignore_index=True)
    found = out_of_fold(corpus, n_folds=3)
    assert len(seen) == 3
    assert all(not fitted & judged for fitted, judged in seen)
    # Columns come in label order, whatever the model's: boilerplate, news, related-link there.
    assert found.tolist() == [[0.5, 0.2, 0.3]] * 9


def test_a_label_that_does_not_occur_has_probability_zero() -> None:
    found = out_of_fold(rows_of(N, B, B, B, N, N), FAST, n_folds=2)
    assert found.shape == (6, 3)
    assert (found[:, 2] == 0).all()
    assert found.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("corpus", "n_folds", "said"),
    [
        (rows_of(N, B, R), 1, "folds: must be >= 2; got 1"),
        (rows_of(N, N), 2, "must have at least two labels"),
        (rows_of(N, N, B, B), 4, "every label present needs at least 4 paragraphs"),
        (rows_of(N, B, B, N, B, B), 2, r"corpus, all but fold \d by site: must have at least two labels"),
        (rows_of(*[N, B] * 5), 5, "at least as many sites as folds, 5; got 3 sites"),
    ],
)
def test_a_corpus_that_cannot_be_folded_is_refused(corpus: pd.DataFrame, n_folds: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        out_of_fold(corpus, RULE, n_folds=n_folds)


@pytest.fixture(scope="module")
def planted() -> tuple[pd.DataFrame, pd.Series]:
    """A third of the written sample with 3 % of its labels flipped, and which."""
    table = read_corpus([SAMPLE])
    table = table[table["site"].isin(sorted(table["site"].unique())[::3])].reset_index(drop=True)
    source = np.random.default_rng(0)
    flipped = pd.Series(False, index=table.index)
    flipped[source.choice(len(table), round(len(table) * 0.03), replace=False)] = True
    names = [str(label) for label in LABELS]
    labels = [
        names[(names.index(label) + int(source.integers(1, 3))) % 3] if is_flipped else label
        for label, is_flipped in zip(table["label"], flipped, strict=True)
    ]
    return table.assign(label=labels), flipped


def test_planted_errors_come_to_the_top(planted: tuple[pd.DataFrame, pd.Series]) -> None:
    table, flipped = planted
    found = suspect_labels(table, FAST, n_folds=3)
    assert len(found.table) == len(table)
    assert found.table[CONFIDENCE].is_monotonic_increasing
    top = flipped[found.table.index[: found.n_likely]]
    recall, precision = top.sum() / flipped.sum(), top.mean()
    # Chance has a precision of 0.03; the default model reaches recall 0.83 at precision 0.24 on the whole sample.
    assert recall > 0.7
    assert precision > 0.12


def test_the_same_seed_gives_the_same_ranking(planted: tuple[pd.DataFrame, pd.Series]) -> None:
    first, again = (suspect_labels(planted[0], FAST, n_folds=2, seed=4).table for _ in range(2))
    assert first.equals(again)
