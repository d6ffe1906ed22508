"""The main job from beginning to end on the written sample: `make demo` runs this. It only calls the command line."""

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(sys.executable).with_name("newswinnow")
RUN, RULE = "runs/demo", "runs/demo-rule"


def show(title: str, command: str) -> None:
    """Print a command as a user would type it, run it, and stop where it fails."""
    print(f"\n# {title}\n$ newswinnow {command}", flush=True)
    done = subprocess.run([PROGRAM, *shlex.split(command)], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    """Check, train, evaluate, compare, predict, clean."""
    show("Is the corpus sound?", "corpus check data/sample/train.jsonl data/sample/test.jsonl")
    show("What is in it?", "corpus stats data/sample/train.jsonl")
    show("Train, cross-validate by site, evaluate on sites never seen", f"train -o {RUN} --overwrite")
    show("Train the baseline to beat", f"train data/three-line.toml -o {RULE} --overwrite")
    show("Is the model better than the rule?", f"experiments compare {RULE} {RUN}")
    show("A page that a crawler flattened, out of order", f"predict data/pages/shuffled.txt --format table --model {RUN}/model")
    show("Only the news of an HTML page, by the model that ships", "clean data/pages/daily.html")
    print(f"\nThe report, to open in a browser: {RUN}/report.html")


if __name__ == "__main__":
    main()
