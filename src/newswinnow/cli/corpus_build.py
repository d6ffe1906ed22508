"""``newswinnow corpus``: fetch, build, release-labels."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newswinnow.cli.command import command
from newswinnow.cli.options import TABLE_SUFFIXES, JsonOption, OverwriteOption
from newswinnow.cli.output import REJECTED, print_json, print_table, progress_bar, reported_errors, say

if TYPE_CHECKING:
    from newswinnow.harvest.build import BuildResult

CacheOption = Annotated[
    Path | None,
    typer.Option("--cache", help="Where fetched collections are kept; else NEWSWINNOW_CACHE or the user's cache.", metavar="DIR"),
]


def fetch_command(
    name: Annotated[str, typer.Argument(help="wcxb or fundus.", metavar="NAME")],
    copy_from: Annotated[
        Path | None, typer.Option("--from", help="Take the files from a copy on this machine.", metavar="DIR", show_default=False)
    ] = None,
    mirror: Annotated[str | None, typer.Option("--mirror", help="Download from another address.", metavar="URL")] = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download a public collection at its pinned revision, every file checked; a fetch that was cut goes on where it stopped.

    Exit codes: 0 done; 2 a file is missing, differs from its digest or cannot be downloaded.

    Parameters
    ----------
    name
        The collection.
    copy_from
        A copy to use instead of the network.
    mirror
        Another server.
    cache
        Where it goes.
    as_json
        Print the result as JSON.
    """
    with reported_errors():
        from newswinnow.harvest.fetch import collection_named, fetch

        collection = collection_named(name)
        if copy_from is not None and not copy_from.is_dir():
            raise FileNotFoundError(f"{copy_from}: must be an existing directory; got nothing there")
        with progress_bar() as progress:
            fetched = fetch(collection, cache=cache, copy_from=copy_from, mirror=mirror, progress=progress)
        if as_json:
            counts = {"n_files": fetched.n_files, "n_new": fetched.n_new, "differing": list(fetched.differing)}
            print_json({"directory": str(fetched.directory), "revision": collection.revision, **counts})
            return
        say(f"{collection.title}, {collection.licence}, {collection.homepage}")
        say(f"{fetched.n_files} files, {fetched.n_new} of them new")
        if fetched.differing:
            say(f"{len(fetched.differing)} differ from the digests known here, which the revision leaves open")
        print(fetched.directory)


def build_command(
    config: Annotated[Path, typer.Argument(help="What to build from.", metavar="CONFIG")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=f"The corpus instead of the configuration's: {TABLE_SUFFIXES}.", metavar="FILE"),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-w", help="Processes that read and align pages.", min=1)] = 2,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Build a labelled corpus from collections and label releases; beside it a manifest of all that went in and was left out.

    Exit codes: 0 done; 1 done, but some pages could not be read; 2 usage or input error.

    Parameters
    ----------
    config
        TOML file.
    output
        The corpus file.
    workers
        Processes.
    cache
        Where fetched collections are.
    as_json
        Print the manifest without its list of pages.
    overwrite
        Replace an earlier corpus.
    """
    with reported_errors():
        from newswinnow.harvest.build import build_corpus
        from newswinnow.harvest.build_config import read_build_config

        recipe = read_build_config(config)
        with progress_bar() as progress:
            result = build_corpus(
                recipe, config.parent, output=output, cache=cache, workers=workers, overwrite=overwrite, progress=progress
            )
        if as_json:
            print_json({**result.manifest, "dropped": result.manifest["dropped"]["counts"], "output": _shown(result.output)})
        else:
            _print_build(result)
        if result.n_unreadable:
            for page in result.manifest["dropped"]["pages"]:
                if page["kind"] == "unreadable":
                    say(f"{page['page']}: {page['reason']}")
            raise typer.Exit(REJECTED)


def _print_build(result: "BuildResult") -> None:
    from newswinnow.harvest.build_manifest import manifest_path
    from newswinnow.harvest.folders import describe_passed_over

    manifest = result.manifest
    rows = [_source_row(name, entry["corpus"]) for name, entry in manifest["sources"].items()]
    print_table(["source", "pages", "paragraphs", "news", "boilerplate", "related-link", "unlabelled"], rows)
    if manifest["labels"]:
        print()
        columns = ["labels", "released", "on these pages", "found", "aligned alike", "otherwise", "not at all"]
        print_table(columns, [_join_row(name, entry) for name, entry in manifest["labels"].items()])
    for kind, count in manifest["dropped"]["counts"].items():
        say(f"left out: {count} {'page' if count == 1 else 'pages'}, {kind}")
    for name, entry in manifest["sources"].items():
        if skipped := describe_passed_over(Counter(entry["passed_over"])):
            say(f"passed over in {name}: {skipped}")
    say(f"written: {_shown(result.output)}, {manifest_path(result.output).name}")


def _shown(path: Path) -> str:
    """A path without detours, from the working directory where it lies below that."""
    whole, here = path.parent.resolve() / path.name, Path.cwd()
    return str(whole.relative_to(here) if whole.is_relative_to(here) else whole)


def _source_row(name: str, counts: dict[str, Any]) -> list[str]:
    return [name, str(counts["pages"]), str(counts["paragraphs"]), *map(str, counts["labels"].values())]


def _join_row(name: str, entry: dict[str, Any]) -> list[str]:
    keys = ("n_labels", "n_labels_on_pages", "n_found", "n_aligned_same", "n_aligned_other", "n_aligned_none")
    return [name, *(str(entry[key]) for key in keys)]


def release_labels_command(
    table: Annotated[Path, typer.Argument(help="Labelled paragraph table.", metavar="TABLE")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The release, .csv or .csv.gz.", metavar="FILE")],
    overwrite: OverwriteOption = False,
) -> None:
    """Write the labels of a table without its texts: page, position, sha256 of the text, label.

    Exit codes: 0 done; 2 usage or input error.

    Parameters
    ----------
    table
        Labelled table.
    output
        The release.
    overwrite
        Replace an earlier one.
    """
    with reported_errors():
        from newswinnow.corpus.tables import read_corpus
        from newswinnow.harvest.releases import release_labels, write_release

        if output.exists() and not overwrite:
            raise FileExistsError(f"{output}: must not exist; got a file there (--overwrite replaces it)")
        if output.exists() and output.samefile(table):
            raise ValueError(f"{output}: must not be the table itself; got the same file")
        release = release_labels(read_corpus([table]))
        write_release(release, output)
        print(f"{len(release)} labels on {release['page'].nunique()} pages")


def register(app: typer.Typer) -> None:
    """Add the commands to their group.

    Parameters
    ----------
    app
        The ``corpus`` group.
    """
    command(app, "fetch", example="newswinnow corpus fetch wcxb --from ../shared/sources/wcxb")(fetch_command)
    command(app, "build", example="newswinnow corpus build data/build-public.toml -o runs/public.jsonl.gz")(build_command)
    command(app, "release-labels", example="newswinnow corpus release-labels my.jsonl -o labels.csv.gz")(release_labels_command)
