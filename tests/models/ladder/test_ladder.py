"""The ladder from training to the saved model: levels, rows in any order, what it refuses, and that it comes back the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load, save
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from newswinnow.models.ladder.classifier import LadderClassifier
from newswinnow.models.ladder.tensors import model_from_tensors, model_to_tensors
from newswinnow.models.mixing import LabelMix
from newswinnow.models.predictor import CONTEXTS, Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.saved import load_model, save_model
from newswinnow.models.training import train
from newswinnow.paragraphs.rows import Rows

STORIES = ["ferry", "orchard", "lighthouse", "tram", "quarry", "choir", "harbour", "mill", "library", "viaduct"]
MENU = ["Home", "Sport", "Weather", "Share", "Newsletter", "Log in"]


def page(number: int, rng: np.random.Generator) -> pd.DataFrame:
    """A page of a menu, an article with an unread line, and links to other stories."""
    story, others = STORIES[number % 10], rng.permutation([s for s in STORIES if s != STORIES[number % 10]])[:4]
    body = [
        f"The {story} of Brenholm was repaired on Monday, the council said, after {n} years of work."
        for n in rng.integers(2, 90, 5)
    ]
    rows = [
        *((text, "boilerplate", "li", 1.0) for text in MENU),
        (f"{story.title()} of Brenholm repaired", "news", "h1", 0.0),
        *((text, "news", "p", 0.0) for text in body),
        (f"Nobody read this about the {story}.", None, "p", 0.0),
        ("More stories", "related-link", "h3", 0.0),
        *((f"{other.title()} of Ostholm to close", "related-link", "a", 1.0) for other in others),
        ("© 2026 The Brenholm Gazette", "boilerplate", "p", 0.0),
    ]
    frame = pd.DataFrame(rows, columns=["text", "label", "tag", "link_density"])
    return frame.assign(page=f"p{number}", position=range(len(frame)), site=f"s{number // 2}.example")


def pages(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.concat([page(number, rng) for number in range(n)], ignore_index=True)


CORPUS = pages(16)
SPEC = ModelSpec("ladder", bits=10, n_hidden=8, n_epochs=1)
SMALL: dict[str, Any] = {"bits": 10, "n_hidden": 8, "n_epochs": 100, "least_steps": 0}


@pytest.fixture(scope="module")
def fitted() -> LadderClassifier:
    return LadderClassifier(**SMALL).fit(CORPUS, CORPUS["label"])


@pytest.fixture(scope="module")
def predictor(fitted: LadderClassifier) -> Predictor:
    return Predictor(fitted, {"spec": SPEC.as_dict(), "training": {}, "metrics": {}}, CONTEXTS)


def macro_accuracy(predictor: Predictor, table: pd.DataFrame, context: str) -> float:
    is_known = table["label"].notna()
    hits = predictor.predict(table, context=context)[is_known] == table.loc[is_known, "label"]
    return float(pd.Series(hits).groupby(table.loc[is_known, "label"].to_numpy()).mean().mean())


def test_every_level_learns(predictor: Predictor) -> None:
    held = pages(6, seed=9)
    for context in (*CONTEXTS, "auto"):
        assert macro_accuracy(predictor, held, context) > 0.9, context


def test_a_bag_does_not_depend_on_the_order_of_its_page(predictor: Predictor) -> None:
    rng = np.random.default_rng(1)
    shuffled = CORPUS.iloc[rng.permutation(len(CORPUS))]
    shuffled = shuffled.assign(position=rng.permutation(len(shuffled)))
    found = pd.DataFrame(predictor.predict_proba(shuffled, context="bag"), shuffled.index).sort_index()
    assert np.array_equal(found.to_numpy(), predictor.predict_proba(CORPUS, context="bag"))


@pytest.mark.parametrize("context", CONTEXTS)
def test_rows_may_come_in_any_order_and_pages_together_or_apart(predictor: Predictor, context: str) -> None:
    shuffled = CORPUS.sample(frac=1, random_state=2)
    whole = predictor.predict_proba(CORPUS, context=context)
    found = pd.DataFrame(predictor.predict_proba(shuffled, context=context), shuffled.index).sort_index()
    assert np.array_equal(found.to_numpy(), whole)
    one = CORPUS["page"] == "p3"
    assert np.array_equal(predictor.predict_proba(CORPUS[one], context=context), whole[one])


def test_threads_make_no_difference(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.models.ladder.model.BATCH", 20)
    monkeypatch.setenv("NEWSWINNOW_THREADS", "1")
    one = predictor.predict_proba(CORPUS, context="order")
    monkeypatch.setenv("NEWSWINNOW_THREADS", "3")
    assert np.array_equal(predictor.predict_proba(CORPUS, context="order"), one)


def test_auto_takes_the_level_that_the_page_supports(fitted: LadderClassifier) -> None:
    rng = np.random.default_rng(3)
    table = pd.concat([CORPUS[CORPUS["page"] == "p0"], CORPUS[CORPUS["page"] == "p1"].assign(tag=None, link_density=np.nan)])
    levels = fitted.model_.levels_of(table)
    n = len(table) // 2
    assert set(levels[:n]) == {"markup"}
    assert set(levels[n:]) == {"order"}
    long = pages(8, seed=4).assign(page="long")
    long = long.assign(position=rng.permutation(len(long)))
    assert set(fitted.model_.levels_of(long)) == {"bag"}
    auto = fitted.model_.predict_proba(table)
    assert np.array_equal(auto[:n], fitted.model_.predict_proba(table[:n], context="markup"))
    assert np.array_equal(auto[n:], fitted.model_.predict_proba(table[n:], context="order"))


def test_texts_are_judged_alone_unless_said_otherwise(predictor: Predictor) -> None:
    texts = CORPUS["text"][:20].tolist()
    alone = predictor.predict_proba(texts, context="alone")
    assert np.array_equal(predictor.predict_proba(texts), alone)
    assert predictor.predict(texts).tolist() == predictor.labels_of(alone)
    in_order = predictor.predict_proba(texts, context="order")
    assert not np.array_equal(in_order, alone)
    table = pd.DataFrame({"page": "p", "position": range(20), "text": texts})
    assert np.array_equal(predictor.predict_proba(table, context="order"), in_order)


def test_one_paragraph_is_a_page_and_none_is_none(predictor: Predictor) -> None:
    for context in CONTEXTS:
        assert predictor.predict_proba(CORPUS[:1], context=context).shape == (1, 3)
        assert predictor.predict_proba(CORPUS[:0], context=context).shape == (0, 3)


def test_unread_paragraphs_are_context(fitted: LadderClassifier) -> None:
    weights = np.where(CORPUS["page"] == "p0", 0.0, 1.0)
    other = LadderClassifier(**SMALL).fit(CORPUS, CORPUS["label"], sample_weight=weights)
    none = LadderClassifier(**SMALL).fit(CORPUS, CORPUS["label"].where(weights > 0, None))
    assert not np.array_equal(other.predict_proba(CORPUS), fitted.predict_proba(CORPUS))
    assert np.array_equal(other.predict_proba(CORPUS), none.predict_proba(CORPUS))


def test_the_same_seed_gives_the_same_model(fitted: LadderClassifier) -> None:
    twice = clone(fitted).fit(CORPUS, CORPUS["label"])
    assert np.array_equal(twice.predict_proba(CORPUS), fitted.predict_proba(CORPUS))


def test_a_teacher_tells_of_what_nobody_read() -> None:
    table = CORPUS.assign(origin="read")
    is_aligned = table["page"].isin(["p12", "p13", "p14", "p15"])
    table.loc[is_aligned, "origin"] = "aligned"
    table = table.assign(aligned_label=table["label"])
    weights = np.where(is_aligned, 0.2, 1.0)
    taught = LadderClassifier(**SMALL).fit(table, table["label"], sample_weight=weights)
    untaught = LadderClassifier(**SMALL, distillation=0.0).fit(table, table["label"], sample_weight=weights)
    assert not np.array_equal(taught.predict_proba(CORPUS, context="alone"), untaught.predict_proba(CORPUS, context="alone"))
    assert macro_accuracy(Predictor(taught, contexts=CONTEXTS), pages(4, seed=7), "alone") > 0.9


def test_a_correction_goes_by_read_labels_where_aligned_ones_say_otherwise() -> None:
    texts = [
        text
        for n in range(60)
        for text in (f"Tickets for pier {n} are sold at the gate", f"The ferry to pier {n} sailed on Monday.")
    ]
    is_aligned = np.arange(120) >= 40
    table = pd.DataFrame({"page": [f"p{n // 4}" for n in range(120)], "position": np.arange(120) % 4, "text": texts})
    table = table.assign(site=table["page"], origin=np.where(is_aligned, "aligned", "read"))
    # Readers call tickets boilerplate; alignment, twice as often, calls them news.
    labels = [("news" if n % 2 or late else "boilerplate") for n, late in enumerate(is_aligned)]
    options = {**SMALL, "n_epochs": 1, "distillation": 0.0, "balanced": False}
    plain, corrected = (LadderClassifier(**options, corrected=one).fit(table, labels) for one in (False, True))
    asked = [f"Tickets for pier {n} are sold at the gate" for n in range(70, 90)]
    p_plain, p_corrected = (one.model_.predict_proba(asked, context="alone")[:, 1].mean() for one in (plain, corrected))
    assert p_corrected > p_plain + 0.1


@pytest.fixture(scope="module")
def corrected() -> LadderClassifier:
    return LadderClassifier(**SMALL, corrected=True).fit(CORPUS, CORPUS["label"])


def test_a_correction_is_for_the_level_alone_and_leaves_the_networks_as_they_are(
    fitted: LadderClassifier, corrected: LadderClassifier
) -> None:
    for context in ("alone", "bag", "order", "markup"):
        same = np.array_equal(corrected.predict_proba(CORPUS, context=context), fitted.predict_proba(CORPUS, context=context))
        assert same == (context != "alone"), context


@pytest.mark.parametrize("size", [1, 2, 5])
def test_small_pages_are_judged_by_what_judges_alone(corrected: LadderClassifier, size: int) -> None:
    small = pages(6, seed=9).groupby("page").head(size)
    alone, found = (corrected.predict_proba(small, context=context) for context in ("alone", "auto"))
    assert np.array_equal(found, alone) == (size < 3)


def test_a_corrected_ladder_is_saved_with_its_correction(corrected: LadderClassifier) -> None:
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in model_to_tensors(corrected.model_).items()}
    again = model_from_tensors(load(save(tensors)))
    for context in CONTEXTS:
        found, expected = (model.predict_proba(CORPUS, context=context) for model in (again, corrected.model_))
        np.testing.assert_allclose(found, expected, atol=1e-6, err_msg=context)
    with pytest.raises(ValueError, match=r"tensors must be .*correction.dense"):
        model_from_tensors({name: tensor for name, tensor in tensors.items() if name != "correction.dense"})
    with pytest.raises(ValueError, match=r"correction.mix must be <= 100.0 in size; got 1e\+300"):
        model_from_tensors({**tensors, "correction.mix": np.full((3, 3), 1e300)})


@pytest.mark.parametrize("weight", ["stretch_weight", "thinned_weight"])
def test_small_pages_teach_the_networks_and_leave_the_level_alone_as_it_is(weight: str, fitted: LadderClassifier) -> None:
    taught = LadderClassifier(**{**SMALL, weight: 0.5}).fit(CORPUS, CORPUS["label"])
    parts = pages(6, seed=9).groupby("page").head(8)
    for context in ("alone", "bag", "order"):
        same = np.array_equal(taught.predict_proba(parts, context=context), fitted.predict_proba(parts, context=context))
        assert same == (context == "alone"), context


def test_training_takes_whole_pages_and_knows_its_levels(tmp_path: Path) -> None:
    trained = train(CORPUS.assign(origin="written"), SPEC, mix=LabelMix({"written": 0.5}), seed=3)
    assert trained.contexts == CONTEXTS
    assert trained.manifest["training"]["n_paragraphs"] == int(CORPUS["label"].notna().sum())
    save_model(trained, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.contexts == CONTEXTS
    for context in (*CONTEXTS, "auto"):
        difference = np.abs(loaded.predict_proba(CORPUS, context=context) - trained.predict_proba(CORPUS, context=context))
        assert difference.max() < 1e-6, context
    plain = CORPUS.astype(object).where(CORPUS.notna(), None)
    rows = Rows({str(name): plain[name].tolist() for name in plain.columns})
    assert loaded.predict_rows(rows)["predicted"] == loaded.predict_table(CORPUS)["predicted"].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rare": np.array([0])}, r"spread and rare must be > 0; got .* and 0"),
        ({"temperatures": np.array([1.0, 0.0, 1.0])}, r"temperatures must be > 0 and <= 100.0; got \[1.0, 0.0, 1.0\]"),
        ({"trust": np.zeros(3)}, r"trust must be float64 of shape \(8\); got float64 of shape \(3,\)"),
        ({"order.first": np.zeros((3, 3), np.int16)}, r"order.first must be int16 of shape"),
        ({"bag.last": np.zeros(0, np.int16)}, r"bag\..* must be int16 of shape"),
        ({"linear.bias": np.zeros(2, np.float32)}, r"bias must be float32 of shape \(3\); got float32 of shape \(2,\)"),
        ({"more": np.zeros(2)}, r"tensors must be bag\.first"),
    ],
)
def test_tensors_that_are_no_ladder_are_refused(fitted: LadderClassifier, change: dict[str, Any], message: str) -> None:
    tensors = load(save({name: np.ascontiguousarray(tensor) for name, tensor in model_to_tensors(fitted.model_).items()}))
    again = model_from_tensors(tensors)
    np.testing.assert_allclose(again.predict_proba(CORPUS), fitted.model_.predict_proba(CORPUS), atol=1e-6)
    with pytest.raises(ValueError, match=message):
        model_from_tensors({**tensors, **change})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_hidden": 0}, r"n_hidden: must be >= 1; got 0"),
        ({"n_epochs": 0}, r"n_epochs: must be >= 1; got 0"),
        ({"distillation": -1.0}, r"distillation: must be finite and >= 0; got -1.0"),
        ({"stretch_weight": float("inf")}, r"stretch_weight: must be finite and >= 0; got inf"),
        ({"thinned_weight": -1.0}, r"thinned_weight: must be finite and >= 0; got -1.0"),
        ({"calibration_share": 1.0}, r"calibration_share: must be >= 0 and < 1; got 1.0"),
    ],
)
def test_parameters_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LadderClassifier(**options).fit(CORPUS, CORPUS["label"])


def test_what_cannot_be_learnt_from_is_refused() -> None:
    ladder = LadderClassifier(**SMALL)
    with pytest.raises(ValueError, match=r"X: a paragraph table must have a column 'page'; got \['text'\]"):
        ladder.fit(pd.DataFrame({"text": ["Share"]}), ["boilerplate"])
    with pytest.raises(ValueError, match=r"y: must have one label per paragraph, 2; got 1"):
        ladder.fit(CORPUS[:2], ["news"])
    with pytest.raises(ValueError, match=r"y: labels must be of news, boilerplate, related-link or None; got 'spam'"):
        ladder.fit(CORPUS[:1], ["spam"])
    with pytest.raises(ValueError, match=r"y: must hold at least one label whose weight is not zero; got 2 paragraphs"):
        ladder.fit(CORPUS[:2], [None, None])
    with pytest.raises(ValueError, match=r"sample_weight: must be one finite weight >= 0 per paragraph, 2; got shape \(1,\)"):
        ladder.fit(CORPUS[:2], ["news", "news"], sample_weight=[1.0])
    with pytest.raises(NotFittedError):
        ladder.predict(CORPUS)
