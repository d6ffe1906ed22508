from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import newswinnow.experiments.peers as module
from newswinnow.experiments.peers import load_pages, measure_pages, run_peers
from newswinnow.experiments.peers_config import PeersConfig
from newswinnow.experiments.peers_scores import Peers, PeerScore, PeerTest
from newswinnow.experiments.peers_systems import Extractor, FastText
from newswinnow.experiments.peers_tables import COLUMNS, machine_line, peer_versions, peers_markdown, row_of, write_peers
from newswinnow.harvest.html import split_html
from newswinnow.models.predictor import Predictor
from newswinnow.models.rules import LineRule

NEWS = "The council voted on Monday to repair the old bridge number {} over the Tarn."
QUOTE = "“It should have been done years ago,” said mayor number {} on the same day."
OTHER = "Harbour wall {} to be raised after storm"


def html_of(n: int) -> str:
    return (
        f"<html><body><ul><li><a href=/>Home</a></li></ul><h1>Bridge {n} to be repaired at last</h1><p>{NEWS.format(n)}</p>"
        f"<p>{QUOTE.format(n)}</p><a href=/x>{OTHER.format(n)}</a><p>Share</p></body></html>"
    )


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Three pages with bodies, their labelled table, and one labelled page more without HTML."""
    folder = tmp_path / "pages"
    folder.mkdir()
    rows = []
    for n in range(4):
        texts = ["Home", f"Bridge {n} to be repaired at last", NEWS.format(n), QUOTE.format(n), OTHER.format(n), "Share"]
        labels = ["boilerplate", "news", "news", None, "related-link", "boilerplate"]
        tags = ["li", "h1", "p", "p", "a", "p"]
        rows += [
            {"page": f"mine/{n}", "position": i, "text": text, "label": label, "tag": tag}
            for i, (text, label, tag) in enumerate(zip(texts, labels, tags, strict=True))
        ]
        if n < 3:
            (folder / f"{n}.html").write_text(html_of(n), encoding="utf-8")
            (folder / f"{n}.txt").write_text(f"{NEWS.format(n)}\n{QUOTE.format(n)}\n", encoding="utf-8")
    (folder / "unread.html").write_text("<p>Not in the table.</p>", encoding="utf-8")
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path


def corpus_of(folder: Path) -> pd.DataFrame:
    return pd.read_json(folder / "test.jsonl", lines=True).astype({"label": object})


def text_of_body(html: str) -> str:
    return "\n".join(p.text for p in split_html(html.encode()) if p.tag == "p" and p.text != "Share")


def broken(html: str) -> str:
    logging.getLogger("peer").error("cannot parse")
    if "bridge number 1" in html:
        raise IndexError("pop from empty list")
    return text_of_body(html)


PEERS = (
    Extractor("good", "good(html)", "pandas", "pandas", lambda: text_of_body),
    Extractor("broken", "broken(html)", "pandas", "pandas", lambda: broken),
    Extractor("absent", "absent(html)", "absent", "no_such_module_of_ours", lambda: str),
)


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Predictor:
    """A rule for our model, and extractors that need no other library."""
    monkeypatch.setattr(module, "EXTRACTORS", PEERS)
    monkeypatch.setattr(module, "FASTTEXT", (FastText("no fastText", "train()"),))
    monkeypatch.setattr(FastText, "module", "no_such_module_of_ours")
    return Predictor(LineRule("three-line").fit([], []))


def measured(folder: Path, model: Predictor, **options: Any) -> PeerTest:
    test = measure_pages("test", corpus_of(folder), {"mine": folder / "pages"}, model, n_resamples=50, **options)
    assert test is not None
    return test


def by_system(test: PeerTest) -> dict[str, PeerScore]:
    return {score.system: score for score in test.scores}


def test_pages_join_their_html_by_id(pages: Path) -> None:
    found = load_pages(corpus_of(pages), {"mine": pages / "pages"})
    assert [page.rows["page"].iloc[0] for page in found] == ["mine/0", "mine/1", "mine/2"]
    assert found[1].html == html_of(1)
    assert found[1].body == (f"{NEWS.format(1)}\n{QUOTE.format(1)}",)
    assert load_pages(corpus_of(pages), {"other": pages / "pages"}) == []


def test_every_system_is_measured_on_the_same_paragraphs(pages: Path, rule: Predictor) -> None:
    test = measured(pages, rule)
    assert (test.n_pages, test.n_paragraphs, test.n_bodies, test.n_without_html) == (3, 15, 3, 1)
    assert test.matching_f1.value == 1.0
    scores = by_system(test)
    assert list(scores) == ["newswinnow", "good", "broken", "everything kept"]
    good = scores["good"]
    # It keeps the body and not the headline, one of two paragraphs read as news.
    assert (good.precision.value, good.recall.value) == (1.0, 0.5)
    assert good.f1.value == pytest.approx(2 / 3)
    assert good.f1_without_h1 is not None
    assert good.related_as_news is not None
    assert good.boilerplate_as_news is not None
    assert good.body_f1 is not None
    assert (good.f1_without_h1.value, good.related_as_news.value, good.boilerplate_as_news.value) == (1.0, 0.0, 0.0)
    assert good.body_f1.value == pytest.approx(1.0)
    everything = scores["everything kept"]
    assert everything.precision.value == pytest.approx(0.4)
    assert everything.recall.value == 1.0
    assert scores["newswinnow"].context == "alone"
    assert scores["newswinnow"].precision.value == 1.0


def test_an_error_of_an_extractor_costs_it_the_page_and_is_counted(
    pages: Path, rule: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    scores = by_system(measured(pages, rule))
    assert (scores["good"].n_failed, scores["broken"].n_failed) == (0, 1)
    assert scores["broken"].recall.value == pytest.approx(1 / 3)
    assert scores["broken"].body_f1 is not None
    assert scores["broken"].body_f1.value == pytest.approx(2 / 3)
    assert caplog.records == []
    logging.getLogger("peer").error("heard again")
    assert len(caplog.records) == 1


def test_classifiers_of_text_stand_beside_extractors(pages: Path, rule: Predictor) -> None:
    named: dict[str, Callable[..., list[str]]] = {
        "no fastText": lambda texts: ["news" if "." in text else "boilerplate" for text in texts]
    }
    found = by_system(measured(pages, rule, classifiers=named))["no fastText"]
    assert (found.call, found.reads, found.recall.value, found.precision.value) == ("train()", "paragraphs", 0.5, 1.0)


def test_what_is_absent_is_named_and_the_rest_measured(pages: Path, rule: Predictor) -> None:
    config = PeersConfig(
        sources={"mine": "pages", "far": "far"},
        tests={"test": "test.jsonl", "gone": "gone.jsonl", "strange": "strange.jsonl"},
        train=("test.jsonl",),
    )
    row = {"page": "elsewhere/1", "position": 0, "text": "Share", "label": "boilerplate"}
    (pages / "strange.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    steps: list[str] = []
    peers = run_peers(config, rule, relative_to=pages, n_resamples=50, progress=steps.append)
    assert [test.name for test in peers.tests] == ["test"]
    assert peers.skipped == {
        "absent": "absent is not installed (pip install 'newswinnow[peers]')",
        "no fastText": "fasttext-numpy2-wheel is not installed (pip install 'newswinnow[peers]')",
        "far": f"{pages / 'far'} is not here",
        "gone": f"{pages / 'gone.jsonl'} is not here",
        "strange": "none of its labelled pages stands in the HTML collections",
    }
    assert steps == [f"test: {name}" for name in ("newswinnow", "good", "broken", "everything kept")]
    again = run_peers(config, rule, relative_to=pages, n_resamples=50)
    assert again.as_dict() == peers.as_dict()


def test_fasttext_is_trained_on_what_is_named(pages: Path, rule: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(self: FastText, rows: pd.DataFrame, *, seed: int) -> Callable[..., list[str]]:
        assert (len(rows), seed) == (20, 0)
        return lambda texts: ["news"] * len(texts)

    monkeypatch.setattr(FastText, "module", "pandas")
    monkeypatch.setattr(FastText, "train", train)
    config = PeersConfig(sources={"mine": "pages"}, tests={"test": "test.jsonl"}, train=("test.jsonl",))
    found = run_peers(config, rule, relative_to=pages, n_resamples=50)
    assert by_system(found.tests[0])["no fastText"].recall.value == 1.0
    far = config.model_copy(update={"train": ("far.jsonl",)})
    assert run_peers(far, rule, relative_to=pages, n_resamples=50).skipped["no fastText"] == f"{pages / 'far.jsonl'} is not here"
    none = config.model_copy(update={"train": ()})
    skipped = run_peers(none, rule, relative_to=pages, n_resamples=50).skipped
    assert skipped["no fastText"] == "no labelled paragraphs to train it on were named"


@pytest.mark.parametrize("sources", [{"mine": "far"}, {"other": "pages"}])
def test_nothing_to_measure_is_an_error(pages: Path, rule: Predictor, sources: dict[str, str]) -> None:
    config = PeersConfig(sources=sources, tests={"test": "test.jsonl"})
    with pytest.raises(
        FileNotFoundError, match=r"^peers: needs a labelled table and the HTML of its pages; got none \((mine|test): "
    ):
        run_peers(config, rule, relative_to=pages)


def test_without_tags_or_bodies_those_columns_stay_empty(pages: Path, rule: Predictor) -> None:
    for body in (pages / "pages").glob("*.txt"):
        body.unlink()
    corpus = corpus_of(pages).drop(columns="tag")
    corpus = corpus[corpus["label"] != "related-link"]
    test = measure_pages("test", corpus, {"mine": pages / "pages"}, rule, n_resamples=50)
    assert test is not None
    good = by_system(test)["good"]
    assert (good.f1_without_h1, good.related_as_news, good.body_f1, test.n_bodies) == (None, None, None, 0)
    assert row_of(good)[5:9] == ["–", "–", row_of(good)[7], "–"]


def test_tables_and_files_tell_the_same(pages: Path, rule: Predictor) -> None:
    config = PeersConfig(title="Mine", description="What was tried.", sources={"mine": "pages"}, tests={"test": "test.jsonl"})
    peers = run_peers(config, rule, relative_to=pages, n_resamples=50)
    out = pages / "out"
    assert write_peers(peers, config, rule, out) == out / "report.md"
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == json.loads(json.dumps(peers.as_dict()))
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["test_digests"] == {"test": peers.tests[0].data_digest}
    assert manifest["machine"] == machine_line()
    report = (out / "report.md").read_text(encoding="utf-8")
    assert report.startswith("# Mine\n\nWhat was tried.\n\n")
    assert "15 labelled paragraphs on 3 pages, 3 with a known body; 1 labelled pages without HTML left out." in report
    for score in peers.tests[0].scores:
        assert f"| {' | '.join(row_of(score))} |" in report
    assert "- good: `good(html)`" in report
    assert "- absent: absent is not installed" in report
    assert f"newswinnow {peer_versions()['newswinnow']}" in report
    assert report.endswith(f"Machine: {machine_line()}.\n")
    assert len(row_of(peers.tests[0].scores[0])) == len(COLUMNS)


def test_names_cannot_break_the_report() -> None:
    config = PeersConfig(title="<i>|", sources={}, tests={})
    report = peers_markdown(Peers((), {"a|b": "<script>"}), config, versions={}, machine="m")
    assert report.startswith("# \\<i\\>\\|\n")
    assert "- a\\|b: \\<script\\>\n" in report


def test_a_report_needs_neither_calls_nor_skipped_ones() -> None:
    config = PeersConfig(sources={}, tests={})
    report = peers_markdown(Peers((), {}), config, versions={"a": "1"}, machine="m")
    assert report.endswith("Versions: a 1. Machine: m.\n")
    assert "##" not in report
