"""Evaluations into files."""

import csv
import io
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from tests.reports.hostile import PAYLOADS, assert_harmless, explained, hostile_rows

from newswinnow.evaluation.behaviour import Behaviour, Outcome
from newswinnow.evaluation.behaviour_suite import read_suite
from newswinnow.evaluation.evaluate import Evaluation, evaluate_predictions
from newswinnow.models.training import site_digest
from newswinnow.reports.explained import ALONE, LEVELS, MAX_FEATURE_CHARS, NEIGHBOURS
from newswinnow.reports.render import Report, metrics_json, mistakes_csv, render_html, render_markdown, write_report
from newswinnow.reports.templating import markdown_cell
from newswinnow.reports.texts import cut_text

Rows = Callable[..., list[dict[str, Any]]]
Evaluated = Callable[..., Evaluation]
VALIDATION: dict[str, Any] = {
    "n_folds": 4,
    "unseen_sites": {"value": 0.8125, "low": 0.75, "high": 0.875},
    "random_split": {"value": 0.9375, "low": 0.90625, "high": 0.96875},
    "leakage_gap": 0.125,
    "by_source": {},
}


def hostile_report(payload: str, rows_of: Rows, evaluated: Evaluated) -> Report:
    """The payload wherever data can put a string."""
    evaluation = explained(evaluated(hostile_rows(payload, rows_of), name=payload), payload)
    model = {payload: payload, "family": payload}
    return Report(payload, [evaluation], payload, model, VALIDATION)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_the_data_becomes_markup(payload: str, rows_of: Rows, evaluated: Evaluated) -> None:
    document = render_html(hostile_report(payload, rows_of, evaluated))
    tree = assert_harmless(document)
    shown = payload.replace("\x00", "\ufffd").replace("\x0b", "\ufffd").split("\x00")[0]
    if "\ufffd" not in shown:
        assert tree.findtext(".//title") == payload
        assert any(text.startswith(payload) for text in tree.xpath("//details/summary//span[@class='where']/text()"))
        assert any(text.startswith(payload) for text in tree.xpath("//span[@class='t']/text()"))
        assert payload in [text.strip() for text in tree.xpath("//th[@scope='row']/text()")]
        assert payload in tree.xpath("//option/text()")
        assert payload in tree.xpath("//nav//a/text()")
        assert_explained(tree, payload)
    assert "49" not in tree.findtext(".//h1")


def assert_explained(tree: Any, payload: str) -> None:
    """The payload stands as plain text wherever an explanation has a string of the page."""
    cut = cut_text(payload, MAX_FEATURE_CHARS)
    why = tree.xpath("//details[@class='why']")[0]
    assert cut in why.xpath(".//th[@scope='row']/span[1]/text()")
    assert payload in why.xpath(".//span[@class='quoted']/text()")
    assert cut_text(f"remove “{payload}”", MAX_FEATURE_CHARS) in why.xpath(".//span[@class='step']/text()")
    assert why.xpath(".//p[@class='edited']/text()") == [f"{payload} edited"]


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
    slices = next(table for table in markdown_tables(text) if table[0][0] == "slice")
    assert [f"source: {markdown_cell(payload)}"] == [
        row[0] for row in slices if row[0].startswith("source") and row[0] != "source: other"
    ]


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
    validation, scores, labels, confusion, slices, reliability, risk, lost, *_ = markdown_tables(text)
    assert (reliability[0][0], risk[0][0], lost[0][0]) == ("probability given", "answered", "threshold on p(news)")
    assert risk[2][0] == "100.0 %"
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


@pytest.mark.parametrize("known", [frozenset(), frozenset({site_digest("a.example")})])
def test_markdown_blocks_stand_apart(rows_of: Rows, known: frozenset[str]) -> None:
    rows = [row | {"site": f"{row['page']}.example"} for page in "ab" for row in rows_of(page, "NBR", "NRR")]
    one = evaluate_predictions(pd.DataFrame(rows), name="mine", known_sites=known, n_resamples=50)
    lines = render_markdown(Report("t", [one], "", {}, VALIDATION)).splitlines()
    assert len([line for line in lines if line == "| score | value | 95 % interval |"]) == 1
    for before, line in itertools.pairwise(lines):
        if line.startswith("|"):
            assert before == "" or before.startswith("|"), line
    flattered = [line for line in lines if line.endswith("which flatters it.**")]
    assert flattered == (["**3 of them are of sites that the model was trained on, which flatters it.**"] if known else [])


def test_markdown_holds_no_text_of_pages(report: Report) -> None:
    text = render_markdown(report)
    assert "paragraph 0" not in text
    assert "What was tried." in text


def test_html_shows_the_numbers_of_the_evaluation(report: Report) -> None:
    tree = assert_harmless(render_html(report))
    assert tree.findtext(".//h1") == "A title"
    assert [h.text.strip() for h in tree.findall(".//h2")] == ["On the training pages, cross-validated", "mine", "theirs"]
    _, section, _ = tree.findall(".//section")
    cards = {card[0].text: card[1].text for card in section.xpath(".//li[@class='card']")}
    measured = report.evaluations[0].scores
    assert cards["macro-F1"] == f"{measured.macro_f1.value:.3f}"
    assert cards["news against the rest, F1"] == "0.750"
    assert cards["related links let through as news"] == "50.0 %"
    cells = [[b.text for b in row.xpath("./td[contains(@class,'cell')]/b")] for row in section.xpath(".//tr")]
    assert [row for row in cells if len(row) == 3] == [["3", "0", "1"], ["0", "3", "0"], ["1", "0", "1"]]
    wrong = section.xpath(".//li[contains(@class,'mistake')]//summary")
    assert [w.xpath(".//span[@class='t']")[0].text for w in wrong] == ["a paragraph 2", "a paragraph 5"]
    assert [w.xpath(".//em")[0].text for w in wrong] == ["✗ is news", "✗ is related-link"]
    assert [w.xpath(".//b")[0].text for w in wrong] == ["related-link", "news"]
    summaries = ["".join(s.itertext()).strip() for s in section.xpath(".//details[contains(@class,'page')]/summary")]
    assert summaries == ["a · 4 of 6 labelled paragraphs right", "b · 3 of 3 labelled paragraphs right"]
    text = " ".join("".join(tree.itertext()).split())
    assert "family c4 · C 5.0" in text
    assert "leakage gap: what a random split would pretend0.125" in text.replace(" 0.125", "0.125")


def test_whole_pages_are_tinted_by_the_predicted_label(report: Report) -> None:
    tree = assert_harmless(render_html(report))
    first, second = tree.xpath("//section[2]//details[contains(@class,'page')]")
    shown = [p.get("class") for p in first.xpath(".//div[contains(@class,'p ')]")]
    assert shown == ["p news", "p news", "p related-link wrong", "p boilerplate", "p boilerplate", "p news wrong"]
    assert [p.get("class") for p in second.xpath(".//div[contains(@class,'p ')]")][-1] == "p news unlabelled"
    assert "has-wrong" in first.get("class")
    assert "has-wrong" not in second.get("class")


def test_levels_stand_beside_each_other(rows_of: Rows, evaluated: Evaluated) -> None:
    alone = replace(evaluated(rows_of("a", "NBR", "NNN")), context="alone")
    order = replace(evaluated(rows_of("a", "NBR", "NBR")), context="order")
    report = Report("t", [replace(order, context="auto", levels=(alone, order))])
    tree = assert_harmless(render_html(report))
    table = tree.xpath("//div[@aria-label='Scores by context']/table")[0]
    assert [row.xpath("./th")[0].text.strip() for row in table.xpath("./tbody/tr")] == ["auto", "alone", "order"]
    assert table.xpath("./tbody/tr/td/b/text()") == ["1.000", "0.167", "1.000"]
    assert tree.xpath("//span[@class='others']/text()") == [
        "alone: news · order: boilerplate",
        "alone: news · order: related-link",
    ]
    (levels,) = [table for table in markdown_tables(render_markdown(report)) if table[0][0] == "context"]
    assert [row[:2] for row in levels[2:]] == [["auto", "1.000"], ["alone", "0.167"], ["order", "1.000"]]


def test_explanations_stand_inside_their_mistakes(rows_of: Rows, evaluated: Evaluated) -> None:
    evaluation = evaluated(rows_of("a", "NBR", "RBN", [0.9, 0.9, 0.8]))
    told = explained(evaluation)
    told = replace(told, explained=told.explained[:1])
    tree = assert_harmless(render_html(Report("t", [told])))
    first, second = tree.xpath("//li[contains(@class,'mistake')]")
    assert first.xpath(".//span[@class='where']/text()") == ["a, paragraph 0 · explained"]
    assert second.xpath(".//span[@class='where']/text()") == ["a, paragraph 2"]
    assert not second.xpath(".//details[@class='why']")
    (why,) = first.xpath("./details/div/details[@class='why']")
    assert "".join(why.find("summary").itertext()) == "Why related-link and not news?"
    assert why.get("open") is None
    titles = ["".join(th.itertext()) for th in why.xpath(".//th[@scope='rowgroup']")]
    assert titles == [ALONE, LEVELS, NEIGHBOURS]
    adds = [td.text for td in why.xpath(".//td[contains(@class,'n ')]")]
    assert adds[0] == "+2.00"
    assert sum(float(value.replace("−", "-")) for value in adds[:9]) == 7 * 2 - 4 * 0.5
    assert adds[-2:] == ["+2.00", "−0.50"]
    edit = " ".join("".join(why.xpath(".//p[@class='edit']")[0].itertext()).split())
    assert edit == "An edit, perhaps not the smallest, that makes it news (80 %): remove “council”, add a full stop"
    assert "the 1 surest are explained" in "".join(tree.xpath("//p[@class='count']")[0].itertext())
    assert "explained" not in render_html(Report("t", [evaluation])).partition("<main")[2]


def test_a_model_of_which_only_answers_are_known_is_told_so(rows_of: Rows, evaluated: Evaluated) -> None:
    told = explained(evaluated(rows_of("a", "N", "R")))
    bare = replace(told.explained[0], contributions=None, levels=(), neighbours=(), flip=None)
    tree = assert_harmless(render_html(Report("t", [replace(told, explained=(bare,))])))
    (why,) = tree.xpath("//details[@class='why']")
    text = " ".join("".join(why.itertext()).split())
    assert "Of this model only the answers are known, not what adds up to them." in text
    assert text.endswith("No small edit was found that makes it news.")
    assert not why.xpath(".//table")


def test_markdown_tells_explanations_in_numbers_only(rows_of: Rows, evaluated: Evaluated) -> None:
    told = explained(evaluated(rows_of("a", "NBR", "RBN")), "canary")
    one = replace(told, explained=(told.explained[0], replace(told.explained[1], flip=None)))
    text = render_markdown(Report("t", [one]))
    assert "has 2 steps in 1 of them; for 1 none was found." in text
    (levels,) = [table for table in markdown_tables(text) if table[0][0] == "context"]
    assert levels[2:] == [["alone", "+2.00"], ["bag", "−0.50"]]
    assert "canary" not in text
    none = replace(told, explained=tuple(replace(e, flip=None, levels=()) for e in told.explained))
    text = render_markdown(Report("t", [none]))
    assert "No small edit gives any of them the true label." in text
    assert "mean logit" not in text


def test_explanations_leave_metrics_as_they_are(rows_of: Rows, evaluated: Evaluated) -> None:
    evaluation = evaluated(rows_of("a", "NBR", "RBN"))
    assert metrics_json(Report("t", [explained(evaluation)])) == metrics_json(Report("t", [evaluation]))


def test_the_behaviour_suite_is_told_by_kind_and_context(report: Report) -> None:
    case = read_suite().cases[0]
    outcomes = (Outcome(case, "alone", True, ("news",)), Outcome(case, "order", False, ("boilerplate",)))
    told = replace(report, behaviour=Behaviour(outcomes, "digest"))
    tree = assert_harmless(render_html(told))
    (heading,) = tree.xpath("//h2[@id='behaviour']")
    assert "1 of 2 passed" in "".join(heading.itertext())
    (table,) = tree.xpath("//div[@aria-label='Behaviour suite']/table")
    assert table.xpath("./tbody/tr/td/text()") == ["1 of 1", "0 of 1"]
    assert tree.xpath("//div[@aria-label='Cases not passed']//tbody//th/text()") == [case.name]
    rates = next(table for table in markdown_tables(render_markdown(told)) if table[0][0] == "kind of case")
    assert rates[0][1:] == ["alone", "order"]
    assert rates[2][1:] == ["1 of 1", "0 of 1"]
    assert "behaviour" not in render_markdown(report).lower()


def test_every_table_has_headers_with_a_scope_and_every_control_a_name(report: Report) -> None:
    tree = assert_harmless(render_html(report))
    assert all(th.get("scope") in ("col", "row", "rowgroup") for th in tree.iter("th"))
    assert all(table.xpath("./thead/tr/th") and table.xpath("./tbody") for table in tree.iter("table"))
    assert all(control.xpath("ancestor::label") for control in [*tree.iter("select"), *tree.iter("input")])
    assert all(svg.get("aria-label") or svg.get("aria-hidden") == "true" for svg in tree.iter("svg"))
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = {a.get("href") for a in tree.iter("a")}
    assert links <= {f"#{name}" for name in ids}
    assert [tree.xpath(f"count(//{name})") for name in ("header", "main", "footer", "nav", "h1")] == [1.0] * 5
    labelled = {section.get("aria-labelledby") for section in tree.iter("section")}
    assert labelled <= set(ids)


def test_the_document_stays_below_5_mb_and_says_what_is_left_out(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [row for i in range(30) for row in rows_of(f"<{i}>", "NBR-" * 40, "RNBN" * 40)]
    for row in rows:
        row["text"] = f"<&\"'> {row['text']} " + "\U0001f5de<" * 300
    evaluation = evaluated(rows)
    document = render_html(Report("t", [evaluation, replace(evaluation, name="again")]))
    n_bytes = len(document.encode("utf-8"))
    assert 3_000_000 < n_bytes < 5_000_000
    tree = html.document_fromstring(document)
    for section in tree.findall(".//section"):
        n_mistakes = len(section.xpath(".//li[contains(@class,'mistake')]"))
        n_pages = len(section.xpath(".//details[contains(@class,'page')]"))
        mistakes, pages = ("".join(p.itertext()) for p in section.xpath(".//p[@class='count']"))
        assert f"of {n_mistakes} shown. {3600 - n_mistakes} less sure ones are left out" in mistakes
        assert pages.startswith(f"{n_pages} pages; {30 - n_pages} others are left out")
    assert "3600 mistakes" in document


def test_html_says_what_it_hides_and_where_there_is_nothing(rows_of: Rows, evaluated: Evaluated) -> None:
    text = render_html(Report("t", [evaluated(rows_of("a", "N" * 403, "N" * 403))]))
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


def test_write_report_with_the_mistakes(report: Report, tmp_path: Path) -> None:
    paths = write_report(report, tmp_path, with_mistakes=True)
    assert [path.name for path in paths] == ["report.html", "report.md", "metrics.json", "mistakes.csv"]
    assert paths[-1].read_bytes() == mistakes_csv(report)


def test_the_mistakes_as_csv_are_complete_and_surest_first(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(mistakes_csv(report).decode("utf-8-sig"), newline="")))
    assert rows == [
        {
            "corpus": "mine",
            "page": "a",
            "position": "2",
            "label": "news",
            "predicted": "related-link",
            "probability": "0.7",
            "text": "a paragraph 2",
        },
        {
            "corpus": "mine",
            "page": "a",
            "position": "5",
            "label": "related-link",
            "predicted": "news",
            "probability": "0.4",
            "text": "a paragraph 5",
        },
    ]


@pytest.mark.parametrize("first", [*"=+-@", "\t", "\r", *"＝＋－＠"])
def test_no_cell_of_the_csv_is_a_formula(first: str, rows_of: Rows, evaluated: Evaluated) -> None:
    payload = first + "cmd|' /C calc'!A0"
    rows = rows_of("a", "NBR", "BNN")
    for row in rows:
        row.update(page=payload, text=payload + '\n,"x')
    text = mistakes_csv(Report("t", [evaluated(rows, name=payload)])).decode("utf-8-sig")
    header, *cells = csv.reader(io.StringIO(text, newline=""))
    assert len(cells) == 3
    assert all(re.fullmatch(r"\d+|0\.\d+|news|boilerplate|related-link|'.*", cell, re.DOTALL) for row in cells for cell in row)
    assert {(row[0], row[1], row[-1]) for row in cells} == {("'" + payload, "'" + payload, "'" + payload + '\n,"x')}
    assert not any(name.startswith(tuple("=+-@")) for name in header)


@pytest.mark.parametrize("page", ["../../x", "/etc/passwd", "CON", "a" * 300, "..\\..\\x", "%2e%2e/x"])
def test_ids_never_become_names_of_files(page: str, rows_of: Rows, evaluated: Evaluated, tmp_path: Path) -> None:
    report = Report(page, [evaluated(rows_of(page, "NBR", "NBN"), name=page)], model={page: page})
    directory = tmp_path / "inner" / "report"
    write_report(report, directory, with_mistakes=True)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert found == [f"inner/report/{name}" for name in ("metrics.json", "mistakes.csv", "report.html", "report.md")]


def test_only_the_html_and_the_csv_hold_texts(rows_of: Rows, evaluated: Evaluated, tmp_path: Path) -> None:
    rows = rows_of("a", "NBR-", "NBNN")
    for row in rows:
        row["text"] = f"canary {row['position']}"
    holding = [
        path.name
        for path in write_report(Report("t", [evaluated(rows)]), tmp_path, with_mistakes=True)
        if b"canary" in path.read_bytes()
    ]
    assert holding == ["report.html", "mistakes.csv"]


def test_the_same_evaluation_gives_the_same_bytes(report: Report) -> None:
    assert render_html(report) == render_html(replace(report, evaluations=list(report.evaluations)))
