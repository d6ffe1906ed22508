"""Size of the saved table of weights against quality on unseen sites.

.venv/bin/python experiments/022-compression/run.py
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from newswinnow.corpus.sample import resolve_corpus
from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import write_text
from newswinnow.evaluation.scores import confusion_by_page, label_codes, score_confusion
from newswinnow.features.hashed import LinearWeights, hashed_features, linear_logits
from newswinnow.models.scaling import Scaling
from newswinnow.models.softmax import fit_softmax
from newswinnow.models.winnow import BLOCK_SCALES
from newswinnow.paragraphs.table import LABEL, SITE, TEXT, labelled_rows

HERE: Final = Path(__file__).resolve().parent
_INDEX_BYTES: Final = 4


@dataclass(frozen=True)
class Storage:
    """One way to store the table of hashed weights: type of a number, and the share of rows kept, the heaviest ones."""

    dtype: str
    kept: float = 1.0

    def bytes_of(self, n_rows: int) -> int:
        """Size of the table; where rows are left out, each row kept needs its index."""
        n_kept = round(n_rows * self.kept)
        return n_kept * (3 * np.dtype(self.dtype).itemsize + (_INDEX_BYTES if self.kept < 1 else 0))

    def stored(self, table: Any) -> Any:
        """The table as it comes back."""
        if self.kept < 1:
            norms = np.abs(table).max(axis=1)
            least = np.sort(norms)[::-1][round(len(table) * self.kept) - 1]
            table = np.where((norms >= least)[:, None], table, np.float32(0))
        if self.dtype == "int8":
            scale = np.abs(table).max(axis=0) / 127
            return (np.rint(table / scale) * scale).astype(np.float32)
        return table.astype(self.dtype).astype(np.float32)


@dataclass(frozen=True)
class Outcome:
    """What a way to store cost."""

    bits: int
    dtype: str
    kept: float
    table_bytes: int
    macro_f1: float


def fitted(texts: list[str], codes: Any, *, bits: int, config: dict[str, Any]) -> LinearWeights:
    """Weights in full precision, classes balanced."""
    features = hashed_features(texts, bits=bits, scales=BLOCK_SCALES)
    targets = np.eye(3)[codes]
    targets *= len(codes) / (3 * targets.sum(axis=0))
    scaling = Scaling.of(features, np.ones(len(texts)), scales=BLOCK_SCALES, min_count=config["min_count"])
    return scaling.weights(fit_softmax(scaling.examples(features), targets, C=config["C"], seed=config["seed"]).weights)


def outcomes(config: dict[str, Any]) -> Iterator[Outcome]:
    """Cross-validate every number of rows, stored in every way."""
    rows = labelled_rows(read_corpus([resolve_corpus(name, relative_to=HERE) for name in config["train"]])).reset_index(drop=True)
    texts, codes = rows[TEXT].to_numpy(dtype=object), label_codes(rows[LABEL])
    folds = StratifiedGroupKFold(config["folds"], shuffle=True, random_state=config["seed"])
    parts = list(folds.split(rows, rows[LABEL].to_numpy(dtype=str), groups=rows[SITE]))
    storages = [Storage(name) for name in config["storages"]]
    storages += [Storage(name, kept) for kept in config["kept_shares"] for name in config["storages"] if name != "float32"]
    for bits in config["bits"]:
        predicted = np.zeros((len(storages), len(rows)), dtype=np.int64)
        for fit_rows, held_rows in parts:
            weights = fitted(list(texts[fit_rows]), codes[fit_rows], bits=bits, config=config)
            for i, storage in enumerate(storages):
                stored = replace(weights, hashed=storage.stored(weights.hashed))
                predicted[i, held_rows] = linear_logits(list(texts[held_rows]), stored).argmax(axis=1)
        for storage, answers in zip(storages, predicted, strict=True):
            confusion = confusion_by_page(codes, answers, np.zeros(len(codes)))[0]
            macro_f1 = float(score_confusion(confusion).macro_f1)
            yield Outcome(bits, storage.dtype, storage.kept, storage.bytes_of(1 << bits), macro_f1)


def report_lines(config: dict[str, Any], found: list[Outcome]) -> Iterator[str]:
    """The report in Markdown."""
    best = {o.bits: o.macro_f1 for o in found if (o.dtype, o.kept) == ("float32", 1.0)}
    yield f"# {config['title']}\n\n{config['description']}\n"
    yield "| rows | number | rows kept | table, MB | macro-F1 | against float32 |\n| --- | --- | --- | --- | --- | --- |"
    for o in found:
        size = f"{o.table_bytes / 1e6:.2f}"
        yield f"| 2^{o.bits} | {o.dtype} | {o.kept:.0%} | {size} | {o.macro_f1:.4f} | {100 * (o.macro_f1 - best[o.bits]):+.2f} |"


def main() -> None:
    """Run the experiment and write report and metrics beside this script."""
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    found = list(outcomes(config))
    report = "\n".join(report_lines(config, found)) + "\n"
    write_text(HERE / "report.md", report)
    write_text(HERE / "metrics.json", json.dumps({"outcomes": [asdict(o) for o in found]}, indent=1, sort_keys=True) + "\n")
    print(report)


if __name__ == "__main__":
    main()
