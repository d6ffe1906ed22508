"""`newswinnow experiments peers`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import newswinnow.experiments.peers as module

Cli = Callable[..., Result]
NEWS = "The council voted on Monday to repair the old bridge over the Tarn."


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Options that name two invented pages; only our own model is measured."""
    monkeypatch.setattr(module, "EXTRACTORS", ())
    monkeypatch.setattr(module, "FASTTEXT", ())
    (tmp_path / "html").mkdir()
    rows = []
    for n in range(2):
        (tmp_path / "html" / f"{n}.html").write_text(f"<p>Share</p><p>{NEWS}</p>", encoding="utf-8")
        texts = [("Share", "boilerplate"), (NEWS, "news")]
        rows += [{"page": f"mine/{n}", "position": i, "text": t, "label": label} for i, (t, label) in enumerate(texts)]
    (tmp_path / "labelled.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return ["--html", f"mine={tmp_path / 'html'}", "--corpus", tmp_path / "labelled.jsonl"]


def test_results_are_printed_and_written_once(cli: Cli, pages: list[Any], saved_model: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = cli("experiments", "peers", "-o", out, *pages, *saved_model.options)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].split()[:3] == ["test", "system", "reads"]
    assert "labelled  newswinnow, alone" in done.stdout
    assert done.stderr.splitlines() == ["labelled: newswinnow", "labelled: everything kept", f"written: {out}/report.md"]
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "metrics.json", "report.md"]
    again = cli("experiments", "peers", "-o", out, *pages, *saved_model.options)
    assert again.exit_code == 2
    assert again.stderr == f"{out}: must not hold a finished run; got metrics.json there (--overwrite replaces it)\n"
    replaced = cli("experiments", "peers", "-o", out, "--overwrite", "--json", *pages, *saved_model.options)
    assert replaced.exit_code == 0
    assert json.loads(replaced.stdout) == json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def test_what_is_not_here_is_one_line(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    absent = cli(
        "experiments",
        "peers",
        "-o",
        out,
        "--html",
        f"mine={tmp_path / 'far'}",
        "--corpus",
        tmp_path / "x.jsonl",
        *saved_model.options,
    )
    assert (absent.exit_code, absent.stdout) == (2, "")
    assert absent.stderr == (
        "peers: needs a labelled table and the HTML of its pages; got none "
        f"(mine: {tmp_path}/far is not here; x: {tmp_path}/x.jsonl is not here)\n"
    )
    assert not out.exists()
    odd = cli("experiments", "peers", "-o", out, "--html", "pages", *saved_model.options)
    assert (odd.exit_code, odd.stderr) == (2, "--html: must be NAME=FOLDER; got 'pages'\n")
