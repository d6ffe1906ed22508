import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from newswinnow.corpus.rejects import CorpusError
from newswinnow.harvest.align import Article
from newswinnow.harvest.sources import find_pages, load_page
from newswinnow.harvest.sources.page import SourcePage

TRUTH = {"title": " Ferry crew praised ", "main_content": "The crew put out at two.\n\nNobody was hurt.\n"}


def write_page(
    folder: Path, name: str, truth: Any, *, url: str = "https://www.gazette.example/a", kind: str | None = None
) -> Path:
    part, number = folder / name.split("/")[0], name.split("/")[1]
    (part / "html").mkdir(parents=True, exist_ok=True)
    (part / "ground-truth").mkdir(exist_ok=True)
    (part / "html" / f"{number}.html.gz").write_bytes(gzip.compress(f"<p>{number}".encode()))
    fields: dict[str, Any] = {"url": url, "ground_truth": truth}
    if kind is not None:
        fields["_internal"] = {"page_type": {"primary": kind}}
    (part / "ground-truth" / f"{number}.json").write_text(json.dumps(fields), encoding="utf-8")
    return folder


def load(folder: Path) -> list[SourcePage]:
    return [load_page(files) for files in find_pages("wcxb", folder, source="w")]


def test_pages_have_id_body_title_and_site(tmp_path: Path) -> None:
    for name in ("test/0002", "dev/0003", "dev/0001"):
        write_page(tmp_path, name, TRUTH, kind="article")
    pages = load(tmp_path)
    assert [page.page for page in pages] == ["w/dev/0001", "w/dev/0003", "w/test/0002"]
    article = Article("The crew put out at two.\n\nNobody was hurt.", "Ferry crew praised", "https://www.gazette.example/a")
    assert pages[0] == SourcePage("w/dev/0001", "w", b"<p>0001", (article,), site="gazette.example")


@pytest.mark.parametrize("truth", [{}, {"main_content": None, "title": None}, {"main_content": "  "}])
def test_a_missing_body_is_empty(truth: dict[str, Any], tmp_path: Path) -> None:
    [page] = load(write_page(tmp_path, "dev/0001", truth))
    assert (page.articles, page.unfit) == ((), "")


def test_a_page_without_ground_truth_is_listed(tmp_path: Path) -> None:
    write_page(tmp_path, "dev/0001", TRUTH)
    (tmp_path / "dev/ground-truth/0001.json").unlink()
    [page] = load(tmp_path)
    assert (page.articles, page.site) == ((), None)


def test_pages_of_other_types_are_unfit(tmp_path: Path) -> None:
    [page] = load(write_page(tmp_path, "dev/0001", TRUTH, kind="forum"))
    assert page.unfit == "page type forum, not article"


def test_a_page_without_a_url_takes_its_domain_from_the_metadata(tmp_path: Path) -> None:
    write_page(tmp_path, "dev/0001", TRUTH, url="")
    (tmp_path / "metadata.json").write_text('{"files": {"0001": {"domain": "blog.paper.co.uk"}}}')
    [page] = load(tmp_path)
    assert page.site == "paper.co.uk"


def test_a_truth_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"0001\.json: ground_truth must be an object; got list"):
        load(write_page(tmp_path, "dev/0001", []))
    (tmp_path / "metadata.json").write_text("[]")
    with pytest.raises(CorpusError, match=r"metadata\.json: must be a JSON object; got list"):
        load(tmp_path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    write_page(tmp_path, "dev/0001", TRUTH)
    (tmp_path / "dev/html/0002.html.gz").symlink_to(tmp_path / "dev/html/0001.html.gz")
    assert [page.page for page in load(tmp_path)] == ["w/dev/0001"]
