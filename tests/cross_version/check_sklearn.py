"""Load saved models under an older scikit-learn and under this one: ``make check-sklearn``.

A throwaway environment gets the older version. Plain numbers must say the same in both; a joblib model must load where it was
made and be refused, in one line, everywhere else.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "models" / "fixtures" / "format-1"
EXPECTED = json.loads(FIXTURE.with_suffix(".json").read_text(encoding="utf-8"))
TOLERANCE = 1e-6

# What each environment does: score the fixture, make a joblib model of its own, and load those it is handed.
PROGRAM = """
import json, sys
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from newswinnow import load_model, save_model
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import ModelLoadError

task = json.loads(sys.argv[1])
result = {"scikit-learn": sklearn.__version__, "loaded": {}}
result["probabilities"] = load_model(task["fixture"]).predict_proba(task["texts"]).tolist()
if "make" in task:
    texts = ["Share", "Menu", "It rained on Monday.", "He ran home.", "Rain to go on", "Five things to know"]
    labels = ["boilerplate", "boilerplate", "news", "news", "related-link", "related-link"]
    model = Predictor(make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(texts, labels))
    result["sha256"] = save_model(model, task["make"])
for directory, sha256 in task["load"]:
    try:
        load_model(directory, allow_pickle=True, sha256=sha256)
        result["loaded"][directory] = "loaded"
    except ModelLoadError as error:
        result["loaded"][directory] = str(error)
print(json.dumps(result))
"""


def environment(version: str) -> Path:
    """Interpreter of a throwaway environment with that scikit-learn and this package, made on first use."""
    home = ROOT / ".venv" / f"sklearn-{version}"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, f"scikit-learn=={version}.*", str(ROOT)], check=True)
    # The same version number does not mean the same code: a checkout is always installed anew.
    subprocess.run([*install, "--force-reinstall", "--no-deps", str(ROOT)], check=True)
    return python


def run_in(python: Path | str, task: dict[str, Any]) -> dict[str, Any]:
    """What the program says in that environment; it runs away from the checkout, so that the installed package is used."""
    with tempfile.TemporaryDirectory() as folder:
        command: list[str] = [str(python), "-W", "error", "-c", PROGRAM, json.dumps(task)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        sys.exit(f"{python}: must load and save models; got {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def difference(one: list[list[float]], other: list[list[float]]) -> float:
    """Largest difference of two tables of probabilities."""
    return max(abs(a - b) for row, its in zip(one, other, strict=True) for a, b in zip(row, its, strict=True))


def is_refused(message: str) -> bool:
    """Whether a refusal is one line that says why and what to do."""
    return "\n" not in message and "only under the scikit-learn minor version it was saved with" in message


def main(version: str) -> None:
    """Compare both versions; anything unexpected is a line on stderr and exit code 1."""
    older, here = environment(version), sys.executable
    with tempfile.TemporaryDirectory() as folder:
        common = {"fixture": str(FIXTURE), "texts": EXPECTED["texts"]}
        ours, theirs = f"{folder}/ours", f"{folder}/theirs"
        new = run_in(here, {**common, "make": ours, "load": []})
        old = run_in(older, {**common, "make": theirs, "load": [(ours, new["sha256"])]})
        own = run_in(older, {**common, "load": [(theirs, old["sha256"])]})
        back = run_in(here, {**common, "load": [(theirs, old["sha256"]), (ours, new["sha256"])]})
    print(f"scikit-learn {old['scikit-learn']} and {new['scikit-learn']}")
    worst = max(difference(EXPECTED["probabilities"], run["probabilities"]) for run in (new, old, own, back))
    between = difference(old["probabilities"], new["probabilities"])
    print(f"plain numbers: largest difference {worst:.1e} from what format 1 promises, {between:.1e} between the two")
    print(f"joblib of {new['scikit-learn']} under {old['scikit-learn']}: {old['loaded'][ours].replace(folder + '/', '')}")
    print(f"joblib of {old['scikit-learn']} under {new['scikit-learn']}: {back['loaded'][theirs].replace(folder + '/', '')}")
    print(f"joblib where it was made: {own['loaded'][theirs]}, {back['loaded'][ours]}")
    is_right = worst <= TOLERANCE and is_refused(old["loaded"][ours]) and is_refused(back["loaded"][theirs])
    if not is_right or [own["loaded"][theirs], back["loaded"][ours]] != ["loaded", "loaded"]:
        sys.exit("check-sklearn: models must load and be refused as documented; got what is printed above")


if __name__ == "__main__":
    main(sys.argv[1])
