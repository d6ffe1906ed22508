"""Compare libraries, shingles and thresholds for near duplicates: ``python experiments/019-near-duplicates/run.py``.

It needs ``pip install datasketch``. What the package does about duplicates stands in :mod:`newswinnow.corpus.similar`.
"""

import json
import math
import platform
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from newswinnow.corpus.similar import tokens_of_key, words_of
from newswinnow.corpus.write import write_text
from newswinnow.harvest.html import split_html
from newswinnow.harvest.sources import find_pages, load_page

HERE: Final = Path(__file__).parent
Pair = tuple[int, int]
TokenSets = Sequence[frozenset[str]]


@dataclass(frozen=True)
class Config:
    """The experiment's configuration; unknown keys are refused by the constructor."""

    title: str
    description: str
    min_words: int
    seed: int
    thresholds: list[float]
    threshold: float
    shapes: list[list[int]]
    sources: dict[str, str]


@dataclass(frozen=True)
class Proposed:
    """Pairs that a library proposes, each with its own estimate of their similarity, and how long that took (processor time)."""

    pairs: dict[Pair, float]
    seconds: float


def read_texts(config: Config) -> Iterator[str]:
    """Every paragraph of every page, labelled or not."""
    for reader, path in sorted(config.sources.items()):
        folder = HERE / path
        if not folder.is_dir():
            raise SystemExit(f"{folder}: must be there; got nothing (the public pages are not part of the repository)")
        for files in find_pages(reader, folder, source=reader):
            yield from (paragraph.text for paragraph in split_html(load_page(files).html))


def word_trigrams(key: str) -> list[str]:
    """Three neighbouring words each."""
    words = key.split(" ")
    return [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]


def character_fives(key: str) -> list[str]:
    """Five neighbouring characters each."""
    return [key[i : i + 5] for i in range(len(key) - 4)]


OURS: Final = "words and pairs of words"
SHINGLES: Final[dict[str, Callable[[str], list[str]]]] = {
    "word trigrams": word_trigrams,
    "5 characters": character_fives,
}


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Shared tokens over all tokens of two sets."""
    n_common = len(first & second)
    return n_common / (len(first) + len(second) - n_common)


def exact_pairs(sets: TokenSets, threshold: float) -> dict[Pair, float]:
    """All pairs from a Jaccard index on, by a prefix-filtered join (Bayardo, Ma, Srikant 2007)."""
    counts = Counter(token for tokens in sets for token in tokens)
    rank = {token: i for i, token in enumerate(sorted(counts, key=lambda token: (counts[token], token)))}
    holders: defaultdict[str, list[int]] = defaultdict(list)
    found = {}
    for i in sorted(range(len(sets)), key=lambda i: len(sets[i])):
        n = len(sets[i])
        candidates: set[int] = set()
        # Two sets this alike share one of their rarest tokens.
        for token in sorted(sets[i], key=rank.__getitem__)[: n - math.ceil(threshold * n - 1e-9) + 1]:
            candidates.update(j for j in holders[token] if len(sets[j]) >= threshold * n - 1e-9)
            holders[token].append(i)
        for j in candidates:
            similarity = jaccard(sets[i], sets[j])
            if similarity >= threshold:
                found[min(i, j), max(i, j)] = similarity
    return found


def propose_with_rensa(lists: list[list[str]], *, bands: int, rows: int, seed: int) -> Proposed:
    """Pairs that share a bucket of rensa's."""
    import rensa

    began = time.process_time()
    sketches = rensa.RMinHash.from_token_sets(lists, bands * rows, seed)
    index = rensa.RMinHashLSH(0.5, bands * rows, bands)
    index.insert_many(sketches, 0)
    answers = index.query_all(sketches)
    seconds = time.process_time() - began
    return Proposed(
        {(i, j): sketches[i].jaccard(sketches[j]) for i, found in enumerate(answers) for j in found if j > i}, seconds
    )


def propose_with_datasketch(lists: list[list[str]], *, bands: int, rows: int, seed: int) -> Proposed:
    """Pairs that share a bucket of datasketch's."""
    import datasketch

    began = time.process_time()
    sketches = datasketch.MinHash.bulk(
        [[token.encode() for token in tokens] for tokens in lists], num_perm=bands * rows, seed=seed
    )
    index = datasketch.MinHashLSH(num_perm=bands * rows, params=(bands, rows))
    for i, sketch in enumerate(sketches):
        index.insert(i, sketch)
    answers = [index.query(sketch) for sketch in sketches]
    seconds = time.process_time() - began
    return Proposed(
        {(i, j): sketches[i].jaccard(sketches[j]) for i, found in enumerate(answers) for j in found if j > i}, seconds
    )


LIBRARIES: Final = {"rensa": propose_with_rensa, "datasketch": propose_with_datasketch}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def measure_proposals(found: dict[Pair, float], exact: dict[Pair, float], config: Config) -> dict[str, Any]:
    """Recall of the proposals at every threshold; their precision, and that of the sketches' own estimate, at the one in use."""
    wanted = {threshold: {pair for pair, value in exact.items() if value >= threshold} for threshold in config.thresholds}
    true = wanted[config.threshold]
    estimated = {pair for pair, value in found.items() if value >= config.threshold}
    return {
        "proposed": len(found),
        "recall": {f"{threshold:g}": _share(len(pairs & found.keys()), len(pairs)) for threshold, pairs in wanted.items()},
        "missed": {f"{threshold:g}": len(pairs - found.keys()) for threshold, pairs in wanted.items()},
        "precision of the proposals": _share(len(true & found.keys()), len(found)),
        "precision of the estimate": _share(len(true & estimated), len(estimated)),
        "recall of the estimate": _share(len(true & estimated), len(true)),
    }


def compare_libraries(sets: TokenSets, exact: dict[Pair, float], config: Config) -> tuple[dict[str, Any], dict[str, float]]:
    """Every library at every shape: what it proposes, and how long it takes."""
    lists = [sorted(tokens) for tokens in sets]
    metrics, seconds = {}, {}
    for bands, rows in config.shapes:
        for library, propose in LIBRARIES.items():
            found = propose(lists, bands=bands, rows=rows, seed=config.seed)
            name = f"{library}, {bands} × {rows}"
            metrics[name] = measure_proposals(found.pairs, exact, config)
            seconds[name] = round(found.seconds, 2)
            print(f"{name}: {seconds[name]} s", file=sys.stderr)
    return metrics, seconds


def compare_shingles(keys: Sequence[str], exact: dict[Pair, float], config: Config) -> dict[str, Any]:
    """Which pairs the kinds of tokens find at the threshold in use, and how far they agree."""
    pairs = {OURS: {pair for pair, value in exact.items() if value >= config.threshold}}
    bands, rows = max(config.shapes)
    for name, tokens in SHINGLES.items():
        sets = [frozenset(tokens(key)) for key in keys]
        # An exact join over characters takes more than five minutes; what buckets propose is compared exactly instead.
        found = propose_with_rensa([sorted(tokens) for tokens in sets], bands=bands, rows=rows, seed=config.seed).pairs
        pairs[name] = {(i, j) for i, j in found if jaccard(sets[i], sets[j]) >= config.threshold}
        print(f"{name}: {len(pairs[name])} pairs", file=sys.stderr)
    return {
        name: {
            "pairs": len(found),
            "of these also by": {other: len(found & theirs) for other, theirs in pairs.items() if other != name},
        }
        for name, found in pairs.items()
    }


def differing_words(keys: Sequence[str], exact: dict[Pair, float], config: Config) -> dict[str, Any]:
    """By similarity: pairs, and in how many of them the two texts have different numbers in them."""

    def numbers(key: str) -> list[str]:
        return [word for word in key.split(" ") if word.isdigit()]

    bounds = [*config.thresholds, 1.0 + 1e-9]
    levels = {}
    for low, high in pairwise(bounds):
        inside = [(i, j) for (i, j), value in exact.items() if low <= value < high]
        n_numbers = sum(numbers(keys[i]) != numbers(keys[j]) for i, j in inside)
        levels[f"{low:g} to {min(high, 1):g}"] = {"pairs": len(inside), "with other numbers": n_numbers}
    return levels


def _number(value: float | None, form: str = ".4f") -> str:
    return "–" if value is None else f"{value:{form}}"


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def report(config: Config, metrics: dict[str, Any], manifest: dict[str, Any]) -> str:
    """The figures as Markdown."""
    text = (
        f"# {config.title}\n\n{config.description} {metrics['n_paragraphs']} paragraphs of {metrics['n_pages']} public pages, "
        f"{metrics['n_long']} different ones of {config.min_words} words or more; {metrics['n_pairs']} pairs of them have a "
        f"Jaccard index of {config.thresholds[0]:g} or more by an exact join. Times: sketching, indexing and looking up, in "
        "seconds of processor time of all threads.\n\n## Libraries\n\n"
        "Recall: share of the exact pairs at a threshold that are proposed.\n\n"
    )
    columns = ["library, bands × rows", "CPU s", "proposed", *(f"recall at {t:g}" for t in config.thresholds)]
    columns += [f"missed at {config.threshold:g}", f"precision at {config.threshold:g}", "estimate alone: precision", "recall"]
    text += _row(columns) + _row(["---"] * len(columns))
    for name, found in metrics["libraries"].items():
        recalls = [_number(value) for value in found["recall"].values()]
        cells = [found["precision of the proposals"], found["precision of the estimate"], found["recall of the estimate"]]
        missed = found["missed"][f"{config.threshold:g}"]
        text += _row([name, manifest["seconds"][name], found["proposed"], *recalls, missed, *map(_number, cells)])
    text += f"\n## Shingles, pairs at {config.threshold:g}\n\n" + _row(["tokens", "pairs", "also found by"]) + _row(["---"] * 3)
    for name, found in metrics["shingles"].items():
        text += _row([name, found["pairs"], ", ".join(f"{other}: {n}" for other, n in found["of these also by"].items())])
    text += "\n## Thresholds\n\n" + _row(["similarity", "pairs", "with other numbers in them"]) + _row(["---"] * 3)
    for name, found in metrics["thresholds"].items():
        text += _row([name, found["pairs"], found["with other numbers"]])
    return text


def main() -> None:
    """Run the experiment and write its results beside this script."""
    config = Config(**tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8")))
    n_pages = sum(
        len(find_pages(reader, HERE / path, source=reader)) for reader, path in config.sources.items() if (HERE / path).is_dir()
    )
    texts = list(read_texts(config))
    keys = list(dict.fromkeys(" ".join(words) for text in texts if len(words := words_of(text)) >= config.min_words))
    sets = [frozenset(tokens_of_key(key)) for key in keys]
    began = time.process_time()
    exact = exact_pairs(sets, config.thresholds[0])
    seconds = {"exact join": round(time.process_time() - began, 2)}
    print(f"{len(texts)} paragraphs, {len(keys)} different long ones, {len(exact)} pairs", file=sys.stderr)
    libraries, times = compare_libraries(sets, exact, config)
    metrics = {
        "n_pages": n_pages,
        "n_paragraphs": len(texts),
        "n_long": len(keys),
        "n_pairs": len(exact),
        "libraries": libraries,
        "shingles": compare_shingles(keys, exact, config),
        "thresholds": differing_words(keys, exact, config),
    }
    names = ("newswinnow", "rensa", "datasketch")
    versions = {"python": platform.python_version(), **{name: version(name) for name in names}}
    manifest = {"seconds": {**seconds, **times}, "versions": versions}
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    write_text(HERE / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    write_text(HERE / "report.md", report(config, metrics, manifest))


if __name__ == "__main__":
    main()
