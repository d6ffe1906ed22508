"""The command line of the run: ``python -m benchmarks.classify``; everything else is left to the other modules."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.classify.data import GOLD, gather
from benchmarks.classify.measure import Plan, measure
from benchmarks.classify.render import section
from benchmarks.classify.results import read_results, write_results
from benchmarks.classify.systems import REFERENCE, SYSTEMS, system_named
from benchmarks.sections import write_section

HERE: Final = Path(__file__).resolve().parents[1]
PROGRAM: Final = "benchmarks.classify"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classify", description="Classifiers side by side.")
    parser.add_argument("--corpus", type=Path, action="append", default=[], metavar="FILE", help="built corpus to learn from too")
    parser.add_argument("--gold", type=Path, default=GOLD, metavar="DIR", help="folder of the hand-read pages")
    parser.add_argument("--systems", metavar="KEY,...", help=f"only these of {','.join(system.key for system in SYSTEMS)}")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of classifying and cold starts (default 5)")
    parser.add_argument("--train-rounds", type=int, default=1, help="rounds of training (default 1)")
    parser.add_argument("--seconds", type=float, default=0.5, help="least time a system classifies in a round (default 0.5)")
    parser.add_argument("--timed", type=int, default=30_000, metavar="N", help="paragraphs classified in a pass (default 30000)")
    parser.add_argument("--mixed", type=int, default=200_000, metavar="N", help="paragraphs of the mixed training set")
    parser.add_argument(
        "--json", type=Path, default=HERE / "classify.json", metavar="FILE", help="where the results go with --write"
    )
    parser.add_argument("--write", action="store_true", help="write FILE and the section of benchmarks/README.md")
    parser.add_argument("--render", action="store_true", help="measure nothing; make the section from FILE")
    return parser


def _run(chosen: argparse.Namespace) -> str:
    if chosen.render:
        return section(read_results(chosen.json))
    systems = [system_named(key) for key in chosen.systems.split(",")] if chosen.systems else SYSTEMS
    for name in ("rounds", "train_rounds", "timed", "mixed"):
        if (value := getattr(chosen, name)) < 1:
            raise ValueError(f"--{name.replace('_', '-')}: must be >= 1; got {value}")
    data = gather(chosen.corpus, gold=chosen.gold, n_timed=chosen.timed, n_mixed=chosen.mixed)
    plan = Plan(n_rounds=chosen.rounds, n_train_rounds=chosen.train_rounds, seconds=chosen.seconds)
    results = measure(systems, data, plan, reference=REFERENCE, progress=lambda text: print(text, file=sys.stderr, flush=True))
    if chosen.write:
        write_results(results, chosen.json)
    return section(results)


def main(arguments: Sequence[str]) -> int:
    """Run from the command line.

    Parameters
    ----------
    arguments
        Without the program's name.

    Returns
    -------
    Exit code: 0, or 2 for an input error.
    """
    chosen = _parser().parse_args(arguments)
    try:
        text = _run(chosen)
        if chosen.write:
            write_section(HERE / "README.md", text, program=PROGRAM)
    except (OSError, ValueError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
