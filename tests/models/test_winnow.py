"""The classifier that ships: scikit-learn's contract while training, plain numbers once deployed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from newswinnow.models.linear import weights_from_tensors, weights_to_tensors
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import MANIFEST, WEIGHTS, ModelLoadError, load_model, save_model, verify_model
from newswinnow.models.saved.manifest import manifest_bytes
from newswinnow.models.winnow import WinnowClassifier
from newswinnow.paragraphs.label import LABELS

NEWS = ["The old bridge over the river opened again on Monday, the town said.", "“We waited for years,” said one of the drivers."]
BOILERPLATE = ["Share", "Advertisement", "Sign up for our newsletter", "© 2026 The Daily Example"]
RELATED = ["Council to vote on harbour wall after second storm", "Ferry crew praised after night rescue"]


def corpus(n: int = 12) -> tuple[list[str], list[str]]:
    texts = [f"{text} {i}" if i % 2 else text for i in range(n) for text in (*NEWS, *BOILERPLATE, *RELATED)]
    labels = ["news"] * 2 + ["boilerplate"] * 4 + ["related-link"] * 2
    return texts, labels * n


@pytest.fixture(scope="module")
def fitted() -> WinnowClassifier:
    return WinnowClassifier(bits=12).fit(*corpus())


@pytest.fixture
def saved(fitted: WinnowClassifier, tmp_path: Path) -> Path:
    save_model(Predictor(fitted, {"spec": {"family": "winnow"}}), tmp_path / "model")
    return tmp_path / "model"


def test_it_learns_the_three_labels(fitted: WinnowClassifier) -> None:
    texts = ["It rained on the old bridge again, the drivers said.", "Newsletter", "Harbour crew to vote after storm"]
    assert fitted.predict(texts).tolist() == ["news", "boilerplate", "related-link"]
    np.testing.assert_allclose(fitted.predict_proba(texts).sum(axis=1), 1)


def test_columns_follow_scikit_learn_while_training_and_label_order_once_deployed(fitted: WinnowClassifier) -> None:
    sorted_columns = fitted.predict_proba(NEWS)
    deployed = fitted.model_.predict_proba(NEWS)
    assert fitted.classes_.tolist() == ["boilerplate", "news", "related-link"]
    assert fitted.model_.classes_.tolist() == [str(label) for label in LABELS]
    np.testing.assert_array_equal(sorted_columns[:, [1, 0, 2]], deployed)
    assert fitted.model_.predict(NEWS).tolist() == fitted.predict(NEWS).tolist() == ["news", "news"]


def test_training_twice_gives_the_same_weights(fitted: WinnowClassifier) -> None:
    again = clone(fitted).fit(*corpus())
    for name, tensor in weights_to_tensors(again.model_.weights).items():
        np.testing.assert_array_equal(tensor, weights_to_tensors(fitted.model_.weights)[name])


def test_two_labels_are_enough_and_the_third_stays_away() -> None:
    model = WinnowClassifier(bits=10).fit([*NEWS, *BOILERPLATE], ["news"] * 2 + ["boilerplate"] * 4)
    assert model.classes_.tolist() == ["boilerplate", "news"]
    assert model.predict([*NEWS, "Share"]).tolist() == ["news", "news", "boilerplate"]
    assert model.model_.predict_proba(NEWS)[:, 2].max() < 1e-4


def test_sample_weight_moves_the_answer() -> None:
    texts, labels = ["Storm warning"] * 4, ["news", "news", "related-link", "related-link"]
    for favoured in ("news", "related-link"):
        weight = [9.0 if label == favoured else 1.0 for label in labels]
        model = WinnowClassifier(bits=10, balanced=False).fit(texts, labels, sample_weight=weight)
        assert model.predict(["Storm warning"]).tolist() == [favoured]


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [
        ({"bits": 3}, ["news", "news"], r"bits: must be 8 to 24; got 3"),
        ({}, ["news"], r"y: must have one label per text, 2; got 1"),
        ({}, ["news", "NEWS"], r"y: labels must be of news, boilerplate, related-link; got 'NEWS'"),
    ],
)
def test_fit_refuses(options: dict[str, Any], y: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WinnowClassifier(**options).fit(NEWS, y)


def test_unfitted_use_is_refused() -> None:
    with pytest.raises(NotFittedError, match="not fitted"):
        WinnowClassifier().predict(NEWS)


def test_it_works_in_scikit_learn() -> None:
    texts, labels = corpus(4)
    scores = cross_validate(WinnowClassifier(bits=10), texts, labels, cv=3, scoring="f1_macro")
    assert scores["test_score"].mean() > 0.9
    pipeline = make_pipeline(FunctionTransformer(pd.Series), WinnowClassifier(bits=10))
    search = GridSearchCV(pipeline, {"winnowclassifier__C": [0.1, 1.0]}, cv=2).fit(texts, labels)
    assert search.best_params_["winnowclassifier__C"] in (0.1, 1.0)


def test_saved_model_comes_back_without_trust_and_without_scikit_learn(saved: Path, fitted: WinnowClassifier) -> None:
    loaded = load_model(saved)
    np.testing.assert_array_equal(loaded.predict_proba(NEWS), fitted.model_.predict_proba(NEWS))
    verify_model(saved)
    program = (
        "import sys; from newswinnow import load_model; print(load_model(sys.argv[1]).predict(['Share'])[0]); "
        "assert not {'sklearn', 'typer', 'matplotlib', 'jinja2'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(saved)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "boilerplate\n"), done.stderr


def test_every_flipped_bit_and_every_cut_is_refused(saved: Path) -> None:
    rng = np.random.default_rng(1)
    whole = (saved / WEIGHTS).read_bytes()
    for position in rng.integers(0, len(whole) * 8, size=100):
        damaged = bytearray(whole)
        damaged[position // 8] ^= 1 << (position % 8)
        (saved / WEIGHTS).write_bytes(damaged)
        with pytest.raises(ModelLoadError, match=r"sha256 must be .*; got"):
            load_model(saved)
    for size in rng.integers(0, len(whole), size=30):
        (saved / WEIGHTS).write_bytes(whole[:size])
        with pytest.raises(ModelLoadError, match=r"sha256 must be .*; got"):
            load_model(saved)


def rewrite(saved: Path, tensors: dict[str, Any]) -> None:
    import hashlib

    from safetensors.numpy import save

    data = save(tensors)
    (saved / WEIGHTS).write_bytes(data)
    manifest = json.loads((saved / MANIFEST).read_text(encoding="utf-8"))
    manifest["members"][WEIGHTS] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (saved / MANIFEST).write_bytes(manifest_bytes(manifest, where="test"))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("dense", lambda t: t[:3], r"dense must be float32 of shape \(38, 3\); got float32 of shape \(3, 3\)"),
        ("bias", lambda t: t.astype(np.float64), r"bias must be float32"),
        ("bias", lambda t: t * np.float32("nan"), r"bias must hold finite numbers; got others"),
        ("hashed", lambda t: t[:-1], r"hashed must have a power of two of rows"),
        (
            "bias",
            lambda t: t + np.array([0.01, 0, 0], np.float32),
            r"golden probes must agree to 1e-06; got a difference of 0\.00",
        ),
        ("hashed", lambda t: np.ascontiguousarray(t[::-1]), r"golden probes must agree to 1e-06; got a difference of"),
    ],
)
def test_crafted_weights_are_refused_although_their_digest_is_right(saved: Path, name: str, change: Any, message: str) -> None:
    tensors = weights_to_tensors(load_model(saved).estimator.weights)
    rewrite(saved, {**tensors, name: change(tensors[name])})
    with pytest.raises(ModelLoadError, match=message):
        load_model(saved)


def test_unknown_tensors_are_refused(fitted: WinnowClassifier) -> None:
    with pytest.raises(ValueError, match=r"tensors must be bias, dense, hashed, scales; got bias"):
        weights_from_tensors({"bias": np.zeros(3, dtype=np.float32)})


def test_an_expected_digest_is_held_against_the_file(saved: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"sha256 must be 0{64}; got"):
        load_model(saved, sha256="0" * 64)


def test_the_shipped_model_loads_and_reads_a_page() -> None:
    model = load_model()
    texts = [
        "Share",
        "Advertisement",
        "The bridge over the river Tarn was reopened on Monday after two years of repairs, the town said.",
    ]
    assert model.predict(texts).tolist() == ["boilerplate", "boilerplate", "news"]
    assert model.manifest["spec"]["family"] == "ladder"
    assert model.manifest["members"][WEIGHTS]["bytes"] < 5_000_000
