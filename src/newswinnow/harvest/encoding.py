"""Bytes of a web page to UTF-8: by byte order mark, as UTF-8 where they are that, as declared, or what browsers assume.

Nothing is replaced or dropped: a page that is not in its encoding is refused. Markup is left to :mod:`newswinnow.harvest.html`.
"""

import codecs
import re
from typing import Final

_MARKS: Final = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UNMARKED: Final = (
    (re.compile(rb"<\x00[^\x00]\x00"), "utf-16-le"),
    (re.compile(rb"\x00<\x00[^\x00]"), "utf-16-be"),
)
_CHARSET = re.compile(rb"<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_CHARSET_BYTES: Final = 4096
_WEB_DEFAULT: Final = "cp1252"
# What browsers read these names as: the larger encoding that pages in fact use.
_READ_AS: Final = {
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
_LEGACY: Final = re.compile(
    r"cp(125\d|866|874|932|949)|iso8859-([2-9]|1[0-6])|koi8-[ru]|gb18030|big5(hkscs)?|euc_jp|mac-(roman|cyrillic)"
)


def utf8_page(data: bytes) -> bytes:
    r"""A page in UTF-8, whatever it came in.

    Parameters
    ----------
    data
        The page as it came.

    Returns
    -------
    The whole page without byte order mark; the same bytes where they were that already.

    Raises
    ------
    ValueError
        If a byte order mark or a declaration names an encoding that the page is not in; the first such byte is named.

    Examples
    --------
    >>> utf8_page("<meta charset=latin-1><p>caf\u00e9".encode("latin-1")).decode()
    '<meta charset=latin-1><p>caf\xe9'
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    if mark:
        return _decoded(data, _MARKS[mark], start=len(mark)).encode()
    for pattern, encoding in _UNMARKED:
        if pattern.match(data):
            return _decoded(data, encoding).encode()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(data, _declared_encoding(data)).encode()
    return data


def _decoded(data: bytes, encoding: str, *, start: int = 0) -> str:
    try:
        return data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        at = start + error.start
        raise ValueError(f"must be valid {encoding.upper()}; got byte 0x{data[at]:02x} at byte {at} of the page") from error


def _declared_encoding(data: bytes) -> str:
    declared = _CHARSET.search(data[:_CHARSET_BYTES])
    try:
        name = codecs.lookup(declared[1].decode("ascii", "replace")).name if declared else _WEB_DEFAULT
    except LookupError:
        return _WEB_DEFAULT
    name = _READ_AS.get(name, name)
    return name if name == "utf-8" or _LEGACY.fullmatch(name) else _WEB_DEFAULT
