"""Every block of docs/embedding.md and docs/distributed.md runs as printed, on paragraphs and pages invented here."""

import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.cluster import Cluster, cluster

from newswinnow import load_model

ROOT = Path(__file__).resolve().parents[2]
SCHEDULER = "tcp://scheduler:8786"
NEWS = "The ferry sails again on Monday after a winter in the yard, the harbour master told this paper."
TEXTS = ["Share", NEWS, "Most read", "Harbour Wall to Be Raised After Storm", "The crew had asked for a brighter lamp, he said."]


def blocks(guide: str, language: str) -> list[str]:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def python_with(word: str, guide: str = "embedding.md") -> str:
    [block] = [block for block in blocks(guide, "python") if word in block]
    return block


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    rows = [{"page": f"p{i}", "position": j, "text": text} for i in range(20) for j, text in enumerate(TEXTS)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "paragraphs.jsonl").write_text(lines, encoding="utf-8")
    (folder / "paragraphs.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "page.html").write_text(
        "<html><body><nav><a href=/>Home</a></nav><article><h1>Ferry sails again</h1>"
        f"<p>{NEWS}</p><p>{TEXTS[4]}</p></article></body></html>",
        encoding="utf-8",
    )
    (folder / "paragraphs").mkdir()
    for i in range(3):
        pd.DataFrame(rows[i * 34 : i * 34 + 34]).to_parquet(folder / "paragraphs" / f"{i}.parquet", index=False)
    (folder / "crawl").mkdir()
    for name, texts in (("a", TEXTS), ("b", ["Share", "Sign in"])):
        row = {"id": name, "text": "\n".join(texts), "metadata": {}}
        (folder / "crawl" / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (folder / "runs").mkdir()
    return folder


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), workers=1) as started:
        yield started


def run_python(code: str, folder: Path) -> str:
    script = folder / "recipe.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script], cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_shell(line: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-o", "pipefail", "-c", line]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=240, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def labels() -> dict[str, str]:
    return dict(zip(TEXTS, load_model().predict(TEXTS).tolist(), strict=True))


def test_a_pandas_column(folder: Path) -> None:
    by_row, by_page = (
        block
        for block in blocks("embedding.md", "python")
        if "import pandas as pd" in block and "trafilatura" not in block and "table_from_html" not in block
    )
    counts = dict(line.split() for line in run_python(by_row, folder).splitlines()[1:-1])
    expected = pd.Series(list(labels().values())).value_counts() * 20
    assert {label: int(n) for label, n in counts.items()} == expected.to_dict()
    scope: dict[str, pd.DataFrame] = {}
    exec(by_page, scope)
    assert scope["pages"]["article"].tolist() == ["The ferry sails again on Monday, the harbour master said.", ""]


def test_html_in_memory(folder: Path) -> None:
    texts = [
        "Ferry to Talmer sails again on Monday",
        "The ferry to Talmer will sail again on Monday, the harbour master said.",
        "It had lain in dock since March, when its engine failed.",
    ]
    text = "\n\n".join(texts)
    assert run_python(python_with("table_from_html"), folder) == f"{ {'https://a.example/1': text} }\n"


def test_a_scikit_learn_pipeline(folder: Path) -> None:
    assert run_python(python_with("FunctionTransformer"), folder) == "['sport']\n"


@pytest.mark.parametrize("guide", ["embedding.md", "distributed.md"])
def test_a_dask_job(guide: str, folder: Path, dask_cluster: Cluster) -> None:
    code = python_with("newswinnow.distributed import score", guide).replace(SCHEDULER, dask_cluster.address)
    run_python(code.replace('"labelled"', f'"labelled-{guide}"'), folder)
    found = pd.read_parquet(folder / f"labelled-{guide}")
    assert len(found) == 100
    assert {text: set(part["predicted"]) for text, part in found.groupby("text")} == {t: {n} for t, n in labels().items()}


def test_files_over_a_cluster(folder: Path, dask_cluster: Cluster) -> None:
    [line] = [block.strip() for block in blocks("embedding.md", "bash") if "--dask" in block]
    run_shell(line.replace(SCHEDULER, dask_cluster.address), folder)
    rows = [
        json.loads(row) for row in (folder / "runs" / "cluster" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [row["predicted"] for row in rows] == list(labels().values()) * 20
    assert SCHEDULER in "".join(blocks("distributed.md", "bash"))


def test_a_datatrove_pipeline(folder: Path) -> None:
    run_python(python_with("ParagraphFilter"), folder)
    cleaned, dropped = (
        [
            json.loads(row)
            for path in sorted((folder / name).glob("*.gz"))
            for row in gzip.decompress(path.read_bytes()).splitlines()
        ]
        for name in ("cleaned", "dropped")
    )
    assert [row["text"] for row in cleaned] == ["\n".join(text for text, label in labels().items() if label == "news")]
    assert [row["id"] for row in dropped] == ["b"]


def test_a_shell_pipe(folder: Path) -> None:
    [block] = [block for block in blocks("embedding.md", "bash") if "zcat" in block]
    first, second, third = block.strip().splitlines()
    run_shell(first, folder)
    news = [json.loads(row) for row in (folder / "news.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in news] == [text for text, label in labels().items() if label == "news"] * 20
    run_shell(second, folder)
    assert NEWS in (folder / "article.txt").read_text(encoding="utf-8")
    assert len(run_shell(third, folder).splitlines()) == 2


def test_after_trafilatura(folder: Path) -> None:
    if importlib.util.find_spec("trafilatura") is None:
        pytest.skip("needs trafilatura (pip install 'newswinnow[bench]')")
    assert NEWS in run_python(python_with("trafilatura"), folder)


def test_no_block_is_left_out() -> None:
    assert (len(blocks("embedding.md", "python")), len(blocks("embedding.md", "bash"))) == (7, 2)
    assert (len(blocks("distributed.md", "python")), len(blocks("distributed.md", "bash"))) == (1, 2)
