"""What a second pass gains: trafilatura's text cleaned once more, against article bodies that are known.

``python -m benchmarks.after_trafilatura --write`` puts the table into docs/embedding.md; ``--model DIR --context order`` measures
another model. Pages of sites that the model was trained on (``--train``) are left out.
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from benchmarks.sections import write_section

from newswinnow import load_model
from newswinnow.corpus.jsonl import read_jsonl
from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.sites import registrable_domain
from newswinnow.harvest.html import split_html
from newswinnow.harvest.sources import find_pages
from newswinnow.harvest.sources.page import read_html_file, read_json_object
from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT, FloatArray, collapse_whitespace

ROOT: Final = Path(__file__).resolve().parents[1]
SHARED: Final = ROOT.parent / "shared"
GUIDE: Final = ROOT / "docs" / "embedding.md"
RESULTS: Final = ROOT / "benchmarks" / "after_trafilatura.json"
PROGRAM: Final = "benchmarks/after_trafilatura.py"
N_TOKENS: Final = 4
N_RESAMPLES: Final = 2000
_TOKEN: Final = re.compile(r"\w+")

EXTRACT, RECALL, ALONE = "trafilatura", "trafilatura, favor_recall", "newswinnow on all paragraphs of the page"
THEN, CAREFULLY = "; then newswinnow, news kept", "; then newswinnow, what is surely no news dropped"
SURE: Final = 0.05
"""A line is surely no news if its probability of news is lower. Chosen before anything was measured, and not tuned."""


@dataclass(frozen=True)
class KnownPage:
    """A page, its registrable domain, and the article's body."""

    page: str
    site: str
    html: str
    raw: bytes
    body: str


@dataclass(frozen=True)
class Overlap:
    """Shares of 4-token shingles, repeated ones counted as often as they stand: of a text in the body, and of the body in it."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean; 0 where nothing is shared."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Four words in a row, as the public benchmarks of extractors count them; a shorter text is one shingle.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    Shingle to how often it stands there.

    Examples
    --------
    >>> dict(shingles("It rained in Bern, again."))
    {('it', 'rained', 'in', 'bern'): 1, ('rained', 'in', 'bern', 'again'): 1}
    """
    tokens = _TOKEN.findall(text.lower())
    return Counter(tuple(tokens[i : i + N_TOKENS]) for i in range(max(len(tokens) - N_TOKENS + 1, min(len(tokens), 1))))


def overlap(text: str, body: str) -> Overlap:
    """How far a text is the body.

    Parameters
    ----------
    text
        What was extracted.
    body
        What should have been.

    Returns
    -------
    Precision, 0 where nothing was extracted, and recall.

    Examples
    --------
    >>> overlap("Share it. It rained in Bern.", "It rained in Bern.")
    Overlap(precision=0.3333333333333333, recall=1.0)
    """
    found, true = shingles(text), shingles(body)
    n_both = (found & true).total()
    return Overlap(n_both / max(found.total(), 1), n_both / max(true.total(), 1))


@dataclass(frozen=True)
class Seen:
    """What a model was trained on: ids of pages, and registrable domains of their sites."""

    pages: frozenset[str]
    sites: frozenset[str]


def seen_in(corpus: Path) -> Seen:
    """Pages and sites of a corpus.

    Parameters
    ----------
    corpus
        JSON Lines; its ``site`` may have a host's name with ``www.`` and all.

    Returns
    -------
    Pages and sites.
    """
    collector = RecordCollector(RecordRules(keeps_empty=True))
    with corpus.open("rb") as file:
        read_jsonl(file, source=str(corpus), into=collector)
    sites = {site for record in collector.records if (site := record.get("site"))}
    return Seen(frozenset(record[PAGE] for record in collector.records), frozenset(registrable_domain(s) or s for s in sites))


def known_pages(folder: Path, *, without: Seen, limit: int | None = None) -> Iterator[KnownPage]:
    """Article pages of WCXB with a body.

    Parameters
    ----------
    folder
        The collection.
    without
        Pages and sites to leave out.
    limit
        Most pages; None for all.

    Yields
    ------
    Pages in order of their ids.
    """
    n_pages = 0
    for files in find_pages("wcxb", folder, source="wcxb"):
        truth = read_json_object(files.body) if files.body else {}
        body = truth.get("ground_truth", {}).get("main_content") or ""
        kind = truth.get("_internal", {}).get("page_type", {}).get("primary", "article")
        site = registrable_domain(truth.get("url") or "") or registrable_domain(files.site) or files.page
        if kind != "article" or not body.strip() or files.page in without.pages or site in without.sites:
            continue
        raw = read_html_file(files.html)
        yield KnownPage(files.page, site, raw.decode("utf-8", "replace"), raw, body)
        n_pages += 1
        if n_pages == limit:
            return


def news_lines(model: Predictor, text: str, *, context: str = AUTO) -> dict[str, str]:
    """The lines of a text that are news, strictly and carefully judged.

    Parameters
    ----------
    model
        The predictor.
    text
        A paragraph a line, list items with a dash in front.
    context
        Level of information to use.

    Returns
    -------
    :data:`THEN` and :data:`CAREFULLY` to the lines kept.
    """
    lines = [line for line in text.split("\n") if line.strip(" -\t")]
    texts = [collapse_whitespace(line.lstrip().removeprefix("- ")) for line in lines]
    rows = Rows({PAGE: ["page"] * len(lines), POSITION: list(range(len(lines))), TEXT: texts})
    found = model.predict_proba(rows, context=context)
    is_kept = {THEN: [label == "news" for label in model.labels_of(found)], CAREFULLY: (found[:, 0] >= SURE).tolist()}
    return {name: "\n".join(compress(lines, kept)) for name, kept in is_kept.items()}


def clean_page(model: Predictor, raw: bytes, *, context: str = AUTO) -> str:
    """The news among all paragraphs of a page.

    Parameters
    ----------
    model
        The predictor.
    raw
        Its HTML.
    context
        Level of information to use.

    Returns
    -------
    The paragraphs kept.
    """
    found = split_html(raw)
    columns: dict[str, Sequence[Any]] = {PAGE: ["page"] * len(found), POSITION: range(len(found)), TEXT: [p.text for p in found]}
    rows = Rows({**columns, TAG: [p.tag for p in found], LINK_DENSITY: [p.link_density for p in found]})
    labels = model.predict(rows, context=context)
    return "\n".join(p.text for p, label in zip(found, labels, strict=True) if label == "news")


def texts_of_page(page: KnownPage, model: Predictor, *, context: str) -> dict[str, str]:
    """What every system makes of a page.

    Parameters
    ----------
    page
        The page.
    model
        The predictor.
    context
        Level of information to use.

    Returns
    -------
    System to text.
    """
    from trafilatura import extract

    texts = {}
    for name, favor_recall in ((EXTRACT, False), (RECALL, True)):
        texts[name] = extract(page.html, favor_recall=favor_recall) or ""
        texts |= {name + way: text for way, text in news_lines(model, texts[name], context=context).items()}
    return {**texts, ALONE: clean_page(model, page.raw, context=context)}


def interval(values: FloatArray, sites: Sequence[str], *, seed: int = 0) -> list[float]:
    """Mean over pages with its 95 % interval, sites drawn with replacement.

    Parameters
    ----------
    values
        One per page.
    sites
        The pages' sites.
    seed
        Of the draws.

    Returns
    -------
    Mean, lower and upper bound.
    """
    _, codes = np.unique(np.array(sites), return_inverse=True)
    sums, counts = np.bincount(codes, weights=values), np.bincount(codes)
    draws = np.random.default_rng(seed).integers(0, len(sums), (N_RESAMPLES, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    return [float(values.mean()), *map(float, np.quantile(means, [0.025, 0.975]))]


def summary(scores: Mapping[str, Sequence[Overlap]], sites: Sequence[str]) -> dict[str, Any]:
    """Means over pages, and what the second pass gains.

    Parameters
    ----------
    scores
        System to one overlap per page.
    sites
        The pages' sites.

    Returns
    -------
    Plain values.
    """
    systems = {}
    for name, pages in scores.items():
        values = {"precision": [p.precision for p in pages], "recall": [p.recall for p in pages], "f1": [p.f1 for p in pages]}
        systems[name] = {key: interval(np.array(value), sites) for key, value in values.items()}
    gains = {}
    for after in (name for name in scores if name.endswith((THEN, CAREFULLY))):
        before = scores[after.split(";")[0]]
        difference = np.array([b.f1 - a.f1 for a, b in zip(before, scores[after], strict=True)])
        better, worse = int((difference > 0).sum()), int((difference < 0).sum())
        gains[after] = {"f1": interval(difference, sites), "pages_better": better, "pages_worse": worse}
    return {"n_pages": len(sites), "n_sites": len(set(sites)), "systems": systems, "gains": gains}


def render(result: Mapping[str, Any]) -> str:
    """The table of the guide.

    Parameters
    ----------
    result
        From :func:`measure`.

    Returns
    -------
    Markdown.
    """
    lines = [
        f"{result['n_pages']:,} pages of {result['n_sites']:,} sites; trafilatura {result['trafilatura']}; "
        f"model {result['model']}, context {result['context']}; sure means P(news) < {SURE}.",
        "",
        "| | precision | recall | F1 | gain | pages better / worse |",
    ]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, values in result["systems"].items():
        precision, recall, f1 = (values[key] for key in ("precision", "recall", "f1"))
        gain = result["gains"].get(name)
        change = f"{_signed(gain['f1'])} | {gain['pages_better']} / {gain['pages_worse']}" if gain else " | "
        lines.append(f"| {name} | {precision[0]:.3f} | {recall[0]:.3f} | {f1[0]:.3f} ({f1[1]:.3f}–{f1[2]:.3f}) | {change} |")
    return "\n".join(lines)


def _signed(values: Sequence[float]) -> str:
    return f"{values[0]:+.4f} ({values[1]:+.4f} to {values[2]:+.4f})"


def measure(
    pages: Iterator[KnownPage], model: Predictor, *, context: str, tick: Callable[[int], None] = lambda n: None
) -> dict[str, Any]:
    """Measure every system on every page.

    Parameters
    ----------
    pages
        With known bodies.
    model
        The predictor.
    context
        Level of information to use.
    tick
        Called with the number of pages done.

    Returns
    -------
    What :func:`summary` gives, and what it was measured with.
    """
    scores: dict[str, list[Overlap]] = defaultdict(list)
    sites = []
    for page in pages:
        for name, text in texts_of_page(page, model, context=context).items():
            scores[name].append(overlap(text, page.body))
        sites.append(page.site)
        tick(len(sites))
    digests = [entry["sha256"][:12] for entry in model.manifest.get("members", {}).values()]
    about = {"trafilatura": metadata.version("trafilatura"), "model": digests[0] if digests else "not saved", "context": context}
    return {**about, **summary(scores, sites)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write if asked to.

    Parameters
    ----------
    arguments
        Of the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, default=SHARED / "sources" / "wcxb", help="directory of WCXB")
    parser.add_argument("--train", type=Path, default=SHARED / "gold" / "train.jsonl", help="corpus whose sites are left out")
    parser.add_argument("--model", type=Path, help="saved model; the one that ships if not given")
    parser.add_argument("--trust", help="sha256 expected of a joblib model")
    parser.add_argument("--context", default=AUTO)
    parser.add_argument("--limit", type=int, help="most pages")
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/embedding.md and the figures beside this file"
    )
    options = parser.parse_args(arguments)
    model = load_model(options.model, allow_pickle=options.trust is not None, sha256=options.trust)
    pages = known_pages(options.pages, without=seen_in(options.train), limit=options.limit)

    def tick(n: int) -> None:
        if n % 100 == 0:
            print(f"{n} pages", file=sys.stderr)

    result = measure(pages, model, context=options.context, tick=tick)
    print(render(result))
    if options.write:
        write_section(GUIDE, render(result), program=PROGRAM)
        RESULTS.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
