from __future__ import annotations

import json
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from newswinnow.harvest.align import MIN_PROBABILITY
from newswinnow.harvest.align_scorecard import WEIGHTS_FILE

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "014-aligned-quality"


def test_the_measured_weights_and_threshold_are_those_of_the_package() -> None:
    metrics = json.loads((EXPERIMENT / "metrics.json").read_text(encoding="utf-8"))
    weights = files("newswinnow.harvest").joinpath(WEIGHTS_FILE).read_bytes()
    assert metrics["weights_sha256"] == sha256(weights).hexdigest()
    assert metrics["threshold"] == MIN_PROBABILITY
