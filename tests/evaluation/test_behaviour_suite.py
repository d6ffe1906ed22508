from __future__ import annotations

from collections import Counter

import pytest

from newswinnow.evaluation.behaviour_suite import ALL_CONTEXTS, BAG, Kind, Rule, parse_cases, read_suite
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import collapse_whitespace


def test_the_suite_is_large_and_even_enough() -> None:
    cases = read_suite().cases
    assert len(cases) >= 250
    kinds = Counter(case.kind for case in cases)
    assert min(kinds[kind] for kind in Kind) >= 50
    of_labels = Counter((case.label, len(case.page) > 1) for case in cases if case.kind is Kind.FUNCTIONALITY)
    assert min(of_labels[label, False] for label in LABELS) >= 40
    assert min(of_labels[label, True] for label in LABELS) >= 30
    assert Counter(case.rule for case in cases)[Rule.EXACT] >= 10


def test_every_case_can_be_asked() -> None:
    for case in read_suite().cases:
        assert set(case.contexts) <= set(ALL_CONTEXTS), case.name
        assert case.targets, case.name
        assert max(case.targets) < len(case.page), case.name
        if case.before:
            assert len(case.targets_before) == len(case.targets), case.name
        assert (case.contexts == ("alone",)) == (len(case.page) == 1), case.name
        assert case.rule is not Rule.EXACT or case.contexts == (BAG,), case.name


def test_no_question_is_asked_twice() -> None:
    cases = read_suite().cases
    assert len({case.name for case in cases}) == len(cases)
    asked = Counter((case.rule, case.label, case.page, case.before, case.targets) for case in cases)
    assert [question for question, n in asked.items() if n > 1] == []


def test_no_paragraph_has_two_labels_and_pages_hold_no_paragraph_that_is_none() -> None:
    labels: dict[tuple[frozenset[str], str], set[str]] = {}
    for case in read_suite().cases:
        if case.kind is not Kind.FUNCTIONALITY:
            continue
        page = frozenset(line.text for line in case.page)
        for line in case.page:
            assert line.text == collapse_whitespace(line.text) != ""
            labels.setdefault((page, line.text), set()).add(line.label)
    assert [key[1] for key, found in labels.items() if len(found) > 1] == []


CASE = '[[functionality]]\ncapability = "x"\nlabel = "news"\ntexts = ["It rained."]'


def test_cases_are_numbered_by_kind_label_and_capability() -> None:
    other = CASE.replace("news", "boilerplate").replace("It rained.", "Share")
    names = [case.name for case in parse_cases("\n".join([CASE, other, CASE]), where="mine.toml")]
    assert names == ["functionality/news: x/1", "functionality/boilerplate: x/1", "functionality/news: x/2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("= 1", r"mine\.toml: must be valid TOML; got Invalid"),
        ('[[other]]\ncapability = "x"', "mine.toml: tables must be of functionality, page, invariance, direction; got 'other'"),
        ('[[page]]\nlines = "n | a"', r"mine\.toml: page 1 must have a capability and keys of .*; got \['lines'\]"),
        (CASE + "\ntext = 1", r"functionality 1 must have a capability and keys of .*; got \['capability', 'label', 'text', "),
        (CASE.replace("news", "new"), r"functionality 1 \(x\): label must be one of news, boilerplate, .*; got 'new'"),
        (CASE.replace('"It rained."', ""), r"functionality 1 \(x\): must hold a case; got none"),
        (CASE + '\ncontexts = ["alone", "all"]', r"contexts must be of alone, bag, .*, auto; got \['alone', 'all'\]"),
        (CASE + "\ncontexts = []", r"contexts must be of alone, bag, .*, auto; got \[\]"),
        (
            '[[invariance]]\ncapability = "x"\nchange = "rot13"\ntexts = ["a"]',
            "change must be one of upper case, .*; got 'rot13'",
        ),
        ('[[invariance]]\ncapability = "x"\ntexts = ["a"]', "change must be one of upper case, .*; got 'None'"),
        ('[[page]]\ncapability = "x"', r"page 1 \(x\)\.lines, line 1: a line must be LABEL.*; got ''"),
        (
            '[[direction]]\ncapability = "x"\ntoward = "news"\nbefore = "n | a"\nafter = """\nn | a\nn | b"""',
            "before and after must have as many lines that count; got 1 and 2",
        ),
    ],
)
def test_a_malformed_suite_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(parse_cases(text, where="mine.toml"))
