"""Tiny corpora, a configuration over them, and finished runs made without training."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from newswinnow.evaluation.evaluate import Evaluation, evaluate_predictions
from newswinnow.experiments.answers import answers_json
from newswinnow.reports.render import Report, write_report

LETTERS = {"N": "news", "B": "boilerplate", "R": "related-link"}


def corpus_rows(prefix: str, *, n_sites: int = 3) -> list[dict[str, Any]]:
    """Two pages a site; every text is told apart by words that a text model can learn."""
    rows = []
    for s in range(n_sites):
        for p in range(2):
            texts = [
                (f"Share story {p}", "boilerplate"),
                (f"The council said on Monday that bridge {s} would be closed for repair.", "news"),
                (f"The mayor said on Friday that bridge {s} had opened again.", "news"),
                (f"Read more about storm {p} on the coast", "related-link"),
                ("Sign in to share", "boilerplate"),
                (f"Read more about harbour {s} and coast", "related-link"),
            ]
            site = f"{prefix}{s}.example"
            rows += [
                {"page": f"{site}/{p}", "position": i, "text": text, "label": label, "site": site}
                for i, (text, label) in enumerate(texts)
            ]
    return rows


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def evaluation_of(pages: dict[str, tuple[str, str]], *, name: str = "mine") -> Evaluation:
    """An evaluation from page to true letters and predicted letters, as in `answers.json`."""
    rows = [
        {"page": page, "position": i, "text": f"text {i}", "label": LETTERS[true], "predicted": LETTERS[guess]}
        for page, (truth, guesses) in pages.items()
        for i, (true, guess) in enumerate(zip(truth, guesses, strict=True))
    ]
    table = pd.DataFrame(rows)
    for letter, column in (("N", "p_news"), ("B", "p_boilerplate"), ("R", "p_related_link")):
        table[column] = (table["predicted"] == LETTERS[letter]).astype(float)
    return evaluate_predictions(table, name=name, n_resamples=50)


def write_run(directory: Path, *evaluations: Evaluation, title: str = "A run", validation: dict[str, Any] | None = None) -> Path:
    """A finished run as far as comparing looks at it."""
    report = Report(title, evaluations, model={"family": "c4"}, validation=validation or {})
    write_report(report, directory)
    (directory / "answers.json").write_text(answers_json(evaluations), encoding="utf-8")
    return directory


@pytest.fixture
def evaluated() -> Callable[..., Evaluation]:
    return evaluation_of


@pytest.fixture
def finished() -> Callable[..., Path]:
    return write_run


@pytest.fixture
def rows_of() -> Callable[..., list[dict[str, Any]]]:
    return corpus_rows


@pytest.fixture
def jsonl() -> Callable[[Path, Sequence[dict[str, Any]]], Path]:
    return write_rows


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    write_rows(folder / "train.jsonl", corpus_rows("train"))
    write_rows(folder / "test.jsonl", corpus_rows("test", n_sites=2))
    return folder
