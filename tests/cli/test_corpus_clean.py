"""`newswinnow corpus dedup`, `split`, `audit`, `review` and `apply-review`."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Cli = Callable[..., Result]
COOKIES = "We use cookies to give you the best experience on our website, as you may well know"
LABELS = ("news", "boilerplate", "related-link")


def words(*key: object) -> str:
    source = random.Random(repr(key))
    return " ".join(f"word{source.randrange(9999)}" for _ in range(12))


def page_rows(site: str, page: str | None = None, *, key: object = None) -> list[dict[str, Any]]:
    texts = [("news", words(key or site, 0)), ("news", words(key or site, 1)), ("related-link", words(key or site, 2))]
    texts += [("boilerplate", COOKIES), ("boilerplate", "Share")]
    rows = enumerate(texts)
    return [{"page": page or f"{site}/1", "position": i, "text": text, "label": label, "site": site} for i, (label, text) in rows]


@pytest.fixture
def corpus(jsonl: Any, tmp_path: Path) -> Path:
    """Ten sites, an article that two of them carry, and a page without a site."""
    rows = [row for i in range(9) for row in page_rows(f"www.s{i}.example")]
    rows += page_rows("copy.example", key="www.s1.example") + [{**row, "site": None} for row in page_rows("none", "lone")]
    path: Path = jsonl(tmp_path / "corpus.jsonl", rows)
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_dedup_drops_the_copied_page_and_says_so(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    result = cli("corpus", "dedup", corpus, "-o", out)
    assert result.exit_code == 0
    assert "rows dropped with pages      5\n" in result.stdout
    assert "paragraphs kept              50\n" in result.stdout
    assert "near-duplicate pages: www.s1.example/1, copy.example/1 (the first is kept)" in result.stderr
    assert "copy.example/1" not in {row["page"] for row in lines_of(out)}
    assert len(lines_of(out)) == 50


def test_dedup_json_and_paragraphs(cli: Cli, corpus: Path) -> None:
    found = json.loads(cli("corpus", "dedup", corpus, "--paragraphs", "--json").stdout)
    assert (found["rows_dropped_with_pages"], found["paragraphs_dropped"], found["paragraphs_kept"]) == (5, 9, 41)
    assert found["duplicate_pages"] == [["www.s1.example/1", "copy.example/1"]]
    assert found["clashes"] == []


def test_dedup_lists_clashing_labels(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    rows = [row for i in range(12) for row in page_rows(f"s{i}.example")]
    rows += [{**row, "page": f"x{row['page']}", "label": "related-link"} for row in rows if row["label"] == "news"]
    result = cli("corpus", "dedup", jsonl(tmp_path / "c.jsonl", rows))
    assert result.exit_code == 0
    assert result.stderr.count("warning: clashing labels: ") == 10
    assert "is news at s0.example/1:0, related-link at xs0.example/1:0\n" in result.stderr
    assert "... and 14 more clashes (--json lists all)\n" in result.stderr


def test_split_writes_parts_that_share_nothing(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "parts"
    result = cli("corpus", "split", corpus, "-o", out, "--parts", "train=0.6,dev=0.2,test=0.2", "--audit")
    assert result.exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["dev.jsonl", "test.jsonl", "train.jsonl"]
    header, _, train, dev, test, audit, *_ = result.stdout.split("\n")
    assert header.split()[:3] == ["part", "pages", "paragraphs"]
    assert [line.split()[0] for line in (train, dev, test)] == ["train", "dev", "test"]
    assert audit.startswith("audit  shared sites  shared pages  near duplicates")
    assert "10 sites, 1 groups of sites kept together" in result.stderr
    assert "warning: 1 pages without a site were each taken for a site of their own\n" in result.stderr
    assert "stand in the training part" not in result.stderr
    texts = [{row["text"] for row in lines_of(path)} - {"Share"} for path in sorted(out.iterdir())]
    assert not texts[0] & texts[1] | texts[0] & texts[2] | texts[1] & texts[2]


def test_split_is_the_same_for_the_same_seed(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    contents = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert cli("corpus", "split", corpus, "-o", tmp_path / name, "--seed", seed).exit_code == 0
        contents.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert contents[0] == contents[1] != contents[2]


def test_split_json_holds_counts_and_audit(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    arguments = ("corpus", "split", corpus, "-o", tmp_path / "p", "--parts", "fit=0.5,look=0.5", "--format", "csv", "--json")
    found = json.loads(cli(*arguments).stdout)
    assert found["joined_sites"] == [["copy.example", "s1.example"]]
    assert (found["sites"], found["pages_without_site"], list(found["parts"])) == (10, 1, ["fit", "look"])
    assert sum(part["paragraphs"] + part["dropped"] for part in found["parts"].values()) == 55
    assert "audit" not in found
    audited = json.loads(cli(*arguments, "--audit", "--overwrite").stdout)["audit"]
    assert [(leak["part"], leak["n_shared"], leak["warnings"]) for leak in audited] == [("look", 0, [])]
    assert (tmp_path / "p" / "fit.csv").read_text(encoding="utf-8").startswith("page,position,text,label,site\n")


def test_audit_of_a_leaky_split_warns(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    train = jsonl(tmp_path / "train.jsonl", [row for i in range(4) for row in page_rows(f"a{i}.example")])
    test = jsonl(tmp_path / "test.jsonl", page_rows("news.a0.example", key="a1.example"))
    result = cli("corpus", "audit", train, test)
    assert result.exit_code == 0
    assert result.stdout.split("\n")[2].split()[:6] == ["test.jsonl", "1", "0", "4", "4", "4"]
    warnings = [line for line in result.stderr.split("\n") if line.startswith("warning: ")]
    assert [line.split(": ")[1] for line in warnings] == ["test.jsonl"] * 3
    assert "a model can score here by remembering, not by reading" in warnings[2]
    assert "is like a1.example/1:0" in result.stderr
    (values,) = json.loads(cli("corpus", "audit", train, test, "--json").stdout)
    assert (values["shared_sites"], values["n_shared"], len(values["warnings"])) == (["a0.example"], 4, 3)


def test_audit_without_labels_shows_no_scores(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    rows = [{name: value for name, value in row.items() if name != "label"} for row in page_rows("a.example")]
    result = cli("corpus", "audit", jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", page_rows("b.example")))
    assert result.exit_code == 0
    assert result.stdout.split("\n")[2].split()[-2:] == ["-", "-"]


@pytest.fixture
def doubtful(jsonl: Any, tmp_path: Path, rows_of: Any) -> Path:
    """A corpus that the three-line rule knows, but for one label."""
    rows = rows_of("d", n_sites=4)
    rows[0] = {**rows[0], "label": "news"}
    path: Path = jsonl(tmp_path / "doubtful.jsonl", rows)
    return path


RULE = ("--family", "three-line", "--folds", 2)


def test_a_review_is_written_edited_and_applied(cli: Cli, doubtful: Path, tmp_path: Path) -> None:
    review, out = tmp_path / "doubts.tsv", tmp_path / "better.jsonl"
    result = cli("corpus", "review", doubtful, "-o", review, "--top", 2, *RULE)
    assert result.exit_code == 0
    assert result.stdout == f"2 rows to review in {review}\n"
    assert result.stderr.startswith("32 labels, ")
    header, first, *_ = review.read_text(encoding="utf-8").split("\n")
    assert header == "page\tposition\ttext\tlabel\tsuggested\tconfidence\tnew_label"
    assert first.startswith("d0.example/0\t0\tShare\tnews\tboilerplate\t")
    review.write_text(review.read_text(encoding="utf-8").replace(first, f"{first}boilerplate"), encoding="utf-8")
    applied = cli("corpus", "apply-review", review, doubtful, "-o", out)
    assert (applied.exit_code, applied.stderr) == (0, "")
    assert applied.stdout == "1 labels changed, 0 labels removed, 0 labels confirmed, 1 labels undecided\n"
    before, after = lines_of(doubtful), lines_of(out)
    assert after[0] == {**before[0], "label": "boilerplate"}
    assert after[1:] == before[1:]
    counts = json.loads(cli("corpus", "apply-review", review, doubtful, "-o", out, "--overwrite", "--json").stdout)
    assert counts == {"changed": 1, "removed": 0, "confirmed": 0, "undecided": 1}


def test_without_a_number_the_likely_errors_are_written(cli: Cli, doubtful: Path, tmp_path: Path) -> None:
    result = cli("corpus", "review", doubtful, "-o", tmp_path / "r.tsv", "--json", *RULE)
    counts = json.loads(result.stdout)
    assert counts["labelled"] == 32
    assert counts["written"] == counts["likely_wrong"] == 1


def test_an_edit_that_does_not_match_is_one_line_and_nothing_is_written(cli: Cli, doubtful: Path, tmp_path: Path) -> None:
    review, out = tmp_path / "doubts.tsv", tmp_path / "better.jsonl"
    cli("corpus", "review", doubtful, "-o", review, "--top", 1, *RULE)
    edited = review.read_text(encoding="utf-8").replace("Share", "Shared").rstrip("\n") + "news\n"
    review.write_text(edited, encoding="utf-8")
    result = cli("corpus", "apply-review", review, doubtful, "-o", out)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{review}:2: text must be that of the corpus, 'Share'; got 'Shared'\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dedup", "absent.jsonl"], "absent.jsonl: must be an existing file"),
        (["dedup", "{corpus}", "-o", "{corpus}", "--overwrite"], "must not be one of the inputs"),
        (["dedup", "{corpus}", "-o", "{folder}/x.txt"], "format must be one of jsonl, csv, tsv, parquet; got 'txt'"),
        (["split", "{corpus}", "-o", "{folder}/p", "--parts", "train=2"], "fractions: must name at least two parts; got train"),
        (
            ["split", "{corpus}", "-o", "{folder}/p", "--format", "xml"],
            "one of jsonl, csv, tsv, parquet; got 'xml'",
        ),
        (["split", "{corpus}", "-o", "{folder}", "--parts", "corpus=0.5,x=0.5"], "corpus.jsonl: must not be one of the inputs"),
        (["audit", "{corpus}", "absent.jsonl"], "absent.jsonl: must be an existing file"),
        (["review", "{corpus}", "-o", "{folder}/r.csv"], "a review file must end in .tsv; got '.csv'"),
        (["review", "{corpus}", "-o", "{folder}/r.tsv", "--family", "bert"], "family: must be one of"),
        (
            ["apply-review", "{corpus}", "{corpus}", "-o", "{folder}/n.jsonl"],
            "corpus.jsonl:1: must have the columns page",
        ),
        (["split", "{corpus}", "-o", "{folder}/p", "--threshold", "0.2"], "Invalid value for '--threshold'"),
    ],
)
def test_bad_input_exits_2_and_says_why(arguments: list[str], said: str, cli: Cli, corpus: Path, tmp_path: Path) -> None:
    result = cli("corpus", *(word.format(corpus=corpus, folder=tmp_path) for word in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_parts_that_exist_are_kept(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "dev.jsonl").write_text("mine", encoding="utf-8")
    result = cli("corpus", "split", corpus, "-o", tmp_path / "p")
    assert result.exit_code == 2
    assert "dev.jsonl: must not exist yet" in result.stderr
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["dev.jsonl"]
    assert (tmp_path / "p" / "dev.jsonl").read_text(encoding="utf-8") == "mine"


def test_a_missing_package_is_one_line(cli: Cli, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rensa", None)
    result = cli("corpus", "dedup", corpus)
    assert result.exit_code == 2
    assert result.stderr == "duplicates: near duplicates need rensa; got no such package (pip install 'newswinnow[clean]')\n"
