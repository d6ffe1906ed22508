"""Evaluations into files."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.reports.render import Report, markdown_cell, metrics_json, render_html, render_markdown, write_report

Rows = Callable[..., list[dict[str, Any]]]
Evaluated = Callable[..., Evaluation]
VALIDATION = {
    "n_folds": 4,
    "unseen_sites": {"value": 0.8125, "low": 0.75, "high": 0.875},
    "random_split": {"value": 0.9375, "low": 0.90625, "high": 0.96875},
    "leakage_gap": 0.125,
    "by_source": {},
}
PAYLOADS = [
    "<script>window.canary = 1</script>",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</style></title></textarea><script src=//evil.example/x.js></script>",
    "</summary></details><iframe src=javascript:alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<base href=https://evil.example/><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "{{ 7 * 7 }}{% raw %}{% endraw %}${7*7}",
    "<!--<script>--><![CDATA[<script>]]>",
    "\u2028<script>\u2029</script>\x00\x0b",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
LOADING = (
    "src",
    "href",
    "srcset",
    "data",
    "poster",
    "background",
    "action",
    "formaction",
    "ping",
    "manifest",
    "code",
    "codebase",
)
ALLOWED_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "div", "details", "summary"),
    *("h1", "h2", "h3", "p", "span", "b", "i", "em", "br", "table", "tbody", "tr", "th", "td", "svg", "rect", "line"),
}


def assert_harmless(document: str) -> Any:
    """The parsed report, which holds no script, handler or reference to anything outside."""
    tree = html.document_fromstring(document.encode("utf-8"))
    assert tree.xpath("//script") == []
    assert {element.tag for element in tree.iter()} <= ALLOWED_TAGS
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), name
            assert name.rsplit("}")[-1].rsplit(":")[-1] not in LOADING, name
            assert "javascript:" not in value.lower()
            assert name != "style"
    (style,) = tree.xpath("//style")
    assert not re.search(r"url\(|@import|expression", style.text)
    (policy,) = tree.xpath("//meta[@http-equiv]")
    assert policy.get("http-equiv") == "Content-Security-Policy"
    rules = dict(rule.split(maxsplit=1) for rule in policy.get("content").split("; "))
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert policy.getparent().index(policy) < style.getparent().index(style)
    return tree


def hostile_report(payload: str, rows_of: Rows, evaluated: Evaluated) -> Report:
    """The payload wherever data can put a string."""
    rows = [*rows_of("a", "NBRN-", "NBNNN"), *rows_of("b", "NBR", "NBR")]
    for i, row in enumerate(rows):
        page = "plain" if row["page"] == "b" else payload
        row.update(text=f"{payload} {i}", page=page, site=payload, tag=payload, source=payload if i % 2 else "other")
    return Report(
        title=payload,
        evaluations=[evaluated(rows, name=payload)],
        description=payload,
        model={payload: payload, "family": payload},
        validation=VALIDATION,
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_the_data_becomes_markup(payload: str, rows_of: Rows, evaluated: Evaluated) -> None:
    document = render_html(hostile_report(payload, rows_of, evaluated))
    tree = assert_harmless(document)
    shown = payload.replace("\x00", "\ufffd").replace("\x0b", "\ufffd").split("\x00")[0]
    if "\ufffd" not in shown:
        assert tree.findtext(".//title") == payload
        assert tree.xpath("//details/summary/text()")[0].startswith(payload)
        assert any(text.startswith(payload) for text in tree.xpath("//span[@class='text']/text()"))
        assert payload in tree.xpath("//td/text()")
    assert "49" not in tree.findtext(".//h1")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.text(st.sampled_from("<>&\"'=/;:{}%#-! \\scriptonlad\u2028`"), min_size=1, max_size=30))
def test_no_string_becomes_markup(payload: str, rows_of: Rows, evaluated: Evaluated) -> None:
    assert_harmless(render_html(hostile_report(payload, rows_of, evaluated)))


def test_a_label_that_is_none_never_reaches_a_report(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "NBR", "NBR")
    rows[0]["label"] = PAYLOADS[0]
    with pytest.raises(ValueError, match="labels: must be of news, boilerplate, related-link; got '<script>"):
        evaluated(rows)


def markdown_tables(text: str) -> list[list[list[str]]]:
    """Tables of a Markdown document as cells, cut at unescaped pipes."""
    tables: list[list[list[str]]] = [[]]
    for line in text.split("\n"):
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif tables[-1]:
            tables.append([])
    return [table for table in tables if table]


@pytest.mark.parametrize(
    "payload", [*PAYLOADS, "a|b", "| --- |", "line\nbreak", "[x](javascript:alert(1))", "![x](//evil.example)"]
)
def test_markdown_cells_are_escaped(payload: str, rows_of: Rows, evaluated: Evaluated) -> None:
    report = hostile_report(payload, rows_of, evaluated)
    text = render_markdown(Report(payload, report.evaluations, "", report.model, VALIDATION))
    assert not re.search(r"(?<!\\)[<\[`]", text)
    assert text.split("\n", 1)[0] == f"# {markdown_cell(payload)}"
    for table in markdown_tables(text):
        assert len({len(row) for row in table}) == 1, table
    slices = markdown_tables(text)[-1]
    assert [f"source: {markdown_cell(payload)}"] == [
        row[0] for row in slices if row[0].startswith("source") and row[0] != "source: other"
    ]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain (0.5–0.6), +1.0 %", "plain (0.5–0.6), +1.0 %"),
        ("a|b", r"a\|b"),
        ("a\\|b", r"a\\\|b"),
        ("<b>*x*_y_`z`", r"\<b\>\*x\*\_y\_\`z\`"),
        ("[x](y) # ~ $", r"\[x\](y) \# \~ \$"),
        ("two\r\nlines\u2028here", "two lines here"),
    ],
)
def test_markdown_cell(text: str, escaped: str) -> None:
    assert markdown_cell(text) == escaped


@pytest.fixture
def report(rows_of: Rows, evaluated: Evaluated) -> Report:
    rows = [*rows_of("a", "NNNBBR", "NNRBBN", [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), *rows_of("b", "NBR-", "NBRN")]
    evaluations = [evaluated(rows, name="mine"), evaluated(rows_of("c", "NBR", "NBR"), name="theirs")]
    return Report("A title", evaluations, "What was tried.", {"family": "c4", "C": 5.0}, VALIDATION)


def test_metrics_json_holds_the_evaluations_in_full(report: Report) -> None:
    text = metrics_json(report)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(text, parse_constant=refuse)
    assert set(found) == {"model", "validation", "evaluations"}
    assert found["validation"] == VALIDATION
    scores = report.evaluations[0].scores
    assert found["evaluations"]["mine"]["scores"]["macro_f1"]["value"] == scores.macro_f1.value
    assert found["evaluations"]["mine"]["scores"]["accuracy"]["value"] == 7 / 9
    assert str(7 / 9) in text
    assert found["evaluations"]["mine"]["scores"]["confusion"] == [[3, 0, 1], [0, 3, 0], [1, 0, 1]]
    assert found == json.loads(json.dumps(report.metrics()))
    assert "paragraph 0" not in text


def test_metrics_json_is_of_the_same_bytes_whatever_the_order_of_keys(report: Report) -> None:
    other = Report("Another title", report.evaluations, "", {"C": 5.0, "family": "c4"}, dict(reversed(VALIDATION.items())))
    assert metrics_json(other) == metrics_json(report)
    assert metrics_json(report).endswith("}\n")


def test_metrics_json_refuses_what_is_not_json(report: Report) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        metrics_json(Report("t", report.evaluations, model={"C": float("nan")}))


def test_markdown_tables_are_those_of_the_evaluation(report: Report) -> None:
    text = render_markdown(report)
    validation, scores, labels, confusion, slices, *_ = markdown_tables(text)
    assert [row[1:] for row in validation[2:]] == [["0.812", "0.750–0.875"], ["0.938", "0.906–0.969"], ["0.125", ""]]
    assert "(4 folds by site)" in validation[2][0]
    measured = report.evaluations[0].scores
    for row, estimate in zip(scores[2:5], (measured.macro_f1, measured.accuracy, measured.news_f1), strict=True):
        assert row[1:] == [f"{estimate.value:.3f}", f"{estimate.low:.3f}–{estimate.high:.3f}"]
    assert scores[5][:2] == ["related links let through as news", "50.0 %"]
    assert scores[6][:2] == ["expected calibration error", f"{report.evaluations[0].calibration.ece:.3f}"]
    assert [row[:4] + row[5:] for row in labels[2:]] == [
        ["news", "0.750", "0.750", "0.750", "4"],
        ["boilerplate", "1.000", "1.000", "1.000", "3"],
        ["related-link", "0.500", "0.500", "0.500", "2"],
    ]
    assert confusion[0] == ["true \\ predicted", "news", "boilerplate", "related-link"]
    assert confusion[2:] == [["news", "3", "0", "1"], ["boilerplate", "0", "3", "0"], ["related-link", "1", "0", "1"]]
    assert [(row[0], row[-2], row[-1]) for row in slices[2:4]] == [
        ("length: 3-5 words", "2 (small)", "9"),
        ("position: top third", "2 (small)", "4"),
    ]
    assert [line for line in text.split("\n") if line.startswith("#")] == ["# A title", "## mine (alone)", "## theirs (alone)"]


def test_markdown_holds_no_text_of_pages(report: Report) -> None:
    text = render_markdown(report)
    assert "paragraph 0" not in text
    assert "What was tried." in text


def test_html_shows_the_numbers_of_the_evaluation(report: Report) -> None:
    tree = assert_harmless(render_html(report))
    assert tree.findtext(".//h1") == "A title"
    assert [h.text.strip() for h in tree.findall(".//h2")] == ["mine", "theirs"]
    section = tree.find(".//section")
    cards = {card[0].text: card[1].text for card in section.xpath(".//div[@class='card']")}
    measured = report.evaluations[0].scores
    assert cards["macro-F1"] == f"{measured.macro_f1.value:.3f}"
    assert cards["news against the rest, F1"] == "0.750"
    assert cards["related links let through as news"] == "50.0 %"
    cells = [[b.text for b in row.xpath("./td[contains(@class,'cell')]/b")] for row in section.xpath(".//tr")]
    assert [row for row in cells if len(row) == 3] == [["3", "0", "1"], ["0", "3", "0"], ["1", "0", "1"]]
    wrong = section.xpath(".//div[contains(@class,'marked')]")
    assert [w.xpath(".//span[@class='text']")[0].text for w in wrong] == ["a paragraph 2", "a paragraph 5"]
    assert [w.xpath(".//em")[0].text for w in wrong] == ["is news", "is related-link"]
    assert [w.xpath(".//b")[0].text for w in wrong] == ["related-link", "news"]
    summaries = ["".join(s.itertext()) for s in section.xpath(".//summary")]
    assert summaries == ["a · 4 of 6 labelled paragraphs right", "b · 3 of 3 labelled paragraphs right"]
    text = " ".join("".join(tree.itertext()).split())
    assert "family c4 · C 5.0" in text
    assert "leakage gap: what a random split would pretend0.125" in text.replace(" 0.125", "0.125")


def test_html_says_what_it_hides_and_where_there_is_nothing(rows_of: Rows, evaluated: Evaluated) -> None:
    text = render_html(Report("t", [evaluated(rows_of("a", "N" * 163, "N" * 163))]))
    assert "… and 3 more paragraphs" in text
    assert text.count('<p class="soft">None.</p>') == 1
    assert "cross-validated" not in text


def test_write_report_puts_three_files_and_nothing_else(report: Report, tmp_path: Path) -> None:
    directory = tmp_path / "new" / "folder"
    paths = write_report(report, directory)
    assert paths == [directory / name for name in ("report.html", "report.md", "metrics.json")]
    assert sorted(directory.iterdir()) == sorted(paths)
    contents = [path.read_text(encoding="utf-8") for path in paths]
    assert contents == [render_html(report), render_markdown(report), metrics_json(report)]
