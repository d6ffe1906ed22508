"""How templates are filled."""

import base64
import hashlib
import re

import pytest

from newswinnow.reports.templating import content_security_policy, markdown_cell, render_page


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


def test_the_policy_names_the_very_sheet_of_the_page() -> None:
    values: dict[str, object] = {
        "title": "<t>",
        "description": "",
        "model": {},
        "validation": {},
        "behaviour": None,
        "evaluations": [],
        "labels": [],
    }
    document = render_page("report.html.j2", values, rules="p{order:1}")
    (style,) = re.findall(r"<style>(.*)</style>", document, re.DOTALL)
    assert style.endswith("p{order:1}")
    assert not re.search(r"url\(|@import|expression|</", style)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', document)
    assert policy.replace("&#39;", "'") == content_security_policy(style)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in content_security_policy(style)
    assert "unsafe" not in policy
    assert "<h1>&lt;t&gt;</h1>" in document
