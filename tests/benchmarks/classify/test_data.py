"""What is learnt from, scored and timed."""

import json
from pathlib import Path

import pandas as pd
import pytest
from benchmarks.classify.child import read_batch, read_training
from benchmarks.classify.data import gather, in_page_order, mix, whole_pages, write_batch, write_training


def rows(*pages: tuple[str, str | None, int], label: str = "news") -> pd.DataFrame:
    """Pages as (id, site, number of paragraphs)."""
    records = [
        {"page": page, "position": i, "text": f"{page} {i}", "label": label, "site": site}
        for page, site, n in pages
        for i in range(n)
    ]
    return pd.DataFrame(records).astype({"page": "str", "text": "str", "label": "str", "site": "str"})


def test_pages_are_brought_together_and_into_order() -> None:
    table = rows(("b", None, 2), ("a", None, 2)).iloc[[1, 3, 0, 2]]
    assert in_page_order(table)["text"].tolist() == ["b 0", "b 1", "a 0", "a 1"]


@pytest.mark.parametrize(("n_paragraphs", "n_kept"), [(1, 2), (2, 2), (3, 5), (99, 5)])
def test_the_last_page_is_not_cut(n_paragraphs: int, n_kept: int) -> None:
    tables = [rows(("a", None, 2)), rows(("b", None, 3))]
    assert len(whole_pages(tables, n_paragraphs=n_paragraphs)) == n_kept


def test_mix_keeps_what_was_read_and_adds_whole_pages_in_an_order_of_their_names() -> None:
    read = rows(("a", None, 2), label="related-link")
    aligned = rows(("a", None, 3), ("b", None, 4), ("c", None, 4))
    mixed = mix(read, aligned, n_paragraphs=7)
    assert mixed["label"].tolist()[:2] == ["related-link", "related-link"]
    assert not mixed.duplicated(["page", "text"]).any()
    n_added = mixed.iloc[2:].groupby("page").size().to_dict()
    assert n_added.items() <= {"a": 1, "b": 4, "c": 4}.items()
    assert 7 <= len(mixed) <= 10
    shuffled = aligned.sample(frac=1, random_state=0)
    assert set(mix(read, shuffled, n_paragraphs=7)["text"]) == set(mixed["text"])


def test_rows_without_a_label_are_not_learnt_from() -> None:
    aligned = rows(("b", None, 2))
    aligned.loc[0, "label"] = None
    assert mix(rows(("a", None, 1)), aligned, n_paragraphs=9)["text"].tolist() == ["a 0", "b 1"]


def gold_folder(folder: Path) -> Path:
    for name in ("train", "dev_news", "dev_mixed"):
        record = {"page": name, "position": 0, "text": f"{name} text", "label": "news", "site": f"{name}.example"}
        (folder / f"{name}.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    return folder


def test_hand_read_pages_are_used_where_they_are(tmp_path: Path) -> None:
    data = gather([], gold=gold_folder(tmp_path), n_timed=2, n_mixed=9)
    assert [training.name for training in data.trainings] == ["read"]
    assert list(data.tests) == ["dev_news", "dev_mixed"]
    assert data.timed["text"].tolist() == ["dev_news text", "dev_mixed text"]
    assert data.skipped == ("aligned paragraphs: no built corpus was named (--corpus FILE, see docs/corpus.md)",)


def test_a_built_corpus_is_learnt_from_less_the_test_sites(tmp_path: Path) -> None:
    built = tmp_path / "built.jsonl"
    records = [
        {"page": site, "position": 0, "text": f"{site} built", "label": "news", "site": site}
        for site in ("www.dev_news.example", "new.example")
    ]
    built.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    data = gather([built], gold=gold_folder(tmp_path), n_timed=2, n_mixed=9)
    assert [training.name for training in data.trainings] == ["read", "mixed"]
    assert data.trainings[1].table["text"].tolist() == ["train text", "new.example built"]
    assert data.skipped == ()


def test_the_sample_stands_in_where_they_are_not(tmp_path: Path) -> None:
    data = gather([], gold=tmp_path / "gold", n_timed=100, n_mixed=9)
    assert [training.name for training in data.trainings] == list(data.tests) == ["sample"]
    assert len(data.timed) >= 100
    assert data.skipped[0].startswith("hand-read pages: train, dev_news, dev_mixed not in gold/ beside the project")
    assert not set(data.trainings[0].table["site"]) & set(data.tests["sample"]["site"])


def test_files_for_the_processes_come_back_the_same(table: pd.DataFrame, tmp_path: Path) -> None:
    pages = pd.concat([table, table.assign(page="harbour.example/b")], ignore_index=True)
    batch = read_batch(write_batch(pages, tmp_path / "batch.jsonl"))
    assert (batch.texts, batch.bounds) == (pages["text"].tolist(), [(0, 4), (4, 8)])
    labelled = table[table["label"].notna()]
    training = read_training(write_training(labelled, tmp_path / "train.jsonl"))
    assert training.texts == labelled["text"].tolist()
    assert training.labels == ["news", "boilerplate", "news"]
    assert training.origins == ["written"] * 3
    assert training.pages == ["harbour.example/a"] * 3
    assert training.sites == ["harbour.example"] * 3


def test_what_nobody_knows_of_a_training_paragraph_stays_unknown(table: pd.DataFrame, tmp_path: Path) -> None:
    bare = table.head(3).drop(columns="origin").assign(site=pd.Series(["a.example", None, None], dtype="str"))
    training = read_training(write_training(bare, tmp_path / "bare.jsonl"))
    assert training.sites == ["a.example", None, None]
    assert training.origins == [None, None, None]
