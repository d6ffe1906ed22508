"""Bytes of a page to UTF-8: marks, UTF-8, declarations, the default of the web, and refusals."""

import codecs
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.harvest.encoding import utf8_page


@pytest.mark.parametrize(
    ("markup", "encoding"),
    [
        ("<p>Überfahrt „heute“</p>", "utf-8"),
        ("<p>Überfahrt „heute“</p>", "utf-8-sig"),
        ("<p>Überfahrt „heute“</p>", "utf-16"),
        ("<p>Überfahrt „heute“</p>", "utf-16-le"),
        ("<p>Überfahrt „heute“</p>", "utf-16-be"),
        ("<meta charset=iso-8859-1><p>Überfahrt</p>", "latin-1"),
        ("<meta charset='latin-1'><p>„heute“ €</p>", "cp1252"),
        ('<meta charset="windows-1252"><p>„heute“ €</p>', "cp1252"),
        ('<meta http-equiv=Content-Type content="text/html; charset=windows-1251"><p>Паром</p>', "cp1251"),
        ('<?xml version="1.0" encoding="iso-8859-2"?><html><p>Łódź</p></html>', "iso8859-2"),
        ("<?xml version='1.0' encoding='latin-1' ><p>é</p>", "latin-1"),
        ("<meta charset=gb2312><p>渡輪 ferry</p>", "gbk"),
        ("<meta charset=Shift_JIS><p>フェリー①</p>", "cp932"),
        ("<meta charset=euc-kr><p>여객선</p>", "cp949"),
        ("<p>café “now”</p>", "cp1252"),
        ("<meta charset=bogus><p>café</p>", "cp1252"),
        ("<meta charset=unicode_escape><p>café \\x41</p>", "cp1252"),
        ("<meta charset=hex><p>café</p>", "cp1252"),
        ("<meta charset=iso-8859-1><p>é is UTF-8 whatever it says</p>", "utf-8"),
        ("<meta charset=utf-8><p>é is UTF-16 whatever it says</p>", "utf-16"),
        ("", "utf-8-sig"),
    ],
)
def test_page_is_read_in_its_encoding(markup: str, encoding: str) -> None:
    assert utf8_page(markup.encode(encoding)) == markup.encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<meta charset=utf-8><p>na\xefve</p>", "must be valid UTF-8; got byte 0xef at byte 25 of the page"),
        (codecs.BOM_UTF8 + b"<p>na\xefve</p>", "must be valid UTF-8; got byte 0xef at byte 8 of the page"),
        (b"<meta charset=euc-kr><p>\xff</p>", "must be valid CP949; got byte 0xff at byte 24 of the page"),
        (b"<p>\x81</p>", "must be valid CP1252; got byte 0x81 at byte 3 of the page"),
        (b"\xff\xfe<\x00p\x00>", "must be valid UTF-16-LE; got byte 0x3e at byte 6 of the page"),
        (b"\x00<\x00p\xd8\x00\x00x", "must be valid UTF-16-BE; got byte 0xd8 at byte 4 of the page"),
    ],
)
def test_first_byte_that_is_no_text_is_named(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        utf8_page(data)


@given(st.text(st.characters(codec="utf-8")))
def test_utf8_needs_no_declaration(text: str) -> None:
    page = ("<p>" + text).encode()
    assert utf8_page(page) is page
    assert utf8_page(codecs.BOM_UTF8 + page) == page
