"""`newswinnow explain`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

import newswinnow.cli.explain as module
from newswinnow.cli.options import open_model
from newswinnow.models.predictor import CONTEXTS, Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.saved import save_model
from newswinnow.models.training import train

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the linear family."""
    rows = []
    for s in range(4):
        for i, (text, label) in enumerate(
            [
                ("Share", "boilerplate"),
                ("Sign in", "boilerplate"),
                (f"The council voted on Monday to repair the old bridge {s}.", "news"),
                (f"It rained on the coast for most of day {s}, officials said.", "news"),
                (f"Harbour wall to be raised after storm {s}", "related-link"),
                (f"Read more: Ferry {s} runs again", "related-link"),
            ]
        ):
            rows.append({"page": f"p{s}", "position": i, "text": text, "label": label, "site": f"s{s}.example"})
    path = tmp_path_factory.mktemp("linear") / "model"
    save_model(train(pd.DataFrame(rows), ModelSpec("winnow", bits=10, C=1.0, min_df=1)), path)
    return path


def test_a_paragraph_is_explained(cli: Cli, linear: Path, page: Path) -> None:
    result = cli("explain", linear, page, "--position", 1, "--top", 3)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("== page 1: The council voted")
    assert lines[1].startswith("news ")
    assert "news against " in lines[3]
    table = lines[4:11]
    assert table[0].split() == ["adds", "kind", "feature"]
    assert table[5].endswith("others together")
    assert table[6].endswith("in all")
    shown = [float(line.split()[0]) for line in table[2:]]
    assert sum(shown[:4]) == pytest.approx(shown[4], abs=0.003)
    assert "edit" in result.stdout
    assert cli("explain", linear, page, "--position", 1, "--no-why-not").stdout.count("edit") == 0


def test_json_holds_everything_and_sums_to_the_logits(cli: Cli, linear: Path, page: Path) -> None:
    result = cli("explain", page, "--model", linear, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [entry["position"] for entry in found] == [0, 1, 2]
    for entry in found:
        for label in ("news", "boilerplate", "related-link"):
            summed = sum(part["logits"][label] for part in entry["contributions"])
            assert summed == pytest.approx(entry["logits"][label], abs=1e-9)
        powers = np.exp(list(entry["logits"].values()))
        np.testing.assert_allclose(powers / powers.sum(), list(entry["probabilities"].values()), atol=1e-9)
        assert max(entry["probabilities"], key=entry["probabilities"].__getitem__) == entry["label"] != entry["against"]
        if entry["flip"]:
            again = cli("explain", linear, "-", "--input-format", "txt", "--json", stdin=entry["flip"]["text"])
            assert json.loads(again.stdout)[0]["label"] == entry["flip"]["label"] != entry["label"]


def test_paragraphs_are_chosen(cli: Cli, linear: Path, tmp_path: Path) -> None:
    (tmp_path / "two.jsonl").write_text(
        "".join(
            json.dumps({"page": page, "position": i, "text": text}) + "\n"
            for page in ("a", "b")
            for i, text in enumerate(("Share", "It rained on Osk."))
        ),
        encoding="utf-8",
    )

    def chosen(*options: object) -> list[tuple[str, int]]:
        found = json.loads(cli("explain", linear, tmp_path / "two.jsonl", "--json", "--no-why-not", *options).stdout)
        return [(entry["page"], entry["position"]) for entry in found]

    assert chosen() == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert chosen("--page", "b") == [("b", 0), ("b", 1)]
    assert chosen("--position", 1) == [("a", 1), ("b", 1)]
    assert chosen("--text", "osk", "--page", "a") == [("a", 1)]
    assert all(entry == ("a", 0) for entry in chosen("--page", "a", "--position", 0, "--against", "news"))


def test_the_word_shipped_names_the_model_of_the_package(
    cli: Cli, linear: Path, page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[Any] = []
    original = open_model

    def spy(directory: Path | None, trust: str | None) -> Any:
        opened.append(directory)
        return original(linear, trust)

    monkeypatch.setattr(module, "open_model", spy)
    monkeypatch.chdir(tmp_path)
    for arguments in (["shipped", page], [page], ["./shipped", page]):
        assert cli("explain", *arguments, "--position", 0, "--no-why-not").exit_code == 0
    (tmp_path / "shipped").mkdir()
    assert cli("explain", "shipped", page, "--position", 0, "--no-why-not").exit_code == 0
    assert opened == [None, None, Path("shipped"), Path("shipped")]


def test_a_model_with_contexts_shows_what_the_page_adds(cli: Cli, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Contexts:
        classes_ = np.array(["news", "boilerplate", "related-link"])

        def predict_proba(self, table: Any, *, context: str) -> Any:
            first = {"alone": 0.4, "bag": 0.6}.get(context, 0.8)
            return np.tile([first, 0.95 - first, 0.05], (len(table["text"]), 1))

    monkeypatch.setattr(module, "open_model", lambda directory, trust: Predictor(Contexts(), {}, CONTEXTS[:3]))
    result = cli("explain", page, "--position", 1)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "+1.674 in all (this model has no parts that sum up)" in lines
    # log(0.4 / 0.55), then log(0.6 / 0.35) less that, then log(0.8 / 0.15) less both.
    assert lines[lines.index("context adds probability then") + 2 :][:3] == [
        "alone -0.318 40.0%",
        "bag +0.857 60.0%",
        "order +1.135 80.0%",
    ]
    assert "what each neighbour adds, found by leaving it out:" in lines
    assert "no small edit was found that makes it anything but news" in lines


def test_the_shipped_model_shows_the_features_of_its_lowest_level(cli: Cli, page: Path) -> None:
    result = cli("explain", page, "--position", 1, "--no-why-not", "--top", 5)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "looked at alone, in logits:" in result.stdout
    (in_all,) = [line.split()[0] for line in lines if line.endswith("in all")]
    (alone,) = [line.split()[1] for line in lines if line.startswith("alone ")]
    assert float(in_all) == pytest.approx(float(alone), abs=0.002)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--position", "9"], "page.txt: must have 1 to 30 paragraphs to explain; got 0 (--position, --page and --text choose)"),
        (["--against", "sport"], "--against: must be one of news, boilerplate, related-link; got 'sport'"),
        (["--context", "bag"], "context: must be auto or one of alone for this model; got 'bag'"),
        (["more", "arguments"], "arguments: must be [MODEL] INPUT; got 4 of them"),
        (["--model", "other"], "--model: must not be given beside MODEL; got other and "),
    ],
)
def test_what_makes_no_sense_is_one_line(options: list[str], message: str, cli: Cli, linear: Path, page: Path) -> None:
    result = cli("explain", linear, page, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_large_pages_and_bad_models_are_refused(cli: Cli, linear: Path, tmp_path: Path, page: Path) -> None:
    large = tmp_path / "large.txt"
    large.write_text("\n\n".join(f"Line {i}" for i in range(31)), encoding="utf-8")
    assert "must have 1 to 30 paragraphs to explain; got 31" in cli("explain", linear, large).stderr
    empty = tmp_path / "empty.txt"
    empty.write_text("", encoding="utf-8")
    assert "empty.txt: must hold at least one paragraph; got none" in cli("explain", linear, empty).stderr
    refused = cli("explain", tmp_path / "absent", page)
    assert (refused.exit_code, refused.stdout) == (5, "")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"page": "p", "position": 0, "text": "Share"}\n{"page": "p"}\n', encoding="utf-8")
    said = cli("explain", linear, bad, "--no-why-not")
    assert said.exit_code == 0
    assert "bad.jsonl:2: " in said.stderr


def test_nothing_steers_the_terminal(cli: Cli, linear: Path, tmp_path: Path) -> None:
    path = tmp_path / "evil.jsonl"
    path.write_text(json.dumps({"page": "p", "position": 0, "text": "It \x1b[31m rained on Osk"}) + "\n", encoding="utf-8")
    assert "\x1b" not in cli("explain", linear, path).stdout
