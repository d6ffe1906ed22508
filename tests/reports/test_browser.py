"""Reports in a real browser: nothing runs, nothing is requested, and sorting, filtering, keys and print work without a script."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.reports.browser import CHROMIUM, Browser
from tests.reports.hostile import PAYLOADS, explained, hostile_rows

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.reports.render import Report, render_html

Rows = Callable[..., list[dict[str, Any]]]
Evaluated = Callable[..., Evaluation]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium); found none")

CONTROL = """<!DOCTYPE html><title>control</title><style>p{color:red}</style>
<script>window.canary = 1</script><img src="https://evil.example/x" onerror="window.failed = 1">"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None
    opened = Browser(CHROMIUM)
    yield opened
    opened.close()


@pytest.fixture
def report(rows_of: Rows, evaluated: Evaluated) -> Report:
    rows = [
        *rows_of("b", "NBR-N", "RBRNN", [0.6, 0.9, 0.9, 0.9, 0.9]),
        *rows_of("a", "NBRBB", "BNNBB", [0.9, 0.8, 0.7, 0.9, 0.9]),
        *rows_of("c", "NBR", "NBR"),
    ]
    rows[0]["text"] = "a paragraph that is much longer than those of the other two wrong ones"
    return Report("A report", [explained(evaluated(rows), "a" * 90)])


@pytest.fixture
def page(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(render_html(report), encoding="utf-8")
    return path


def shown(browser: Browser) -> list[str]:
    """Mistakes that can be seen, from top to bottom."""
    found: list[str] = browser.run(
        "[...document.querySelectorAll('.mistake')].filter(li => li.getClientRects().length)"
        ".sort((x, y) => x.getBoundingClientRect().top - y.getBoundingClientRect().top)"
        ".map(li => li.querySelector('.where').textContent.replace(', paragraph ', '').replace(' · explained', ''))"
    )
    return found


def choose(browser: Browser, name: str, text: str) -> None:
    browser.run(
        f"(() => {{ const label = [...document.querySelectorAll('label')].find(l => l.textContent.startsWith({name!r}));"
        f" const select = label.querySelector('select');"
        f" select.value = [...select.options].find(o => o.textContent === {text!r}).value; }})()"
    )


def test_the_browser_would_notice_a_script_and_a_request(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "control.html"
    path.write_text(CONTROL, encoding="utf-8")
    browser.open(path)
    assert browser.run("window.canary") == 1
    assert "https://evil.example/x" in browser.requests


def test_no_payload_runs_or_loads_anything(browser: Browser, rows_of: Rows, evaluated: Evaluated, tmp_path: Path) -> None:
    everything = "\n".join(PAYLOADS)
    for i, payload in enumerate([*PAYLOADS, everything]):
        rows = hostile_rows(payload, rows_of)
        evaluation = explained(evaluated(rows, name=payload), payload)
        document = render_html(Report(payload, [evaluation], payload, {payload: payload}))
        path = tmp_path / f"{i}.html"
        path.write_text(document, encoding="utf-8")
        browser.open(path)
        browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert browser.requests == [path.as_uri()], payload
        assert browser.logs == [], payload
        assert browser.run("typeof window.canary") == "undefined", payload
        assert browser.run("document.scripts.length + document.querySelectorAll('iframe, img, base, link').length") == 0
        assert browser.run("getComputedStyle(document.querySelector('.p')).display") == "grid"
        assert browser.run("document.querySelectorAll('.why .edited').length") == 2


def test_the_policy_stops_what_escaping_might_let_through(browser: Browser, page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace(
        "</main>", CONTROL.partition("</style>")[2] + "<p style='color:red'>x</p></main>"
    )
    page.write_text(text, encoding="utf-8")
    browser.open(page)
    assert browser.run("typeof window.canary + typeof window.failed") == "undefinedundefined"
    assert browser.run("getComputedStyle(document.querySelector('main p[style]')).color") != "rgb(255, 0, 0)"
    assert len(browser.logs) >= 2
    assert all("Content Security Policy" in log for log in browser.logs)


def test_mistakes_are_sorted_without_a_script(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert shown(browser) == ["a0", "a1", "a2", "b0"]
    choose(browser, "Sort", "by page and place")
    assert shown(browser) == ["a0", "a1", "a2", "b0"]
    choose(browser, "Sort", "longest text first")
    assert shown(browser)[0] == "b0"
    choose(browser, "Sort", "by label and prediction")
    assert shown(browser) == ["a0", "b0", "a1", "a2"]
    browser.run("document.querySelector('.backwards').click()")
    assert shown(browser) == ["a2", "a1", "b0", "a0"]
    browser.run("document.querySelector('button[type=reset]').click()")
    assert shown(browser) == ["a0", "a1", "a2", "b0"]


def test_mistakes_are_filtered_and_counted_without_a_script(browser: Browser, page: Path) -> None:
    browser.open(page)
    choose(browser, "It is", "news")
    assert shown(browser) == ["a0", "b0"]
    choose(browser, "Predicted", "boilerplate")
    assert shown(browser) == ["a0"]
    choose(browser, "length", "11-20 words")
    assert shown(browser) == []
    choose(browser, "Predicted", "any label")
    assert shown(browser) == ["b0"]
    choose(browser, "length", "any")
    choose(browser, "position", "top third")
    assert shown(browser) == ["a0", "b0"]
    # What the counter shows stands in no property: its rule must be the counter, and what is hidden must not count.
    counter = "getComputedStyle(document.querySelector('.shown'), '::before').content"
    assert browser.run(counter) == "counter(shown)"
    assert browser.run("getComputedStyle(document.querySelectorAll('.mistake')[1]).display") == "none"


def test_pages_are_filtered_without_a_script(browser: Browser, page: Path) -> None:
    browser.open(page)
    visible = "[...document.querySelectorAll({!r})].filter(e => e.checkVisibility({{contentVisibilityAuto: false}})).length"
    assert browser.run(visible.format(".page")) == 3
    browser.run("document.querySelector('.only-wrong').click()")
    assert browser.run(visible.format(".page")) == 2
    browser.run("document.querySelectorAll('.page').forEach(d => d.open = true)")
    n_news = browser.run(visible.format(".page .p.news"))
    n_unlabelled = browser.run(visible.format(".page .p.unlabelled"))
    assert (n_news, n_unlabelled) == (4, 1)
    browser.run("document.querySelector('.show-unlabelled').click()")
    assert browser.run(visible.format(".page .p.news")) == 3
    browser.run("document.querySelector('.show-news').click()")
    assert browser.run(visible.format(".page .p.news")) == 0
    assert browser.run(visible.format(".page .p.boilerplate")) == 4


def test_a_keyboard_is_enough(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "skip"
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0
    browser.press("Enter")
    assert browser.run("document.activeElement.id") == "main"
    seen, outlines = set(), set()
    for _ in range(60):
        browser.press("Tab")
        seen.add(browser.run("document.activeElement.tagName"))
        outlines.add(browser.run("getComputedStyle(document.activeElement).outlineStyle"))
        if browser.run("document.activeElement.matches('.mistake summary')"):
            break
    assert {"SELECT", "INPUT", "BUTTON", "SUMMARY"} <= seen
    assert outlines == {"solid"}
    assert browser.run("document.activeElement.parentNode.open") is False
    browser.press("Enter")
    assert browser.run("document.activeElement.parentNode.open") is True
    browser.press("Tab")
    assert browser.run("document.activeElement.matches('.why > summary')")
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert browser.run("document.querySelector('.why .edited').checkVisibility()") is False
    browser.press(" ")
    assert browser.run("document.querySelector('.why .edited').checkVisibility()") is True


@pytest.mark.parametrize("width", [1280, 768, 390])
@pytest.mark.parametrize("is_dark", [False, True])
def test_nothing_is_wider_than_the_window(width: int, is_dark: bool, browser: Browser, page: Path) -> None:
    browser.open(page, width=width, is_dark=is_dark)
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.run("document.documentElement.scrollWidth") == width
    boxes = "[...document.querySelectorAll('.p, .card, main p, figure, .why, .why .inside, .why th')]"
    assert browser.run(f"{boxes}.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)") == []


LUMINANCE = """(() => {
  const rgb = text => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = text; c.fillRect(0, 0, 1, 1);
    return [...c.getImageData(0, 0, 1, 1).data]; };
  const light = v => { const s = v / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
  const lum = c => 0.2126 * light(c[0]) + 0.7152 * light(c[1]) + 0.0722 * light(c[2]);
  const under = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c[3] === 255) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('header *, main *, footer *')) {
    if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [lum(rgb(getComputedStyle(e).color)), lum(under(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
  }
  return [...new Set(bad)];
})()"""


@pytest.mark.parametrize("is_dark", [False, True])
def test_every_text_has_the_contrast_that_wcag_asks_for(is_dark: bool, browser: Browser, page: Path) -> None:
    browser.open(page, is_dark=is_dark)
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.run(LUMINANCE) == []


def test_printing_opens_what_is_folded(browser: Browser, page: Path) -> None:
    browser.open(page)
    closed = browser.run("document.querySelectorAll('.page')[2].querySelector('.t').checkVisibility()")
    height = browser.run("document.querySelectorAll('.page')[2].getBoundingClientRect().height")
    browser.open(page, media="print")
    assert browser.run("document.querySelectorAll('details[open]').length") == 1
    assert browser.run("document.querySelector('.why .edited').getBoundingClientRect().height") > 10
    assert browser.run("document.querySelectorAll('.page')[2].getBoundingClientRect().height") > height + 40
    assert browser.run("getComputedStyle(document.querySelector('.controls')).display") == "none"
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not closed
    assert re.match(rb"%PDF-", browser.pdf())
