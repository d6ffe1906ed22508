"""Corpora built from invented folders: what stays, what is left out and why, and that nothing else decides the bytes."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.tables import read_corpus, read_tables
from newswinnow.harvest.build import BuildResult, build_corpus
from newswinnow.harvest.build_config import BuildConfig, read_build_config
from newswinnow.harvest.build_page import align_source_page, harvest_pages
from newswinnow.harvest.releases import release_labels, write_release
from newswinnow.harvest.sources.page import PageFiles, SourcePage

MENU = ["Home", "News", "Sport"]
STORY = {
    "bridge": ["The old bridge over the Tarn closed on Monday for repairs.", "Drivers were sent around by way of the mill."],
    "ferry": ["The crew of the ferry put out again at two in the morning.", "Nobody was hurt, the harbour master said."],
    "mill": ["The mill will grind corn again from the first of May.", "Its wheel had stood still for ninety years."],
}


def html_of(texts: list[str]) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def by_lines(page: SourcePage) -> pd.DataFrame:
    """A stand-in for alignment: lines of the body are news, short lines boilerplate, all else is doubtful."""
    from newswinnow.harvest.html import split_html

    lines = set(str(page.articles[0].body).split("\n\n"))
    rows = [
        (p.text, p.tag, p.link_density, "news" if p.text in lines else "boilerplate" if len(p.text) < 10 else None)
        for p in split_html(page.html)
    ]
    table = pd.DataFrame(rows, columns=["text", "tag", "link_density", "label"])
    return table.assign(reason=table["label"].map(lambda label: f"by lines: {label}", na_action="ignore"))


def write_page(folder: Path, name: str, story: list[str], *, body: bool = True, extra: str = "Harbour wall to be raised") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".html").write_text(html_of([*MENU, *story, extra]), encoding="utf-8")
    if body:
        path.with_suffix(".txt").write_text("\n\n".join(story), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pages of two sites, their configuration and a release that labels two of them."""
    write_page(tmp_path / "pages", "gazette.example/bridge", STORY["bridge"])
    write_page(tmp_path / "pages", "gazette.example/ferry", STORY["ferry"])
    write_page(tmp_path / "pages", "coast.example/mill", STORY["mill"])
    release(
        tmp_path,
        "read",
        ("mine/gazette.example/bridge", 0, "Home", "boilerplate"),
        ("mine/gazette.example/bridge", 5, "Harbour wall to be raised", "related-link"),
        ("mine/gazette.example/bridge", 9, "Gone since", "news"),
        ("mine/gazette.example/ferry", 1, "News", "related-link"),
        ("mine/absent", 0, "Home", "news"),
    )
    return tmp_path


def release(folder: Path, name: str, *rows: tuple[str, int, str, str]) -> None:
    table = pd.DataFrame(rows, columns=["page", "position", "text", "label"])
    write_release(release_labels(table), folder / f"{name}.csv.gz")


def config(*, labels: list[dict[str, Any]] | None = None, output: str = "out/corpus.jsonl", **source: Any) -> BuildConfig:
    sources = [{"reader": "folder", "name": "mine", "path": "pages", **source}]
    return BuildConfig.model_validate({"output": output, "source": sources, "labels": labels or []})


def build(folder: Path, recipe: BuildConfig | None = None, **options: Any) -> tuple[BuildResult, pd.DataFrame]:
    result = build_corpus(recipe or config(), folder, align=by_lines, **options)
    return result, read_tables([result.output]).table


def label_of(table: pd.DataFrame, page: str, text: str) -> tuple[Any, Any, Any]:
    row = table[(table["page"] == page) & (table["text"] == text)].iloc[0]
    label, origin, reason = (None if value != value else value for value in (row["label"], row["origin"], row["reason"]))
    return label, origin, reason


def test_pages_become_rows_with_label_site_source_origin_and_reason(folder: Path) -> None:
    result, table = build(folder)
    assert result.output == folder / "out" / "corpus.jsonl"
    assert list(table["page"].drop_duplicates()) == [
        "mine/coast.example/mill",
        "mine/gazette.example/bridge",
        "mine/gazette.example/ferry",
    ]
    assert table.groupby("page")["position"].apply(list).tolist() == [list(range(6))] * 3
    page = "mine/gazette.example/bridge"
    assert label_of(table, page, "Home") == ("boilerplate", "aligned", "by lines: boilerplate")
    assert label_of(table, page, STORY["bridge"][0]) == ("news", "aligned", "by lines: news")
    assert label_of(table, page, "Harbour wall to be raised") == (None, None, None)
    first = table[table["page"] == page].iloc[0]
    assert (first["site"], first["source"], first["tag"], first["link_density"]) == ("gazette.example", "mine", "p", 0.0)


def test_released_labels_go_before_aligned_ones_and_are_counted(folder: Path) -> None:
    result, table = build(folder, config(labels=[{"file": "read.csv.gz"}]))
    page = "mine/gazette.example/bridge"
    assert label_of(table, page, "Harbour wall to be raised") == ("related-link", "read", "read: read")
    assert label_of(table, page, "Home") == ("boilerplate", "read", "read: read")
    assert label_of(table, "mine/gazette.example/ferry", "News") == ("related-link", "read", "read: read")
    entry = result.manifest["labels"]["read"]
    assert {name: entry[name] for name in entry if name.startswith("n_")} == {
        "n_labels": 5,
        "n_pages": 3,
        "n_pages_absent": 1,
        "n_pages_left_out": 0,
        "n_labels_on_pages": 4,
        "n_found": 3,
        "n_aligned_same": 1,
        "n_aligned_other": 1,
        "n_aligned_none": 1,
    }


def test_later_releases_go_before_earlier_ones(folder: Path) -> None:
    release(folder, "again", ("mine/gazette.example/ferry", 1, "News", "boilerplate"))
    labels = [{"file": "read.csv.gz"}, {"file": "again.csv.gz"}]
    _, table = build(folder, config(labels=labels))
    assert label_of(table, "mine/gazette.example/ferry", "News") == ("boilerplate", "read", "read: again")
    _, table = build(folder, config(labels=labels[::-1]), overwrite=True)
    assert label_of(table, "mine/gazette.example/ferry", "News") == ("related-link", "read", "read: read")


def dropped(result: BuildResult) -> dict[str, tuple[str, str]]:
    return {page["page"]: (page["kind"], page["reason"]) for page in result.manifest["dropped"]["pages"]}


def test_held_out_releases_take_all_pages_of_their_sites_along(folder: Path) -> None:
    write_page(folder / "pages", "gazette.example/other", ["A third story of the same paper, which nobody has read."])
    result, table = build(folder, config(labels=[{"file": "read.csv.gz", "hold_out": True}]))
    assert set(table["site"]) == {"coast.example"}
    assert dropped(result) == {
        "mine/gazette.example/bridge": ("held out", "labelled in read"),
        "mine/gazette.example/ferry": ("held out", "labelled in read"),
        "mine/gazette.example/other": ("held out", "site gazette.example labelled in read"),
    }
    assert result.manifest["labels"]["read"]["n_pages_left_out"] == 2
    assert result.manifest["dropped"]["counts"] == {"held out": 3}


def test_a_page_without_a_site_is_held_out_alone(folder: Path) -> None:
    write_page(folder / "pages", "loose", ["A story without a home, told here at some length."])
    write_page(folder / "pages", "stray", ["Another story without a home, told at some length."])
    release(folder, "dev", ("mine/loose", 0, "Home", "boilerplate"))
    result, _ = build(folder, config(labels=[{"file": "dev.csv.gz", "hold_out": True}]))
    assert list(dropped(result)) == ["mine/loose"]


def test_of_copies_the_one_that_was_read_stays_and_keeps_the_labels_of_both(folder: Path) -> None:
    for name in ("a.example/copy", "z.example/copy"):
        write_page(folder / "pages", name, STORY["ferry"])
    release(folder, "dev", ("mine/a.example/copy", 0, "Home", "news"), ("mine/gazette.example/ferry", 0, "Home", "boilerplate"))
    release(folder, "more", ("mine/z.example/copy", 2, "Sport", "related-link"))
    result, table = build(folder, config(labels=[{"file": "read.csv.gz"}, {"file": "dev.csv.gz"}, {"file": "more.csv.gz"}]))
    page = "mine/gazette.example/ferry"
    reason = ("copy", f"same paragraphs as {page}")
    assert dropped(result) == dict.fromkeys(("mine/a.example/copy", "mine/z.example/copy"), reason)
    assert label_of(table, page, "Home")[0] == "boilerplate"  # its own label, not the copy's
    assert label_of(table, page, "Sport")[:2] == ("related-link", "read")
    assert result.manifest["labels"]["dev"]["n_labels_on_pages"] == 2


def test_of_unread_copies_the_first_stays(folder: Path) -> None:
    write_page(folder / "pages", "a.example/copy", STORY["mill"])
    result, _ = build(folder)
    assert list(dropped(result)) == ["mine/coast.example/mill"]


def test_a_copy_without_a_body_gives_way(folder: Path) -> None:
    write_page(folder / "pages", "a.example/copy", STORY["mill"], body=False)
    result, _ = build(folder)
    assert list(dropped(result)) == ["mine/a.example/copy"]


def test_pages_without_any_label_are_left_out_unless_asked_for(folder: Path) -> None:
    write_page(folder / "pages", "coast.example/unknown", ["Nobody has said what of this is the article."], body=False)
    result, _ = build(folder)
    assert dropped(result)["mine/coast.example/unknown"] == ("unlabelled", "no article found on it and no released labels")
    result, table = build(folder, config(keep_unlabelled=True), overwrite=True)
    assert dropped(result) == {}
    assert table[table["page"] == "mine/coast.example/unknown"]["label"].isna().all()
    release(folder, "some", ("mine/coast.example/unknown", 0, "Home", "boilerplate"))
    _, table = build(folder, config(labels=[{"file": "some.csv.gz"}]), overwrite=True)
    assert label_of(table, "mine/coast.example/unknown", "Home")[:2] == ("boilerplate", "read")


def test_pages_that_cannot_be_read_are_named_and_the_rest_is_built(folder: Path) -> None:
    pages = folder / "pages"
    (pages / "cut.html.gz").write_bytes(gzip.compress(b"<p>" * 500)[:-9])
    (pages / "body.html").write_text("<p>A page.</p>")
    (pages / "body.txt").write_bytes(b"\xff")
    (pages / "empty.html").write_text("<script>x</script>")
    with (pages / "large.html").open("wb") as file:
        file.truncate(21 << 20)
    (pages / "large.txt").write_text("A body.")
    result, table = build(folder)
    assert table["page"].nunique() == 3
    assert result.n_unreadable == 3
    reasons = dropped(result)
    assert reasons["mine/empty"] == ("empty", "no visible text")
    assert reasons["mine/cut"][1].startswith("cut.html.gz: must be a whole gzip file")
    assert reasons["mine/body"][1] == "body.txt: must be valid UTF-8; got byte 0xff at byte 0"
    assert reasons["mine/large"][1].startswith("large.html: an HTML page must have at most")
    assert str(folder) not in json.dumps(result.manifest)


def test_unfit_pages_are_left_out(tmp_path: Path) -> None:
    for number, kind in (("0001", "article"), ("0002", "forum")):
        for part, suffix, data in (
            ("html", "html.gz", gzip.compress(html_of([*MENU, f"Story number {number}."]).encode())),
            ("ground-truth", "json", None),
        ):
            path = tmp_path / "w" / "dev" / part / f"{number}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            truth = {"ground_truth": {"main_content": f"Story number {number}."}, "_internal": {"page_type": {"primary": kind}}}
            path.write_bytes(data or json.dumps(truth).encode())
    recipe = BuildConfig.model_validate({"output": "c.jsonl", "source": [{"reader": "wcxb", "path": "w"}]})
    result, table = build(tmp_path, recipe)
    assert set(table["page"]) == {"wcxb/dev/0001"}
    assert dropped(result) == {"wcxb/dev/0002": ("unfit", "page type forum, not article")}


def test_include_and_exclude_choose_pages(folder: Path) -> None:
    result, table = build(folder, config(include=["mine/gazette*"], exclude=["*/ferry"]))
    assert set(table["page"]) == {"mine/gazette.example/bridge"}
    assert result.manifest["sources"]["mine"]["pages_not_selected"] == 2
    with pytest.raises(ValueError, match="include and exclude of source mine must leave a page; got none of 3"):
        build(folder, config(include=["other/*"]), overwrite=True)


def test_no_page_left(folder: Path) -> None:
    for path in (folder / "pages").rglob("*.txt"):
        path.unlink()
    with pytest.raises(ValueError, match=r"corpus\.jsonl: must get at least one page; got 3 unlabelled"):
        build(folder)
    assert not (folder / "out" / "corpus.jsonl").exists()


def test_the_same_inputs_give_the_same_bytes_wherever_they_lie(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    recipe = config(labels=[{"file": "read.csv.gz"}], output="corpus.jsonl.gz")
    first, _ = build(folder, recipe)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "deeper"
    folder.rename(elsewhere)
    first_bytes = (elsewhere / "corpus.jsonl.gz").read_bytes(), (elsewhere / "corpus.manifest.json").read_bytes()
    second, _ = build(elsewhere, recipe, overwrite=True)
    assert (second.output.read_bytes(), (elsewhere / "corpus.manifest.json").read_bytes()) == first_bytes
    assert first.manifest == second.manifest
    elsewhere.rename(folder)


def test_the_manifest_changes_with_every_input(folder: Path) -> None:
    recipe = config(labels=[{"file": "read.csv.gz"}])
    before = build(folder, recipe)[0].manifest
    assert before["sources"]["mine"]["files"] == 6
    assert before["corpus"]["labels"] == {"news": 6, "boilerplate": 8, "related-link": 2, "unlabelled": 2}
    assert before["corpus"]["origins"] == {"read": 3, "aligned": 13}
    assert {"newswinnow", "selectolax", "python", "zlib"} <= set(before["versions"])
    (folder / "pages" / "pages.csv").write_text("page,title\ncoast.example/mill,Mill\n")
    after = build(folder, recipe, overwrite=True)[0].manifest
    assert after["corpus"]["sha256"] == before["corpus"]["sha256"]
    assert after["sources"]["mine"]["sha256"] != before["sources"]["mine"]["sha256"]


@pytest.mark.parametrize("name", ["c.jsonl", "c.csv", "c.tsv.gz", "c.parquet"])
def test_every_table_format(name: str, folder: Path) -> None:
    result, table = build(folder, output=folder / "new" / name)
    assert result.output == folder / "new" / name
    assert len(table) == 18
    assert ("pyarrow" in result.manifest["versions"]) == name.endswith("parquet")
    again, _ = build(folder, output=folder / "other" / name)
    assert again.output.read_bytes() == result.output.read_bytes()


def test_nothing_is_replaced_unless_asked_for(folder: Path) -> None:
    build(folder)
    with pytest.raises(FileExistsError, match=r"corpus\.jsonl: must not exist; got a file there \(--overwrite replaces it\)"):
        build(folder)
    (folder / "out" / "corpus.jsonl").unlink()
    with pytest.raises(FileExistsError, match=r"corpus\.manifest\.json: must not exist"):
        build(folder)
    with pytest.raises(ValueError, match=r"read\.csv\.gz: must not be one of the inputs"):
        build(folder, config(labels=[{"file": "read.csv.gz"}]), output=folder / "read.csv.gz", overwrite=True)


def test_releases_must_be_there_sound_and_of_different_names(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.csv\.gz: must be an existing file"):
        build(folder, config(labels=[{"file": "absent.csv.gz"}]))
    with pytest.raises(ValueError, match="labels: files must have different names; got read, read"):
        build(folder, config(labels=[{"file": "read.csv.gz"}] * 2))
    (folder / "bad.csv").write_text("page\n")
    with pytest.raises(CorpusError, match=r"bad\.csv: must have the columns"):
        build(folder, config(labels=[{"file": "bad.csv"}]))


def test_a_source_without_a_path_is_the_fetched_one(folder: Path, tmp_path: Path) -> None:
    recipe = BuildConfig.model_validate({"output": "c.jsonl", "source": [{"reader": "wcxb"}]})
    with pytest.raises(FileNotFoundError, match=r"must be a fetched collection; got none \(newswinnow corpus fetch wcxb\)"):
        build(folder, recipe, cache=tmp_path / "cache")


def test_progress_is_told(folder: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    build(folder, progress=lambda *step: steps.append(step))
    assert steps == [*(("reading and aligning pages", n, 3) for n in (1, 2, 3)), ("writing", 3, 3)]


def files_of(folder: Path) -> list[PageFiles]:
    from newswinnow.harvest.sources import find_pages

    return find_pages("folder", folder / "pages", source="mine")


def test_pages_come_in_order_from_several_workers(folder: Path) -> None:
    for path in (folder / "pages").rglob("*.txt"):
        path.unlink()  # so that nothing needs aligning
    pages = list(harvest_pages(files_of(folder), align_source_page, workers=2))
    assert pages == list(harvest_pages(files_of(folder), align_source_page, workers=1))
    assert [page.files for page in pages] == files_of(folder)
    assert all(page.texts for page in pages)


def test_a_dead_worker_is_an_error_that_names_the_pages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pool:
        def __init__(self, *_: object, **__: object) -> None:
            """Start nothing."""

        def map(self, work: Any, files: list[PageFiles], **_: object) -> Iterator[Any]:
            yield work(files[0])
            raise BrokenProcessPool("a worker died")

        def shutdown(self, **_: object) -> None:
            """Stop nothing."""

    monkeypatch.setattr("newswinnow.harvest.build_page.ProcessPoolExecutor", Pool)
    rule = "mine/gazette.example/bridge to mine/gazette.example/ferry: every page must leave its worker alive"
    with pytest.raises(RuntimeError, match=rule):
        build(folder, workers=2)
    with pytest.raises(ValueError, match="workers: must be at least 1; got 0"):
        build(folder, workers=0)


def test_the_public_configuration_is_valid_and_its_releases_are_there() -> None:
    root = Path(__file__).resolve().parents[2]
    recipe = read_build_config(root / "data" / "build-public.toml")
    assert [source.name for source in recipe.source] == ["wcxb", "fundus"]
    assert all((root / "data" / labels.file).is_file() for labels in recipe.labels)


def test_some_public_pages_with_the_projects_own_alignment(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    if not (root.parent / "shared" / "sources").is_dir():
        pytest.skip("needs ../shared/sources, copies of the public collections")
    recipe = read_build_config(root / "data" / "build-public.toml")
    some = ("fundus/na/*", "wcxb/dev/000[1-4]")
    recipe = recipe.model_copy(
        update={
            "source": tuple(
                source.model_copy(update={"include": some[-1:] if source.name == "wcxb" else some[:1]})
                for source in recipe.source
            )
        }
    )
    results = [build_corpus(recipe, root / "data", output=tmp_path / f"{n}.jsonl.gz", workers=n) for n in (1, 2)]
    assert results[0].output.read_bytes() == results[1].output.read_bytes()
    table = read_corpus([results[0].output])
    assert table["page"].nunique() == 6
    assert set(table["label"].dropna()) == {"news", "boilerplate", "related-link"}
    entry = results[0].manifest["labels"]["train"]
    assert entry["n_found"] == entry["n_labels_on_pages"] > 100
