"""The script behind the last table of docs/embedding.md: what it compares, leaves out, and writes where."""

import gzip
from pathlib import Path

import numpy as np
import orjson
import pytest
from benchmarks.sections import marks

from benchmarks import after_trafilatura as script
from newswinnow import load_model

NEWS = [
    "The ferry sails again on Monday after a winter in the yard, the harbour master told this paper.",
    "The crew had asked for a brighter lamp after they searched the sandbank for three anglers at night.",
    "Tickets will cost as much as last year, and cars are taken on board from the first of May.",
]


def write_pages(folder: Path, sites: list[str]) -> Path:
    for i, site in enumerate(sites):
        html, truth = folder / "dev" / "html" / f"{i:04}.html.gz", folder / "dev" / "ground-truth" / f"{i:04}.json"
        for path in (html, truth):
            path.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(f"<p>{text}</p>" for text in NEWS)
        page = f"<html><body><nav><a href=/>Home</a></nav><article><h1>Ferry</h1>{body}<p>Share</p></article></body></html>"
        html.write_bytes(gzip.compress(page.encode()))
        kind = {"page_type": {"primary": "article" if i != 3 else "forum"}}
        content = {"main_content": "\n\n".join(NEWS) if i != 4 else " "}
        truth.write_bytes(orjson.dumps({"url": f"https://{site}/a", "_internal": kind, "ground_truth": content}))
    return folder


@pytest.fixture
def train(tmp_path: Path) -> Path:
    rows = [
        {"page": "x", "position": 0, "text": "Share", "site": "www.seen.example"},
        {"page": "wcxb/dev/0002", "position": 0, "text": " "},
    ]
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def test_shares_count_repeated_shingles() -> None:
    assert script.overlap("a b c d e a b c d", "a b c d") == script.Overlap(1 / 6, 1.0)
    assert script.overlap("", "a b c d") == script.Overlap(0.0, 0.0)
    assert script.overlap("Two words", "two, words!").f1 == 1.0
    assert script.Overlap(0.0, 0.0).f1 == 0.0
    assert script.overlap("a b c d e", "b c d e f").f1 == pytest.approx(0.5)


def test_what_the_model_was_trained_on_is_left_out(tmp_path: Path, train: Path) -> None:
    sites = ["news.seen.example", "new.example", "page.example", "forum.example", "nobody.example", "last.example"]
    folder = write_pages(tmp_path / "wcxb", sites)
    seen = script.seen_in(train)
    pages = list(script.known_pages(folder, without=seen))
    assert [(page.page, page.site) for page in pages] == [("wcxb/dev/0001", "new.example"), ("wcxb/dev/0005", "last.example")]
    assert pages[0].body == "\n\n".join(NEWS)
    assert len(list(script.known_pages(folder, without=seen, limit=1))) == 1


def test_lines_are_judged_without_their_dashes_and_kept_with_them() -> None:
    model = load_model()
    text = f"- {NEWS[0]}\n\n- Share\n   - \n{NEWS[1]}"
    kept = script.news_lines(model, text)
    assert kept[script.THEN].split("\n") == [f"- {NEWS[0]}", NEWS[1]]
    p_news = model.predict_proba(["Share"])[0, 0]
    assert ("- Share" in kept[script.CAREFULLY]) == (p_news >= script.SURE)
    assert script.news_lines(model, "") == {script.THEN: "", script.CAREFULLY: ""}
    assert NEWS[2] in script.clean_page(model, f"<p>{NEWS[2]}</p>".encode())


def test_intervals_draw_sites_not_pages() -> None:
    values = np.array([0.0, 0.0, 0.0, 1.0])
    assert script.interval(values, ["a", "a", "a", "b"]) == [0.25, 0.0, 1.0]
    assert script.interval(values, ["a"] * 4) == [0.25, 0.25, 0.25]


def test_the_table_stands_between_its_marks(
    tmp_path: Path, train: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("trafilatura")
    folder = write_pages(tmp_path / "wcxb", ["one.example", "two.example"])
    guide, results = tmp_path / "guide.md", tmp_path / "results.json"
    begin, end = marks(script.PROGRAM)
    guide.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(script, "GUIDE", guide)
    monkeypatch.setattr(script, "RESULTS", results)
    arguments = ["--pages", str(folder), "--train", str(train)]
    script.main(arguments)
    printed = capsys.readouterr().out
    assert "old" in guide.read_text(encoding="utf-8")
    script.main([*arguments, "--write"])
    assert guide.read_text(encoding="utf-8") == f"before\n{begin}\n{printed}{end}\nafter\n"
    figures = orjson.loads(results.read_bytes())
    assert (figures["n_pages"], figures["n_sites"], figures["context"]) == (2, 2, "auto")
    assert figures["systems"][script.EXTRACT]["recall"][0] == 1.0
    assert set(figures["gains"]) == {a + b for a in (script.EXTRACT, script.RECALL) for b in (script.THEN, script.CAREFULLY)}


def test_the_guide_says_what_is_sure() -> None:
    assert f">= {script.SURE}" in script.GUIDE.read_text(encoding="utf-8")
