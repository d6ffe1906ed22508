"""Fit and measure the alignment scorecard: ``python experiments/014-aligned-quality/run.py [--write-weights]``.

Measuring itself stands in :mod:`newswinnow.evaluation.alignment`; this script only joins pages, folds and reports.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pandas as pd
from sklearn.model_selection import GroupKFold

from newswinnow.corpus.write import write_text
from newswinnow.evaluation.alignment import AlignmentQuality, measure_alignment
from newswinnow.evaluation.scores import Estimate
from newswinnow.harvest import align_scorecard
from newswinnow.harvest.align import MIN_PROBABILITY, align_page, align_paragraph, closest_article, page_evidence
from newswinnow.harvest.align import table_from_alignment as alignment_table
from newswinnow.harvest.align_body import find_body
from newswinnow.harvest.align_scorecard import Scorecard, fit_scorecard, packaged_scorecard
from newswinnow.harvest.inputs import read_paragraphs
from newswinnow.harvest.sources import find_pages, load_page
from newswinnow.harvest.structure import StructuredPage, structure_html
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, SITE, SOURCE, TEXT

HERE: Final = Path(__file__).parent
# Other processors and library versions round the fit's last digit otherwise.
TOLERANCE: Final = 0.01
WEIGHTS: Final = Path(align_scorecard.__file__).with_name(align_scorecard.WEIGHTS_FILE)


@dataclass(frozen=True)
class EvidentPage:
    """One page with the evidence of its paragraphs and the table that its alignment would fill."""

    name: str
    structured: StructuredPage
    evidence: list[tuple[str, ...]]

    def table(self, card: Scorecard, min_probability: float) -> pd.DataFrame:
        """The page's paragraphs aligned by a scorecard."""
        found = [align_paragraph(names, card, min_probability=min_probability) for names in self.evidence]
        return alignment_table(self.structured, found, name=self.name)


def read_config() -> dict[str, Any]:
    """The configuration beside this script."""
    return tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))


def read_labels(path: str, sources: Iterable[str]) -> pd.DataFrame:
    """Hand-read paragraphs of the sources at hand."""
    table = read_paragraphs(HERE / path)
    return table[table[SOURCE].isin(list(sources))].reset_index(drop=True)


def _load(read: pd.DataFrame, sources: dict[str, str]) -> Iterator[EvidentPage]:
    wanted = set(read[PAGE])
    for source in sorted(sources):
        for files in find_pages(source, (HERE / sources[source]).resolve(), source=source):
            if files.page not in wanted:
                continue
            page = load_page(files)
            if page.articles:
                structured = structure_html(page.html)
                article = closest_article(structured, page.articles)
                match = find_body(structured, article.body)
                yield EvidentPage(files.page, structured, page_evidence(structured, match, article))


def _examples(pages: Sequence[EvidentPage], read: pd.DataFrame) -> pd.DataFrame:
    """Evidence of every hand-read paragraph whose text stands as often on the page as among those read."""
    rows = pd.DataFrame(
        [
            (page.name, block.text, names)
            for page in pages
            for block, names in zip(page.structured.blocks, page.evidence, strict=True)
        ],
        columns=[PAGE, TEXT, "evidence"],
    )
    keyed = [
        table.assign(k=table.groupby([PAGE, TEXT]).cumcount(), n=table.groupby([PAGE, TEXT])[TEXT].transform("size"))
        for table in (read[[PAGE, TEXT, LABEL, SITE]], rows)
    ]
    joined = keyed[0].merge(keyed[1], on=[PAGE, TEXT, "k", "n"])
    return joined[joined[LABEL].notna()].reset_index(drop=True)


def _fit(examples: pd.DataFrame) -> Scorecard:
    return fit_scorecard(examples["evidence"].tolist(), examples[LABEL].tolist())


def cross_validate(
    pages: Sequence[EvidentPage], read: pd.DataFrame, config: dict[str, Any]
) -> dict[float, tuple[AlignmentQuality, ...]]:
    """Quality at each threshold on pages of sites that the weights were not fitted on."""
    examples = _examples(pages, read)
    sites = read.groupby(PAGE)[SITE].first()
    folds = GroupKFold(config["folds"], shuffle=True, random_state=config["seed"])
    cards: dict[str, Scorecard] = {}
    for fit_rows, held_rows in folds.split(examples, groups=examples[SITE]):
        card, held = _fit(examples.iloc[fit_rows]), set(examples[SITE].iloc[held_rows])
        cards |= {page.name: card for page in pages if sites[page.name] in held}
    thresholds = sorted({*config["thresholds"], MIN_PROBABILITY})
    return {
        threshold: measure_alignment(
            pd.concat([page.table(cards[page.name], threshold) for page in pages if page.name in cards]),
            read,
            seed=config["seed"],
        )
        for threshold in thresholds
    }


def check_weights(fitted: Scorecard, *, write: bool) -> None:
    """Write the packaged weights, or refuse to report on weights that the pages do not give."""
    if write:
        write_text(WEIGHTS, fitted.as_json())
        packaged_scorecard.cache_clear()
    packaged = packaged_scorecard().weights
    names = packaged.keys() | fitted.weights.keys()
    zero = (0.0,) * len(LABELS)
    differences = [
        abs(a - b) for name in names for a, b in zip(packaged.get(name, zero), fitted.weights.get(name, zero), strict=True)
    ]
    if packaged.keys() != fitted.weights.keys() or max(differences) > TOLERANCE:
        raise ValueError(f"{WEIGHTS}: must be what the train pages give; got other weights (run again with --write-weights)")


def report_on(read: pd.DataFrame, sources: dict[str, str], *, seed: int) -> tuple[AlignmentQuality, ...]:
    """Quality of the packaged scorecard, as users get it."""
    wanted, tables = set(read[PAGE]), []
    for source in sorted(set(read[SOURCE])):
        for files in find_pages(source, (HERE / sources[source]).resolve(), source=source):
            if files.page in wanted:
                page = load_page(files)
                structured = structure_html(page.html)
                found = align_page(structured, closest_article(structured, page.articles)) if page.articles else []
                tables.append(alignment_table(structured, found, name=files.page))
    return measure_alignment(pd.concat(tables), read, seed=seed)


def _cell(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"


def _tables(title: str, qualities: Sequence[AlignmentQuality]) -> Iterator[str]:
    yield f"## {title}\n\n| source | pages | read | joined | null | macro-F1 |\n| --- | --- | --- | --- | --- | --- |"
    for q in qualities:
        counts = f"{q.n_pages} | {q.n_read} | {q.share_joined:.1%} | {q.share_null:.1%}"
        yield f"| {q.source} | {counts} | {_cell(q.scores.macro_f1)} |"
    yield "\n| source | label | read and labelled | null | precision | recall | F1 |\n| --- | --- | --- | --- | --- | --- | --- |"
    for q in qualities:
        for label in q.scores.labels:
            values = f"{_cell(label.precision)} | {_cell(label.recall)} | {_cell(label.f1)}"
            yield f"| {q.source} | {label.label} | {label.support} | {q.null_by_label[label.label]:.1%} | {values} |"
    yield ""


def report_lines(
    config: dict[str, Any], validated: dict[float, tuple[AlignmentQuality, ...]], reports: dict[str, tuple[AlignmentQuality, ...]]
) -> Iterator[str]:
    """The report in Markdown: tables only."""
    yield f"# {config['title']}\n\n{config['description']} Intervals: 95 %, over pages.\n"
    yield from _tables(f"train, cross-validated by site, threshold {MIN_PROBABILITY:g}", validated[MIN_PROBABILITY])
    yield "## train, cross-validated by site, at other thresholds\n"
    yield "| source | threshold | null | macro-F1 | " + " | ".join(f"F1 {label}" for label in LABELS) + " |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for threshold, qualities in validated.items():
        for q in qualities:
            per_label = " | ".join(f"{label.f1.value:.3f}" for label in q.scores.labels)
            yield f"| {q.source} | {threshold:g} | {q.share_null:.1%} | {q.scores.macro_f1.value:.3f} | {per_label} |"
    yield ""
    for name, qualities in reports.items():
        yield from _tables(f"{name}, packaged weights", qualities)


def write_results(lines: Iterable[str], metrics: dict[str, Any]) -> None:
    """Write report and metrics beside this script."""
    write_text(HERE / "report.md", "\n".join(lines).rstrip() + "\n")
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1, sort_keys=True) + "\n")


def main(arguments: Sequence[str]) -> None:
    """Run the experiment.

    Parameters
    ----------
    arguments
        Command-line arguments.

    Raises
    ------
    ValueError
        If the packaged weights are not those that the train pages give.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write-weights", action="store_true", help="Replace the packaged weights by those fitted here.")
    parser.add_argument("--train-only", action="store_true", help="Leave the pages to report on alone and write no report.")
    options = parser.parse_args(arguments)
    config = read_config()
    train = read_labels(config["read"]["train"], config["sources"])
    pages = list(_load(train, config["sources"]))
    validated = cross_validate(pages, train, config)
    check_weights(_fit(_examples(pages, train)), write=options.write_weights)
    if options.train_only:
        print("\n".join(report_lines(config, validated, {})))
        return
    read = {Path(path).stem: read_labels(path, config["sources"]) for path in config["read"]["report"]}
    reports = {name: report_on(table, config["sources"], seed=config["seed"]) for name, table in read.items()}
    metrics = {
        "threshold": MIN_PROBABILITY,
        "weights_sha256": sha256(WEIGHTS.read_bytes()).hexdigest(),
        "train": {f"{threshold:g}": [q.as_dict() for q in found] for threshold, found in validated.items()},
        "report": {name: [q.as_dict() for q in found] for name, found in reports.items()},
    }
    lines = list(report_lines(config, validated, reports))
    write_results(lines, metrics)
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
