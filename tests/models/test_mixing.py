from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from newswinnow.models.mixing import LabelMix, origins_of
from newswinnow.models.registry import ModelSpec
from newswinnow.models.training import train

SPEC = ModelSpec("winnow", bits=10, C=1.0, min_df=1)


def mixed(corpus: pd.DataFrame) -> pd.DataFrame:
    """The corpus as read labels, and the same texts on other pages as aligned ones, every seventh of those wrong."""
    aligned = corpus.assign(page=corpus["page"] + "/a", origin="aligned", is_wrong=np.arange(len(corpus)) % 7 == 0)
    turned = aligned["label"].map({"news": "boilerplate", "boilerplate": "related-link", "related-link": "news"})
    aligned["label"] = aligned["label"].where(~aligned["is_wrong"], turned)
    return pd.concat([corpus.assign(origin="read", is_wrong=False), aligned], ignore_index=True)


def test_weights_go_by_origin_and_the_rest_weighs_one(corpus: pd.DataFrame) -> None:
    rows = mixed(corpus)
    rows.loc[0, "origin"] = None
    found = LabelMix({"aligned": 0.25}).row_weights(rows, SPEC, seed=0)
    np.testing.assert_array_equal(found, np.where(rows["origin"] == "aligned", 0.25, 1.0))
    assert (LabelMix({"aligned": 0.0}).row_weights(corpus, SPEC, seed=0) == 1).all()


def test_contradicted_labels_are_left_out_and_others_kept(corpus: pd.DataFrame) -> None:
    rows = mixed(corpus)
    found = LabelMix({"aligned": 0.5}, min_agreement=0.2).row_weights(rows, SPEC, seed=0)
    is_aligned, is_wrong = rows["origin"] == "aligned", rows["is_wrong"]
    assert (found[~is_aligned] == 1).all()
    assert (found[is_wrong] == 0).mean() > 0.9
    assert (found[is_aligned & ~is_wrong] == 0.5).mean() > 0.9


def test_nothing_is_asked_where_nothing_is_aligned(corpus: pd.DataFrame) -> None:
    one_label = corpus[corpus["label"] == "news"]
    assert (LabelMix(min_agreement=0.5).row_weights(one_label, SPEC, seed=0) == 1).all()
    ignored = mixed(corpus)
    found = LabelMix({"aligned": 0.0}, min_agreement=0.5).row_weights(ignored[ignored["label"] == "news"], SPEC, seed=0)
    assert set(found.tolist()) == {0.0, 1.0}


def test_pages_stand_in_for_sites(corpus: pd.DataFrame) -> None:
    rows = mixed(corpus).drop(columns="site")
    found = LabelMix(min_agreement=0.2).row_weights(rows, SPEC, seed=0)
    assert (found[rows["is_wrong"]] == 0).mean() > 0.9


def test_a_judge_needs_two_labels(corpus: pd.DataFrame) -> None:
    rows = mixed(corpus)
    rows = rows[(rows["label"] == "news") | (rows["origin"] == "aligned")]
    with pytest.raises(ValueError, match=r"corpus, trusted labels of all sites but one third: must have at least two labels"):
        LabelMix(min_agreement=0.2).row_weights(rows, SPEC, seed=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": {"guessed": 1.0}}, r"weights: origin must be one of read, aligned, written; got 'guessed'"),
        ({"weights": {"read": -1.0}}, r"weights: weight of read must be finite and >= 0; got -1.0"),
        ({"weights": {"read": float("inf")}}, r"weights: weight of read must be finite and >= 0; got inf"),
        ({"weights": {"read": float("nan")}}, r"weights: weight of read must be finite and >= 0; got nan"),
        ({"min_agreement": 1.0}, r"min_agreement: must be >= 0 and < 1; got 1.0"),
    ],
)
def test_what_is_no_mix(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelMix(**arguments)


def test_origins_default_to_read() -> None:
    assert origins_of(pd.DataFrame({"text": ["a", "b"]})).tolist() == ["read", "read"]


@pytest.mark.parametrize("family", ["winnow", "tfidf-logistic", "naive-bayes"])
def test_training_weighs(corpus: pd.DataFrame, family: str) -> None:
    spec = ModelSpec(family, analyzer="word", bits=10, min_df=1, surface=False)
    rows = pd.DataFrame(
        [("s", "Storm warning", "news", "read")] * 4
        + [("s", "Storm warning", "related-link", "aligned")] * 4
        + [("s", "Share", "boilerplate", "read")] * 4,
        columns=["page", "text", "label", "origin"],
    ).assign(position=range(12))
    for weight, favoured in ((0.2, "news"), (5.0, "related-link")):
        model = train(rows, ModelSpec(**{**spec.as_dict(), "balanced": False}), mix=LabelMix({"aligned": weight}))
        assert model.predict(["Storm warning"]).tolist() == [favoured]


def test_the_manifest_tells_the_mix(corpus: pd.DataFrame) -> None:
    rows = mixed(corpus)
    training = train(rows, SPEC, mix=LabelMix({"aligned": 0.5}, min_agreement=0.2)).manifest["training"]
    origins = training["origins"]
    assert origins["read"] == {"n_paragraphs": 108, "weight": 108.0}
    assert origins["aligned"]["weight"] == origins["aligned"]["n_paragraphs"] * 0.5
    assert training["n_paragraphs"] == sum(part["n_paragraphs"] for part in origins.values()) < len(rows)
    assert "origins" not in train(corpus, SPEC).manifest["training"]


def test_labels_of_weight_zero_train_nothing(corpus: pd.DataFrame) -> None:
    rows = mixed(corpus)
    without = train(rows, SPEC, mix=LabelMix({"aligned": 0.0}))
    np.testing.assert_array_equal(without.predict_proba(corpus["text"]), train(corpus, SPEC).predict_proba(corpus["text"]))
    with pytest.raises(ValueError, match=r"corpus: must have at least two labels to train on; got news 0"):
        train(rows[rows["origin"] == "aligned"], SPEC, mix=LabelMix({"aligned": 0.0}))


def test_a_family_without_weights_is_refused(corpus: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"family: must be one of winnow, .* to weight labels; got 'tfidf-boosting'"):
        train(mixed(corpus), ModelSpec("tfidf-boosting"), mix=LabelMix({"aligned": 0.5}))
