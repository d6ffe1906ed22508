"""Rejects, their excerpts, and the error that lists them."""

import orjson
import pytest

from newswinnow.corpus.rejects import CorpusError, Reject, excerpt_of, fail


@pytest.mark.parametrize(("line", "where"), [(3, "a.jsonl:3"), (None, "a.jsonl")], ids=["with a line", "without"])
def test_reject_names_its_place(line: int | None, where: str) -> None:
    reject = Reject("a.jsonl", line, "text must not be empty; got ''")
    assert reject.where == where
    assert str(reject) == f"{where}: text must not be empty; got ''"


def test_reject_as_record_is_json_even_for_a_file_name_that_is_not_utf8() -> None:
    record = Reject("bad\udcff.txt", 2, "rule; got 1", "'x'").as_record()
    assert orjson.loads(orjson.dumps(record)) == {
        "source": "bad\\udcff.txt",
        "line": 2,
        "reason": "rule; got 1",
        "excerpt": "'x'",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Überschrift", "'Überschrift'"),
        ("\x1b[31mred\n", r"'\x1b[31mred\n'"),
        ("a\udcffb", r"'a\udcffb'"),
        (b"ok\xff", r"'ok\\xff'"),
        (None, "None"),
        (1.5, "1.5"),
        ({"a": [1, "x"]}, "{'a': [1, 'x']}"),
    ],
)
def test_excerpt_shows_a_printable_repr(value: object, expected: str) -> None:
    assert excerpt_of(value) == expected
    assert excerpt_of(value).isprintable()


@pytest.mark.parametrize("value", ["x" * 81, b"x" * 500, ["word"] * 500, {"k": "x" * 500}, 10**300])
def test_excerpt_has_at_most_80_characters(value: object) -> None:
    assert len(excerpt_of(value)) <= 80


def test_excerpt_of_exactly_80_characters_is_whole() -> None:
    assert excerpt_of("x" * 78) == "'" + "x" * 78 + "'"
    assert excerpt_of("x" * 79) == "'" + "x" * 78 + "…"


def test_excerpt_of_a_deeply_nested_value_does_not_overflow() -> None:
    value: list[object] = []
    for _ in range(50_000):
        value = [value]
    assert excerpt_of(value).startswith("[[[")


def test_corpus_error_lists_ten_and_counts_the_rest() -> None:
    error = CorpusError([Reject("f", n, "rule; got x") for n in range(1, 13)])
    assert str(error).split("\n") == [*(f"f:{n}: rule; got x" for n in range(1, 11)), "... and 2 more"]
    assert len(error.rejects) == 12


def test_corpus_error_of_ten_counts_nothing_more() -> None:
    assert str(CorpusError([Reject("f", n, "rule; got x") for n in range(10)])).endswith("f:9: rule; got x")


def test_fail_makes_a_value_error_about_one_place() -> None:
    error = fail("f.csv", "must be text; got 1", line=4, value="a\tb")
    assert isinstance(error, ValueError)
    assert str(error) == "f.csv:4: must be text; got 1"
    assert error.rejects == (Reject("f.csv", 4, "must be text; got 1", r"'a\tb'"),)
    assert fail("f.csv", "must be text; got 1").rejects[0].excerpt == ""
