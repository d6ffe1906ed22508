"""Searches that are interrupted, repeated, mistaken for another, and run elsewhere."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import newswinnow.experiments.search as module
from newswinnow.corpus.locks import BusyError, ResumeError, locked
from newswinnow.experiments.config import read_config
from newswinnow.experiments.run import run_experiment
from newswinnow.experiments.search import run_search

CONFIG = """
title = "Searched"
seed = 3
[data]
train = ["{folder}/train.jsonl"]
test = {{ mine = "{folder}/test.jsonl" }}
[model]
family = "naive-bayes"
analyzer = "word"
min_df = 1
[validation]
folds = 3
[search]
factor = 3
min_pages = 1
[search.model]
min_df = [1, 2, 40]
surface = [true, false]
"""
N_FIRST, N_TRIALS = 6, 9
SLOW = """
import sys, time
import newswinnow.experiments.search as module
original, calls = module._score, []
def score(*arguments):
    calls.append(1)
    if len(calls) > {n}:
        time.sleep(600)
    return original(*arguments)
module._score = score
module.run_search({config!r}, {out!r})
"""


@pytest.fixture
def config(tmp_path: Path, corpora: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(folder=corpora), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> dict[str, bytes]:
    """The files of a search that ran in one go in one process."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "config.toml").write_text(CONFIG.format(folder=corpora), encoding="utf-8")
    run_search(folder, folder / "out")
    return files_of(folder / "out")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Trials that were really run."""
    calls: list[Any] = []
    original = module._score

    def score(*arguments: Any) -> Any:
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(module, "_score", score)
    return calls


def files_of(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_a_search_halves_and_says_what_it_found(config: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    found = run_search(config, tmp_path / "out", progress=lambda *step: steps.append(step))
    lines = [json.loads(line) for line in (tmp_path / "out" / "trials.jsonl").read_text().splitlines()]
    assert lines == [json.loads(json.dumps(trial.as_dict())) for trial in found.trials]
    assert [(line["round"], line["candidate"]) for line in lines[:N_FIRST]] == [(0, i) for i in range(N_FIRST)]
    assert [line["share"] for line in lines] == [1 / 3] * N_FIRST + [1.0] * (len(lines) - N_FIRST)
    assert len(lines) == N_TRIALS
    assert lines[0]["parameters"] == {"model.min_df": 1, "model.surface": True}
    assert all(set(line["f1"]) == {"news", "boilerplate", "related-link"} for line in lines if line["error"] is None)
    # Words that stand in 40 paragraphs are in no half of this corpus.
    without = [line for line in lines if line["error"]]
    assert [line["parameters"]["model.min_df"] for line in without] == [40] * len(without) != []
    assert all(line["macro_f1"] is None for line in without)
    assert found.best.value == max(trial.value for trial in found.last_round if trial.value is not None)
    assert found.last_round[0] == found.best
    assert found.own is not None
    assert found.own.candidate == 0
    assert [done for _, done, _ in steps] == list(range(1, len(lines) + 1))
    assert steps[-1][1:] == (N_TRIALS, N_TRIALS)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["best"]["candidate"] == found.best.candidate
    assert result["trials_by_round"] == [N_FIRST, len(lines) - N_FIRST]


def test_a_ladder_is_searched_for_here_and_on_a_cluster(config: Path, tmp_path: Path, scheduler: str) -> None:
    values = config.read_text(encoding="utf-8")
    family = 'family = "naive-bayes"\nanalyzer = "word"\nmin_df = 1\n'
    assert family in values
    values = values.replace(family, 'family = "ladder"\nbits = 10\nn_epochs = 1\nn_hidden = 4\n').replace(
        "folds = 3", "folds = 2"
    )
    values = values.replace("min_df = [1, 2, 40]\nsurface = [true, false]", "n_hidden = [2, 6]\ndistillation = [0.0]")
    config.write_text(values, encoding="utf-8")
    found = run_search(config, tmp_path / "out")
    run_search(config, tmp_path / "cluster", dask=scheduler)
    assert files_of(tmp_path / "cluster") == files_of(tmp_path / "out")
    assert {trial.parameters["model.n_hidden"] for trial in found.trials} == {2, 4, 6}  # the configuration's own too
    assert all(trial.value is not None and trial.error is None for trial in found.trials)
    assert found.best.value == max(trial.value for trial in found.last_round if trial.value is not None)
    best = tomllib.loads((tmp_path / "out" / "best" / "config.toml").read_text(encoding="utf-8"))
    assert best["model"]["n_hidden"] == found.best.parameters["model.n_hidden"]
    validation = run_experiment(tmp_path / "out" / "best").validation
    assert validation is not None
    assert validation.unseen_sites.value == found.best.value


def test_the_best_is_a_configuration_whose_run_scores_the_same(config: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    out = copied(whole, tmp_path / "out")
    found = run_search(config, out)
    values = tomllib.loads((out / "best" / "config.toml").read_text(encoding="utf-8"))
    for name, value in found.best.parameters.items():
        assert values["model"][name.removeprefix("model.")] == value
    assert read_config(out / "best" / "config.toml").title == "Searched, best of a search"
    run = run_experiment(out / "best")
    assert run.validation is not None
    assert run.validation.unseen_sites.value == found.best.value


def test_paths_of_the_best_lead_to_the_same_files(config: Path, tmp_path: Path, corpora: Path, whole: dict[str, bytes]) -> None:
    relative = os.path.relpath(corpora, tmp_path)
    config.write_text(CONFIG.format(folder=relative), encoding="utf-8")
    run_search(config, copied(whole, tmp_path / "out"))
    best = tmp_path / "out" / "best"
    values = tomllib.loads((best / "config.toml").read_text(encoding="utf-8"))
    assert (best / values["data"]["train"][0]).resolve() == (corpora / "train.jsonl").resolve()
    assert not Path(values["data"]["train"][0]).is_absolute()


@pytest.mark.parametrize("n_finished", [2, 7])
def test_a_killed_search_goes_on_where_it_was(
    n_finished: int, config: Path, tmp_path: Path, counted: list[Any], whole: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(n=n_finished, config=str(config), out=str(out))], stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: (out / "search.json").exists() and n_lines(out) >= n_finished)
        with pytest.raises(BusyError, match="must be free; got another process writing to it"):
            run_search(config, out)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = (out / "trials.jsonl").read_bytes()
    counted.clear()
    resumed = run_search(config, out)
    assert resumed.n_resumed == n_finished
    assert len(counted) == len(resumed.trials) - n_finished
    assert (out / "trials.jsonl").read_bytes().startswith(before)
    assert files_of(out) == whole


def n_lines(out: Path) -> int:
    path = out / "trials.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < until, "the other process never came so far"
        time.sleep(0.05)


def test_a_finished_search_is_only_read(config: Path, tmp_path: Path, counted: list[Any], whole: dict[str, bytes]) -> None:
    counted.clear()
    first = run_search(config, tmp_path / "out")
    assert (len(counted), first.n_resumed) == (N_TRIALS, 0)
    assert files_of(tmp_path / "out") == whole
    again = run_search(config, tmp_path / "out")
    assert (len(counted), again.n_resumed) == (N_TRIALS, N_TRIALS)
    assert again.trials == first.trials
    assert files_of(tmp_path / "out") == whole
    run_search(config, tmp_path / "out", overwrite=True)
    assert len(counted) == 2 * N_TRIALS
    assert files_of(tmp_path / "out") == whole


@pytest.mark.parametrize("damage", ["torn", "garbled", "swapped", "strange"])
def test_damaged_lines_are_run_again(
    damage: str, config: Path, tmp_path: Path, counted: list[Any], whole: dict[str, bytes]
) -> None:
    out = copied(whole, tmp_path / "out")
    lines = whole["trials.jsonl"].splitlines(keepends=True)
    n_good = {"torn": 8, "garbled": 7, "swapped": 7, "strange": 6}[damage]
    if damage == "torn":
        lines[-1] = lines[-1][:-7]
    elif damage == "garbled":
        lines[7] = b"{" + lines[7]
    elif damage == "swapped":
        lines[7], lines[8] = lines[8], lines[7]
    else:
        lines[6] = b'{"round": 0}\n'
    (out / "trials.jsonl").write_bytes(b"".join(lines))
    counted.clear()
    assert run_search(config, out).n_resumed == n_good
    assert len(counted) == N_TRIALS - n_good
    assert files_of(out) == whole


def copied(files: dict[str, bytes], out: Path) -> Path:
    for name, content in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    return out


def changed_label(corpora: Path, tmp_path: Path) -> str:
    text = (corpora / "train.jsonl").read_text(encoding="utf-8").replace("train0.example", "other.example")
    (tmp_path / "changed.jsonl").write_text(text, encoding="utf-8")
    return f"{tmp_path}/changed.jsonl"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("seed = 3", "seed = 4", "seed must be as when this search was begun, 3; got 4"),
        ("folds = 3", "folds = 2", "folds must be as when this search was begun, 3; got 2"),
        ("[1, 2, 40]", "[1, 2]", "search.model.min_df must be as when this search was begun"),
        ('analyzer = "word"', 'analyzer = "both"', "model.analyzer must be as when this search was begun, 'word'; got 'both'"),
        ("factor = 3", "factor = 2", "search.factor must be as when this search was begun, 3; got 2"),
        ("train.jsonl", "CHANGED", "data_digest must be as when this search was begun"),
        ("[model]", "[data.weights]\naligned = 0.5\n[model]", "labels.weights"),
    ],
)
def test_another_search_is_not_continued(
    old: str, new: str, field: str, config: Path, tmp_path: Path, corpora: Path, whole: dict[str, bytes]
) -> None:
    out = copied(whole, tmp_path / "out")
    text = config.read_text(encoding="utf-8")
    if new == "CHANGED":
        old, new = f"{corpora}/train.jsonl", changed_label(corpora, tmp_path)
    config.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ResumeError, match=rf"search.json: {field}"):
        run_search(config, out)
    assert files_of(out) == whole


def test_titles_and_moved_files_do_not_matter(
    config: Path, tmp_path: Path, corpora: Path, counted: list[Any], whole: dict[str, bytes]
) -> None:
    counted.clear()
    (tmp_path / "moved.jsonl").write_bytes((corpora / "train.jsonl").read_bytes())
    text = config.read_text(encoding="utf-8").replace('"Searched"', '"Other"')
    config.write_text(text.replace(f"{corpora}/train.jsonl", "moved.jsonl"), encoding="utf-8")
    assert run_search(config, copied(whole, tmp_path / "out")).n_resumed == N_TRIALS
    assert not counted


def test_a_damaged_identity_is_refused(config: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "search.json").write_text("{", encoding="utf-8")
    with pytest.raises(ResumeError, match=r"search.json: must be valid JSON; got .* \(--overwrite begins anew\)"):
        run_search(config, tmp_path / "out")


def test_what_cannot_be_searched(config: Path, tmp_path: Path) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.split("[search]")[0], encoding="utf-8")
    with pytest.raises(ValueError, match=r"config.toml: must have a table \[search\] that says what to vary; got none"):
        run_search(config, tmp_path / "out")
    config.write_text(text.replace("[1, 2, 40]", "[1, 0]"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"\[search\]: model.min_df = 0, model.surface = True: .*must be >= 1; got 0"):
        run_search(config, tmp_path / "out")
    config.write_text(text.replace("min_df = 1", "min_df = 50").replace("[1, 2, 40]", "[60, 70]"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"search: a candidate of round 0 must be trainable; got "):
        run_search(config, tmp_path / "out")
    assert not (tmp_path / "out" / "result.json").exists()
    with pytest.raises(ValueError, match="--workers: must be >= 1; got 0"):
        run_search(config, tmp_path / "out", n_workers=0)


def test_the_lock_is_held(config: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with locked(tmp_path / "out"), pytest.raises(BusyError, match="must be free"):
        run_search(config, tmp_path / "out")


def test_two_processes_give_the_same_bytes(config: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    run_search(config, tmp_path / "two", n_workers=2)
    assert files_of(tmp_path / "two") == whole


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A Dask cluster of two worker processes on this machine."""
    distributed = pytest.importorskip("distributed", reason="needs the extra 'dask'")
    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        yield cluster.scheduler_address


def test_a_dask_cluster_of_two_processes_gives_the_same_bytes(
    scheduler: str, config: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    run_search(config, tmp_path / "cluster", dask=scheduler)
    assert files_of(tmp_path / "cluster") == whole


def test_a_scheduler_that_is_not_there(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra 'dask'")
    monkeypatch.setattr("newswinnow.experiments.search_pool.CONNECT_SECONDS", 0.2)
    with pytest.raises(ValueError, match=r"--dask: must be the address of a running Dask scheduler.*; got 'tcp://127.0.0.1:9'"):
        run_search(config, tmp_path / "out", dask="tcp://127.0.0.1:9")
