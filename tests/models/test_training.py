from __future__ import annotations

import logging
import warnings
from typing import Any, Self

import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from newswinnow.models.fitting import fit_quietly
from newswinnow.models.registry import FAMILIES, ModelSpec
from newswinnow.models.rules import LineRule
from newswinnow.models.training import check_trainable, site_digest, table_digest, train


def table(counts: dict[str, int], *, sites: int = 3) -> pd.DataFrame:
    labels = [label for label, count in counts.items() for _ in range(count)]
    n = len(labels)
    texts = [f"{label} of the council {i}" for i, label in enumerate(labels)]
    places = [f"s{i % sites}.example" for i in range(n)]
    return pd.DataFrame({"page": places, "position": range(n), "text": texts, "label": labels, "site": places})


ENOUGH = {"news": 6, "boilerplate": 6, "related-link": 6}


@pytest.mark.parametrize(
    ("column", "value"),
    [("page", "other"), ("position", 99), ("text", "News of the council"), ("label", "boilerplate"), ("label", None)],
)
def test_digest_changes_with_what_the_table_says(column: str, value: Any) -> None:
    before = table(ENOUGH)
    after = before.copy()
    after[column] = after[column].astype(object)
    after.loc[0, column] = value
    assert table_digest(after) != table_digest(before)


def test_digest_changes_with_order_and_with_what_stands_where() -> None:
    before = table(ENOUGH)
    assert table_digest(before.iloc[::-1]) != table_digest(before)
    assert table_digest(before.iloc[1:]) != table_digest(before)
    moved = before.assign(page=before["page"] + "x", position=before["position"])
    assert table_digest(moved) != table_digest(before)


def test_digest_ignores_how_the_table_is_held() -> None:
    before = table(ENOUGH)
    expected = table_digest(before)
    assert table_digest(before.assign(extra=1).set_index(pd.Index(range(50, 68)))) == expected
    assert table_digest(before.astype({"label": "category"})) == expected
    assert table_digest(before.astype({"label": object, "text": object, "position": "int32"})) == expected


def test_digest_of_an_unlabelled_table_is_that_of_empty_labels() -> None:
    before = table(ENOUGH)
    assert table_digest(before.drop(columns="label")) == table_digest(before.assign(label=None))
    partly = before.astype({"label": "category"})
    partly.loc[0, "label"] = None
    assert table_digest(partly) == table_digest(before.assign(label=before["label"].mask(before.index == 0)))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"news": 9}, r"corpus: must have at least two labels to train on; got news 9, boilerplate 0, related-link 0"),
        ({}, r"corpus: must have at least two labels to train on; got news 0, boilerplate 0, related-link 0"),
        (
            {"news": 9, "boilerplate": 9, "related-link": 1},
            r"corpus: every label present needs at least 2 paragraphs; got news 9, boilerplate 9, related-link 1",
        ),
        ({"news": 9, "relatd": 9}, r"corpus: label must be one of news, boilerplate, related-link; got 'relatd'"),
        ({"news": 9, "Boilerplate": 1}, r"corpus: label must be one of news, boilerplate, related-link; got 'Boilerplate'"),
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_refuses_labels_that_cannot_train(counts: dict[str, int], message: str, family: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_trainable(table(counts))
    with pytest.raises(ValueError, match=message.replace("at least 2 paragraphs", r"at least \d paragraphs")):
        train(table(counts), ModelSpec(family))


@pytest.mark.parametrize(("family", "needed"), [("majority", 2), ("tfidf-logistic", 2), ("tfidf-svm", 3), ("tfidf-boosting", 2)])
def test_every_family_names_what_it_needs_before_it_fits(family: str, needed: int) -> None:
    spec = ModelSpec(family)
    check_trainable(table({"news": 9, "boilerplate": needed}), spec=spec)
    with pytest.raises(
        ValueError, match=rf"corpus: every label present needs at least {needed} paragraphs; got news 9, boilerplate"
    ):
        train(table({"news": 9, "boilerplate": needed - 1}), spec)


def test_svm_trains_on_the_fewest_paragraphs_it_asks_for() -> None:
    model = train(table({"news": 3, "boilerplate": 3}), ModelSpec("tfidf-svm"))
    assert model.predict_proba(["news of the council"]).sum() == pytest.approx(1)


def test_refuses_fewer_sites_than_folds() -> None:
    check_trainable(table(ENOUGH, sites=3), n_folds=3)
    with pytest.raises(ValueError, match=r"corpus: must have at least as many sites as folds, 4; got 3 sites"):
        check_trainable(table(ENOUGH, sites=3), n_folds=4)


def test_refuses_folds_without_sites() -> None:
    check_trainable(table(ENOUGH).drop(columns="site"))
    with pytest.raises(ValueError, match=r"corpus: must have at least as many sites as folds, 2; got 0 sites"):
        check_trainable(table(ENOUGH).drop(columns="site"), n_folds=2)


def test_refuses_folds_where_a_labelled_paragraph_has_no_site() -> None:
    rows = table(ENOUGH)
    rows.loc[[0, 5], "site"] = None
    with pytest.raises(ValueError, match=r"corpus: every labelled paragraph must have a site for folds by site; got 2 without"):
        check_trainable(rows, n_folds=2)
    rows.loc[[0, 5], "label"] = None
    check_trainable(rows, n_folds=2)


def test_refuses_a_label_with_fewer_paragraphs_than_folds() -> None:
    rows = table({"news": 9, "boilerplate": 9, "related-link": 2}, sites=5)
    check_trainable(rows, n_folds=2)
    with pytest.raises(ValueError, match=r"at least 3 paragraphs; got news 9, boilerplate 9, related-link 2"):
        check_trainable(rows, n_folds=3)


def test_unlabelled_sites_do_not_count() -> None:
    rows = table(ENOUGH, sites=3)
    extra = rows.iloc[:3].assign(label=None, site=["x.example", "y.example", "z.example"])
    with pytest.raises(ValueError, match=r"as many sites as folds, 4; got 3 sites"):
        check_trainable(pd.concat([rows, extra], ignore_index=True), n_folds=4)


def test_refuses_a_table_without_labels() -> None:
    with pytest.raises(ValueError, match=r"table: must have a column 'label'; got \['page', 'position', 'text', 'site'\]"):
        check_trainable(table(ENOUGH).drop(columns="label"))


def test_labels_that_do_not_occur_but_could_are_no_matter() -> None:
    rows = table({"news": 4, "boilerplate": 4})
    categories = pd.CategoricalDtype(["news", "boilerplate", "related-link"])
    check_trainable(rows.astype({"label": categories}))


def test_training_says_what_it_did(corpus: pd.DataFrame) -> None:
    extra = corpus.iloc[:5].assign(label=None, page="unlabelled")
    model = train(pd.concat([corpus, extra], ignore_index=True), ModelSpec("three-line"), seed=4)
    assert model.manifest == {
        "spec": ModelSpec("three-line").as_dict(),
        "training": {
            "digest": table_digest(corpus),
            "n_paragraphs": 108,
            "n_pages": 12,
            "labels": {"news": 36, "boilerplate": 36, "related-link": 36},
            "seed": 4,
            "sites": sorted(map(site_digest, corpus["site"].unique())),
        },
        "metrics": {},
    }


def test_training_leaves_the_corpus_alone(corpus: pd.DataFrame) -> None:
    before = corpus.copy()
    train(corpus, ModelSpec("tfidf-logistic", analyzer="word"))
    pd.testing.assert_frame_equal(corpus, before)


def test_trains_tfidf_with_logistic_regression_unless_told_otherwise(corpus: pd.DataFrame) -> None:
    model = train(corpus)
    assert model.manifest["spec"] == ModelSpec().as_dict()
    assert ModelSpec().family == "tfidf-logistic"
    assert (model.predict(corpus) == corpus["label"]).mean() > 0.95


def test_unlabelled_rows_teach_nothing(corpus: pd.DataFrame) -> None:
    spec = ModelSpec("tfidf-logistic", analyzer="word", surface=False)
    noise = pd.DataFrame({"page": "x", "position": range(40), "text": "zebra zebra", "label": None, "site": "x.example"})
    with_noise = train(pd.concat([corpus, noise], ignore_index=True), spec)
    assert (with_noise.predict_proba(corpus) == train(corpus, spec).predict_proba(corpus)).all()


def test_seed_reaches_the_estimator(corpus: pd.DataFrame) -> None:
    model = train(corpus, ModelSpec("tfidf-logistic", analyzer="word"), seed=11)
    assert model.estimator.get_params()["classifier__random_state"] == 11


class Grumbler(LineRule):
    """A classifier whose fit warns."""

    def __init__(self, category: type[Warning] = UserWarning, times: int = 1) -> None:
        self.category = category
        self.times = times
        self.rule = "three-line"

    def fit(self, X: Any, y: Any) -> Self:
        for i in range(self.times):
            warnings.warn(f"grumble {i}\nsecond line", self.category, stacklevel=2)
        super().fit(X, y)
        return self


def test_failure_to_converge_is_one_logged_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model = fit_quietly(Grumbler(ConvergenceWarning, times=3), ["Share"], ["boilerplate"])
    assert model.predict(["Share"]).tolist() == ["boilerplate"]
    assert [record.getMessage() for record in caplog.records] == [
        "training: should converge; got a stop at the maximum number of iterations"
    ]


def test_other_warnings_stay_warnings(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.warns(UserWarning, match="grumble 0"):
            fit_quietly(Grumbler(), ["Share"], ["boilerplate"])
    assert caplog.records == []


def test_a_quiet_fit_logs_nothing(corpus: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    train(corpus, ModelSpec("tfidf-logistic", analyzer="word"))
    assert caplog.records == []
