"""Sections that benchmarks write, and the pages that they stand in."""

from pathlib import Path

import pytest
from benchmarks.sections import marks, write_section

ROOT = Path(__file__).parents[2]
BEGIN, END = marks("benchmarks/some.py")


@pytest.mark.parametrize("old", ["", "old\n", f"old\n{marks('benchmarks/other.py')[0]}\n\n"])
@pytest.mark.parametrize("text", ["| a |\n| --- |", "\n| a |\n\nIt rained.\n"])
def test_a_section_is_replaced_whole_and_the_same_twice_changes_nothing(old: str, text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\n{old}{END}\n\nAfter\n", encoding="utf-8")
    for _ in range(2):
        write_section(page, text, program="benchmarks/some.py")
        stripped = text.strip("\n")
        assert page.read_text(encoding="utf-8") == f"# Before\n\n{BEGIN}\n{stripped}\n{END}\n\nAfter\n"


@pytest.mark.parametrize("content", ["", BEGIN, END, f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n"])
def test_a_page_without_its_place_stays_as_it_is(content: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"page.md: must have the lines .* once, in this order; got something else$"):
        write_section(page, "new", program="benchmarks/some.py")
    assert page.read_text(encoding="utf-8") == content


def test_a_text_with_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^benchmarks/some.py: must write no mark of its own section; got one"):
        write_section(page, f"a\n{END}", program="benchmarks/some.py")


@pytest.mark.parametrize(
    ("page", "program"),
    [
        ("docs/reliability.md", "benchmarks/bulk.py"),
        ("docs/reliability.md", "benchmarks/reliability.py"),
        ("docs/embedding.md", "benchmarks/after_trafilatura.py"),
        ("benchmarks/README.md", "benchmarks/split_html.py"),
        ("benchmarks/README.md", "benchmarks.classify"),
    ],
)
def test_the_committed_pages_have_a_place_for_every_benchmark(page: str, program: str, tmp_path: Path) -> None:
    committed = (ROOT / page).read_text(encoding="utf-8")
    begin, end = marks(program)
    section = committed.partition(f"{begin}\n")[2].partition(end)[0]
    copy = tmp_path / "page.md"
    copy.write_text(committed, encoding="utf-8")
    write_section(copy, section, program=program)
    assert copy.read_text(encoding="utf-8") == committed
