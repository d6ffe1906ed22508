"""`newswinnow evaluate` and the behaviour suite."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

Cli = Callable[..., Result]


def test_evaluate_prints_and_writes_the_pass_rate(cli: Cli, saved_model: Any, rows_of: Any, jsonl: Any, tmp_path: Path) -> None:
    source, out = jsonl(tmp_path / "mine.jsonl", rows_of("test")), tmp_path / "report"
    result = cli("evaluate", saved_model.path, source, "--trust", saved_model.sha256, "-o", out)
    assert result.exit_code == 0
    found = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["behaviour"]
    line = f"behaviour suite: {found['n_passed']} of {found['n_cases']} cases passed ({found['share']:.1%})"
    assert line in result.stdout.splitlines()
