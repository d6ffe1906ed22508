"""How templates are filled: escaping, number formats, and one style sheet that the content security policy pins by its hash.

What is shown is left to the views and to the templates themselves.
"""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

_PACKAGE: Final = "newswinnow.reports"
_STYLE: Final = "report.css"


def _points(value: float) -> str:
    return f"{value:.3f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _signed_short(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _whole_percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def markdown_cell(text: str) -> str:
    r"""Text on one line that can neither break a Markdown table nor start markup.

    Parameters
    ----------
    text
        Any string.

    Returns
    -------
    The escaped string.

    Examples
    --------
    >>> print(markdown_cell("a|b\n<i>"))
    a\|b \<i\>
    """
    escaped = " ".join(text.split()).replace("\\", "\\\\")
    for character in "`*_[]<>|#~$":
        escaped = escaped.replace(character, "\\" + character)
    return escaped


@cache
def _environment(*, is_html: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "templates"),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        points=_points,
        signed=_signed,
        signed_short=_signed_short,
        percent=_percent,
        whole_percent=_whole_percent,
        md=markdown_cell,
        paragraphs=_paragraphs,
    )
    return environment


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]


def content_security_policy(style: str) -> str:
    """A policy under which a page runs nothing, loads nothing, sends nothing, and is styled by one known sheet only.

    Parameters
    ----------
    style
        Content of its ``style`` element.

    Returns
    -------
    The policy.

    Examples
    --------
    >>> content_security_policy("p{}").split("; ")[:2]
    ["default-src 'none'", "style-src 'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='"]
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def render_page(template: str, values: dict[str, Any], *, rules: str = "") -> str:
    """An HTML document with the reports' style sheet.

    Parameters
    ----------
    template
        Name of the template, which extends ``base.html.j2``.
    values
        What it shows; escaped wherever it stands.
    rules
        Rules to add to the style sheet: they must hold no data but numbers.

    Returns
    -------
    The document.
    """
    sheet = resources.files(_PACKAGE).joinpath("templates", _STYLE).read_text(encoding="utf-8")
    style = sheet + rules
    page = _environment(is_html=True).get_template(template)
    return page.render(**values, style=style, policy=content_security_policy(style))


def render_text(template: str, values: dict[str, Any]) -> str:
    """A Markdown document.

    Parameters
    ----------
    template
        Name of the template, which escapes by the ``md`` filter.
    values
        What it shows.

    Returns
    -------
    The document.
    """
    return _environment(is_html=False).get_template(template).render(**values)
