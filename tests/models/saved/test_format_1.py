"""The promise of format version 1: the committed model loads in every later version and says what it said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from newswinnow.models.saved import load_model, read_manifest, verify_model

FIXTURES = Path(__file__).parents[1] / "fixtures"
MODEL = FIXTURES / "format-1"
EXPECTED = json.loads((FIXTURES / "format-1.json").read_text(encoding="utf-8"))


def test_it_is_format_1_and_small() -> None:
    assert read_manifest(MODEL)["format_version"] == 1
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 200_000


def test_it_loads_and_says_what_it_said() -> None:
    found = load_model(MODEL).predict_proba(EXPECTED["texts"])
    assert np.allclose(found, EXPECTED["probabilities"], rtol=0, atol=1e-6)
    assert found.argmax(axis=1).tolist() == np.argmax(EXPECTED["probabilities"], axis=1).tolist()


def test_it_passes_its_verification() -> None:
    verify_model(MODEL)


def test_every_process_gives_the_same_probabilities() -> None:
    code = (
        "import json, sys; from newswinnow import load_model\n"
        "print(json.dumps(load_model(sys.argv[1]).predict_proba(json.loads(sys.argv[2])).tolist()))"
    )
    command = [sys.executable, "-c", code, str(MODEL), json.dumps(EXPECTED["texts"])]
    printed = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)}
    (line,) = printed
    # This process may have compiled code at hand where a new one reads a few texts in Python: the last bit may differ.
    here = load_model(MODEL).predict_proba(EXPECTED["texts"])
    assert np.allclose(json.loads(line), here, rtol=0, atol=1e-12)
