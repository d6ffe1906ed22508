"""Every command, configuration and Python block of docs/corpus.md runs as printed, on pages invented here."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "sources"
GUIDE = (ROOT / "docs" / "corpus.md").read_text(encoding="utf-8")
PROGRAM = Path(sys.executable).with_name("newswinnow")

STORIES = {
    "gazette.example/bridge": (
        "Old bridge to close for a year",
        "The old bridge over the Tarn will close on Monday for repairs that are to last a year.",
        "Drivers will be sent around by way of the mill, the council said after its meeting.",
        "Its stone piers had been found to be hollow when divers looked at them in spring.",
    ),
    "coast.example/ferry": (
        "Ferry crew praised after night rescue",
        "The crew of the island ferry put out again at two in the morning to look for a missing boat.",
        "They found three anglers on a sandbank, cold but unhurt, the harbour master told this paper.",
        "It was the fourth such rescue this winter, and the crew asked for a brighter lamp.",
    ),
    "valley.example/mill": (
        "Mill grinds corn after ninety years",
        "The mill below the church has ground its first corn since the flood ninety years ago.",
        "Volunteers had rebuilt the wheel from oak that a farmer had given them for nothing.",
        "Bread from its flour will be sold at the market from the first Saturday in May.",
    ),
    "upland.example/school": (
        "Village school keeps its only teacher",
        "The school with eleven pupils will stay open after its only teacher agreed to stay.",
        "Parents had written to the county in autumn, when the post was to be struck off.",
        "The county said that it would look at the matter again in two years from now.",
    ),
}
OTHERS = (
    "Chess club wins in the last minute of play",
    "Storm leaves forty farms without any power",
    "Library to lend out tools from autumn",
)


def html_of(page: str, title: str, story: tuple[str, ...]) -> str:
    site = page.partition("/")[0]
    menu = "".join(f'<li><a href="/{name.lower()}/">{name}</a></li>' for name in ("Home", "News", "Sport", "Weather"))
    links = "".join(f'<li><a href="/2026/04/{"-".join(other.lower().split())}">{other}</a></li>' for other in OTHERS)
    body = "".join(f"<p>{paragraph}</p>" for paragraph in story)
    return (
        f"<html><head><title>{title}</title><link rel=canonical href=https://www.{site}/2026/04/{page.partition('/')[2]}></head><body>"
        f"<nav><ul>{menu}</ul></nav><article><h1>{title}</h1>{body}<div>Advertisement</div></article>"
        f"<aside><h2>Read next</h2><ul>{links}</ul></aside><footer><p>Imprint</p><p>Privacy policy</p></footer></body></html>"
    )


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.S | re.M)


def commands() -> list[list[str]]:
    return [shlex.split(line, comments=True) for block in blocks("bash") for line in block.splitlines() if line.strip()]


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    assert arguments[0] == "newswinnow"
    return subprocess.run([PROGRAM, *arguments[1:]], cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    for page, (title, *story) in STORIES.items():
        path = folder / "pages" / f"{page}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html_of(page, title, tuple(story)), encoding="utf-8")
        path.with_suffix(".txt").write_text("\n\n".join(story), encoding="utf-8")
    (folder / "pages" / "pages.csv").write_text(blocks("csv")[0], encoding="utf-8")
    return folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "mine.jsonl").read_text(encoding="utf-8").split("\n") if line]


def test_every_command_runs_in_the_order_of_the_page(folder: Path) -> None:
    sources, labels = blocks("toml")
    (folder / "build.toml").write_text(sources, encoding="utf-8")
    own = [command for command in commands() if command[2] != "fetch"]
    assert [command[1:3] for command in own] == [
        ["corpus", "build"],
        ["corpus", "check"],
        ["corpus", "stats"],
        ["corpus", "release-labels"],
        ["corpus", "build"],
        ["train", "--corpus"],
    ]
    for command in own:
        if command[2] == "release-labels":
            [block] = blocks("python")
            subprocess.run([sys.executable, "-c", block], cwd=folder, check=True, timeout=60)
        done = run(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        if command[2] == "build" and len(command) == 4:
            assert {row["origin"] for row in rows_of(folder) if row["label"]} == {"aligned"}
            (folder / "build.toml").write_text(sources + labels, encoding="utf-8")
    assert (folder / "runs" / "mine" / "metrics.json").is_file()


def test_what_the_guide_says_of_the_result_holds(folder: Path) -> None:
    rows = rows_of(folder)
    assert list(rows[0]) == re.findall(
        r"`(\w+)`",
        re.search(r"one row per paragraph, with (.*?) for the label\.", GUIDE, re.S)[1],  # type: ignore[index]
    )
    by_text = {row["text"]: row for row in rows if row["page"] == "mine/gazette.example/bridge"}
    title, *story = STORIES["gazette.example/bridge"]
    assert {by_text[text]["label"] for text in (title, *story)} == {"news"}
    assert {by_text[text]["label"] for text in OTHERS} == {"related-link"}
    assert (by_text["Advertisement"]["label"], by_text["Advertisement"]["origin"]) == ("boilerplate", "read")
    assert {row["site"] for row in rows} == {page.partition("/")[0] for page in STORIES}
    manifest = json.loads((folder / "mine.manifest.json").read_text(encoding="utf-8"))
    entry = manifest["labels"]["read"]
    assert entry["n_found"] == entry["n_labels"] > 5
    for kind in ("copy", "unlabelled", "held out", "unreadable"):
        assert f"`{kind}`" in GUIDE


def test_the_fetch_commands_run_on_local_copies(folder: Path) -> None:
    fetches = [command for command in commands() if command[2] == "fetch"]
    assert [command[3] for command in fetches] == ["fundus", "wcxb"]
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/sources, copies of the public collections")
    done = run([*fetches[0], "--from", str(SHARED / "fundus"), "--cache", str(folder / "cache")], folder)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.strip()) / "na" / "meta.info").is_file()
