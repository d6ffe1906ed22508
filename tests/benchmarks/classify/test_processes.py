"""Processes of their own: where they run, and what is told of one that dies."""

from pathlib import Path

import pytest
from benchmarks.classify.child import IDLE
from benchmarks.classify.processes import Child, SystemFailed, available_cores


def test_a_process_answers_until_it_is_closed(tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text('{"page": "a", "text": "Share"}\n', encoding="utf-8")
    with Child("serve", IDLE, [tmp_path, batch]) as child:
        assert child.answer() == {"n_labels": 1, "size": 0}
        assert child.ask(do="labels", file=str(batch)) == {"labels": ["Share"]}
    with pytest.raises(ValueError, match="closed file"):
        child.answer()


def test_a_process_s_peak_is_its_own_and_not_its_parent_s(tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text("", encoding="utf-8")
    held = bytearray(b"x") * (200 << 20)
    with Child("serve", IDLE, [tmp_path, batch]) as child:
        child.answer()
        assert child.ask(do="peak")["peak"] < 100 << 20
    assert len(held) == 200 << 20


def test_a_process_that_dies_tells_its_last_words(tmp_path: Path) -> None:
    with (
        Child("serve", "shipped", [tmp_path, tmp_path / "absent.jsonl"]) as child,
        pytest.raises(SystemFailed, match=r"^shipped: its process must answer; got exit code 1: FileNotFoundError: .*absent"),
    ):
        child.ask(do="peak")


def test_there_is_at_least_one_core() -> None:
    assert available_cores()
