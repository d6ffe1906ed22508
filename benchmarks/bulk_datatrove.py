"""A datatrove pipeline as a bulk scorer: documents in, news paragraphs out, by our step, datatrove's fastText filter or none.

``python -m benchmarks.bulk_datatrove FILTER INPUT OUTPUT --workers N``; INPUT is a folder of JSON Lines files, of which each task
takes its share. Without a filter it measures what reading and writing alone cost.
"""

import argparse
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson

FILTERS: Final = ("newswinnow", "fasttext", "none")


def to_documents(rows: Path, folder: Path, n: int) -> Path:
    """Pages of a table as documents of one line per paragraph, dealt out to so many files.

    Parameters
    ----------
    rows
        JSON Lines of paragraphs, those of a page next to each other.
    folder
        Where the files go.
    n
        How many.

    Returns
    -------
    The folder.
    """
    folder.mkdir()
    files = [(folder / f"{i}.jsonl").open("wb") for i in range(n)]
    with rows.open("rb") as file:
        for i, (page, lines) in enumerate(groupby(map(orjson.loads, file), key=itemgetter("page"))):
            document = {"id": page, "text": "\n".join(row["text"] for row in lines)}
            files[i % n].write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
    for target in files:
        target.close()
    return folder


def fasttext_filter(model: Path) -> Any:
    """The filter that datatrove has, as it documents it, paragraph by paragraph: those stay whose label is news.

    Parameters
    ----------
    model
        fastText's file.

    Returns
    -------
    The step of a pipeline.
    """
    from datatrove.pipeline.filters import FastTextClassifierFilter

    return FastTextClassifierFilter(
        str(model), keep_labels=[("news", 0.5)], save_labels_in_metadata=False, filter_mode="PARAGRAPH"
    )


def steps(name: str, model: Path | None) -> Iterator[Any]:
    """The filter in question, if any.

    Parameters
    ----------
    name
        One of :data:`FILTERS`.
    model
        fastText's file; None for the other two.

    Yields
    ------
    Steps of a pipeline.
    """
    if name == "fasttext":
        assert model is not None
        yield fasttext_filter(model)
    elif name == "newswinnow":
        from newswinnow.datatrove import ParagraphFilter

        yield ParagraphFilter(keep=["news"])


def main() -> None:
    """Run the pipeline."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("filter", choices=FILTERS)
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", type=Path, help="fastText's file")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with TemporaryDirectory() as logs:
        writer = JsonlWriter(str(options.output), output_filename="${rank}.jsonl", compression=None)
        pipeline = [JsonlReader(str(options.input)), *steps(options.filter, options.model), writer]
        LocalPipelineExecutor(pipeline, tasks=options.workers, workers=options.workers, logging_dir=logs).run()


if __name__ == "__main__":
    main()
