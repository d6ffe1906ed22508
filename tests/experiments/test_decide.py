"""Calibrating decisions of saved models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from newswinnow.evaluation.decided import decide_by
from newswinnow.evaluation.decisions import Costs, Decision, read_decision
from newswinnow.experiments.decide import calibrate, out_of_fold, reachable, read_costs, write_decision
from newswinnow.models.predictor import Predictor
from newswinnow.models.rules import LineRule
from newswinnow.models.saved import load_model
from newswinnow.models.training import site_digest, train

Rows = Callable[..., list[dict[str, Any]]]
DIGEST = "d" * 64


def saved(**training: Any) -> Predictor:
    """The three-line rule as if it had been loaded."""
    manifest = {"members": {"model": {"sha256": DIGEST}}, "spec": {"family": "three-line"}, "training": training}
    return Predictor(LineRule().fit([], []), manifest)


@pytest.fixture
def corpus(rows_of: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows_of("test", n_sites=40))


def test_a_decision_names_its_model_and_bounds_what_is_lost(corpus: pd.DataFrame) -> None:
    decision = calibrate(saved(), corpus)
    assert (decision.model_sha256, decision.context, decision.costs) == (DIGEST, "auto", Costs())
    assert decision.news_loss is not None
    assert decision.news_loss.n_pages == 80
    assert decision.news_threshold(0.05) > 0
    assert reachable(decision, 0.05)[0] == "0.05"
    assert reachable(decision, 0.01) == ["0.01", "", "max-news-loss: 0.01 needs at least 302 calibration pages with news", ""]


def test_sites_of_the_training_are_refused(corpus: pd.DataFrame) -> None:
    model = saved(sites=[site_digest("test3.example")])
    with pytest.raises(ValueError, match=r"CORPUS: must hold no site the model was trained on; got 1, first 'test3.example'"):
        calibrate(model, corpus)
    assert calibrate(model, corpus.drop(columns="site")).news_loss is not None
    assert calibrate(model, corpus, folds=2).news_loss is not None


def test_every_page_is_predicted_by_a_model_that_has_not_seen_its_site(
    corpus: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    import newswinnow.experiments.decide as module

    seen: list[set[str]] = []
    original = train

    def watched(table: pd.DataFrame, *args: Any, **options: Any) -> Predictor:
        seen.append(set(table["site"]))
        return original(table, *args, **options)

    monkeypatch.setattr(module, "train", watched)
    found = out_of_fold(saved(seed=3), corpus, folds=4)
    assert found.index.tolist() == corpus.index.tolist()
    assert found["predicted"].notna().all()
    assert len(seen) == 4
    sites = set(corpus["site"])
    left_out = [sites - part for part in seen]
    assert set().union(*left_out) == sites
    assert sum(map(len, left_out)) == len(sites)


def test_folds_need_sites_and_a_sensible_number(corpus: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"--folds: must be 0 or at least 2; got 1"):
        calibrate(saved(), corpus, folds=1)
    with pytest.raises(ValueError, match=r"CORPUS: must have the columns site; got"):
        calibrate(saved(), corpus.drop(columns="site"), folds=2)


def test_a_model_that_was_never_saved_is_refused(corpus: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"model: must be a saved one, whose digest a decision can name; got 0 digests"):
        calibrate(Predictor(LineRule().fit([], [])), corpus)


def test_costs_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "costs.toml"
    path.write_text("unsure = 0.3\nmistakes = [[0, 5, 5], [1, 0, 1], [2, 1, 0]]\n", encoding="utf-8")
    assert read_costs(path) == Costs(((0, 5, 5), (1, 0, 1), (2, 1, 0)), 0.3)
    assert read_costs(None) == Costs()
    with pytest.raises(FileNotFoundError, match=r"absent.toml: must be an existing TOML file; got nothing there"):
        read_costs(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unsure = ", r"costs.toml: "),
        ("sure = 1", r"costs.toml: costs: must have no key but mistakes and unsure; got 'sure'"),
        ("mistakes = [1]", r"costs.toml: "),
        ("unsure = -1", r"costs.toml: costs.unsure: must be a number >= 0; got -1"),
    ],
)
def test_damaged_costs_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "costs.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_costs(path)


def test_a_written_decision_decides(corpus: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "new" / "decision.json"
    write_decision(calibrate(saved(), corpus, costs=Costs(unsure=0.0)), path)
    decision = read_decision(path)
    by_costs = decide_by(saved(), decision)
    assert set(by_costs.predict(["Share", "The mayor said on Friday that the bridge had opened again."])) <= {
        *("news", "boilerplate", "related-link", "unsure")
    }
    keeping = decide_by(saved(), decision, max_news_loss=0.05)
    assert keeping.news_threshold == decision.news_threshold(0.05)
    table = keeping.predict_table(corpus)
    assert ((table["p_news"] >= keeping.news_threshold) == (table["predicted"] == "news")).all()
    assert by_costs.labels_of(np.array([[0.5, 0.3, 0.2]])) == ["unsure"]


def test_a_decision_holds_for_a_model_that_finds_labels_without_probabilities() -> None:
    model = load_model()
    (member,) = model.manifest["members"].values()
    decided = decide_by(model, Decision(member["sha256"], "auto", Costs(unsure=0.0)))
    assert decided.predict(["Share this", "The mayor said on Friday."]).tolist() == ["unsure", "unsure"]


def test_a_decision_of_another_model_or_level_is_refused() -> None:
    with pytest.raises(ValueError, match=r"decision: must be calibrated for this model; got one for eeeeeeeeeeee"):
        decide_by(saved(), Decision("e" * 64, "auto"))
    several = Predictor(None, {"members": {"m": {"sha256": DIGEST}}}, ("alone", "order"))
    with pytest.raises(ValueError, match=r"decision: must be calibrated at context order; got alone"):
        decide_by(several, Decision(DIGEST, "alone"), context="order")
