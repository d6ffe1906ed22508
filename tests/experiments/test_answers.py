"""Answers without texts."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.experiments.answers import answers_json, read_answers

Evaluated = Callable[..., Evaluation]
letters = st.lists(st.tuples(st.sampled_from("NBR"), st.sampled_from("NBR")), min_size=1, max_size=6)
page_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.dictionaries(page_names, letters, min_size=1, max_size=4))
def test_what_is_written_reads_back(pages: dict[str, list[tuple[str, str]]], evaluated: Evaluated, tmp_path: Path) -> None:
    split = {page: ("".join(t for t, _ in pairs), "".join(p for _, p in pairs)) for page, pairs in pages.items()}
    evaluation = evaluated(split)
    path = tmp_path / "answers.json"
    path.write_text(answers_json([evaluation]), encoding="utf-8")
    found = read_answers(path)["mine"]
    digest, table = found.data_digest, found.main[["page", "position", "label", "predicted"]]
    columns = ["page", "position", "label", "predicted"]
    expected = evaluation.table.sort_values(["page", "position"])[columns]
    assert digest == evaluation.data_digest
    assert table.sort_values(["page", "position"]).to_numpy().tolist() == expected.to_numpy().tolist()


def test_answers_hold_no_text_and_no_unlabelled_row(evaluated: Evaluated) -> None:
    evaluation = evaluated({"p": ("NBR", "NBB")})
    evaluation.table.loc[1, "label"] = None
    text = answers_json([evaluation])
    slices = {"length": "aa", "position": "ac"}
    page = {"positions": "0 2", "truth": "NR", "slices": slices, "levels": {"alone": "NB"}}
    assert json.loads(text)["tests"]["mine"]["pages"] == {"p": page}
    assert "text 0" not in text


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"mine": []}',
        '{"mine": {"pages": {}}}',
        '{"mine": {"data_digest": "", "pages": {"p": ["0", "X", "N"]}}}',
        '{"mine": {"data_digest": "", "pages": {"p": ["0 1", "N", "N"]}}}',
        '{"mine": {"data_digest": "", "pages": {"p": ["zero", "N", "N"]}}}',
        '{"format": 3, "tests": {}}',
        '{"format": 2}',
        '{"format": 2, "tests": {"mine": {"data_digest": "", "context": "alone", "slices": {}, "pages": {}}}}',
    ],
)
def test_damaged_answers_are_refused_by_name(content: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"answers\.json: must hold answers as a run writes them; got "):
        read_answers(path)


def test_missing_answers_say_what_makes_them(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"answers\.json: must be there to compare; got nothing \(newswinnow experiments run"
    ):
        read_answers(tmp_path / "answers.json")


def test_levels_and_slices_read_back(evaluated: Evaluated, tmp_path: Path) -> None:
    main, alone = evaluated({"p": ("NBR", "NBB"), "q": ("N", "N")}), evaluated({"p": ("NBR", "NNN"), "q": ("N", "B")})
    both = replace(main, context="auto", levels=(alone,))
    path = tmp_path / "answers.json"
    path.write_text(answers_json([both]), encoding="utf-8")
    found = read_answers(path)["mine"]
    assert (found.context, list(found.tables)) == ("auto", ["auto", "alone"])
    assert found.tables["alone"]["predicted"].tolist() == ["news", "news", "news", "boilerplate"]
    assert found.main["predicted"].tolist() == ["news", "boilerplate", "boilerplate", "news"]
    assert found.main["slice_position"].tolist() == ["top third", "middle third", "bottom third", "top third"]
    assert set(found.main["slice_length"]) == {"1-2 words"}


def test_a_row_without_source_is_in_no_slice(evaluated: Evaluated, tmp_path: Path) -> None:
    evaluation = evaluated({"p": ("NBR", "NBB")})
    evaluation.table["source"] = ["a", "b", None]
    path = tmp_path / "answers.json"
    path.write_text(answers_json([evaluation]), encoding="utf-8")
    found = read_answers(path)["mine"].main["slice_source"]
    assert found.tolist()[:2] == ["a", "b"]
    assert found.isna().tolist() == [False, False, True]


def test_answers_of_the_first_format_are_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text('{"mine": {"data_digest": "d", "pages": {"p": ["0 2", "NR", "NB"]}}}', encoding="utf-8")
    found = read_answers(path)["mine"]
    assert (found.data_digest, found.context) == ("d", "")
    assert found.main.to_dict("list") == {
        "page": ["p", "p"],
        "position": [0, 2],
        "label": ["news", "related-link"],
        "predicted": ["news", "boilerplate"],
    }
