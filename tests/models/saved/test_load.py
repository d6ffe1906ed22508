"""Rows 3 and 4: damage, wrong digests, other versions; and what a trusted joblib file must hold."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import ModelLoadError, load_model, save_model, verify_model

TEXTS = ["Share this", "The council of Tarn voted on Monday, officials said.", "Tarn to repair old bridge", "Ξένο"]
N_FLIPS, N_CUTS = 200, 50


def is_refused(model: Any) -> bool:
    try:
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    except ModelLoadError as error:
        return "\n" not in str(error)
    return False


def dumped(value: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


@pytest.fixture(params=["joblib model.joblib", "joblib manifest.json", "plain weights.safetensors", "plain manifest.json"])
def target(request: pytest.FixtureRequest) -> tuple[Any, Path]:
    """A model of either kind and one of its files."""
    kind, name = request.param.split()
    saved = request.getfixturevalue("model" if kind == "joblib" else "portable")
    return saved, saved.directory / name


def test_every_one_of_200_flipped_bits_is_refused(target: tuple[Any, Path]) -> None:
    saved, path = target
    good = path.read_bytes()
    refused = []
    for place in map(int, np.random.default_rng(0).choice(len(good) * 8, size=N_FLIPS, replace=False)):
        data = bytearray(good)
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        refused.append(is_refused(saved))
    path.write_bytes(good)
    assert refused == [True] * N_FLIPS
    assert not is_refused(saved)


def test_every_one_of_50_truncations_is_refused(target: tuple[Any, Path]) -> None:
    saved, path = target
    good = path.read_bytes()
    lengths = [0, len(good) - 1, *np.random.default_rng(1).choice(len(good), size=N_CUTS - 2, replace=False).tolist()]
    refused = []
    for data in [*(good[:length] for length in lengths), good + b"\0"]:
        path.write_bytes(data)
        refused.append(is_refused(saved))
    assert refused == [True] * (N_CUTS + 1)


def test_member_and_manifest_changed_together_are_refused_by_the_callers_digest(model: Any, rule: Predictor) -> None:
    digest = model.put_member(dumped(rule.estimator))
    with pytest.raises(ModelLoadError, match=rf"sha256 must be {model.sha256}; got {digest}"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    with pytest.raises(ModelLoadError, match="golden probes must agree to 1e-06; got"):
        load_model(model.directory, allow_pickle=True, sha256=digest)


@pytest.mark.parametrize("sha256", ["", "0" * 64, "abc"])
def test_wrong_digest_is_refused(model: Any, portable: Any, sha256: str) -> None:
    for saved in (model, portable):
        with pytest.raises(ModelLoadError, match=rf"{saved.member.name}: sha256 must be {sha256}; got {saved.sha256}"):
            load_model(saved.directory, allow_pickle=True, sha256=sha256)


@pytest.mark.parametrize("version", ["0.1.0", "1.0", "99.9.1", "", None, ["1", "9"]])
def test_another_minor_version_of_scikit_learn_is_refused(model: Any, version: Any) -> None:
    model.edit(lambda m: m["versions"].update({"scikit-learn": version}))
    with pytest.raises(ModelLoadError, match=r"only under the scikit-learn minor version it was saved with, .*newswinnow train"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


def test_another_patch_version_of_scikit_learn_loads(model: Any) -> None:
    minor = ".".join(sklearn.__version__.split(".")[:2])
    model.edit(lambda m: m["versions"].update({"scikit-learn": f"{minor}.999"}))
    loaded = load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    assert np.array_equal(loaded.predict_proba(TEXTS), model.predictor.predict_proba(TEXTS))


def test_missing_version_of_scikit_learn_is_refused(model: Any) -> None:
    model.edit(lambda m: m["versions"].pop("scikit-learn"))
    with pytest.raises(ModelLoadError, match=r"only under the scikit-learn minor version it was saved with, None; got"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize("version", ["0.1.0", "99.9.1", None])
def test_plain_numbers_load_whatever_scikit_learn_they_come_from(portable: Any, version: Any) -> None:
    portable.edit(lambda m: m["versions"].update({"scikit-learn": version}))
    assert load_model(portable.directory).predict(["Share"]).tolist() == ["boilerplate"]


def shift_probe(manifest: dict[str, Any]) -> None:
    manifest["probes"]["probabilities"]["alone"][40][2] += 1e-11


def test_verification_accepts_a_sound_model(original: Any, portable: Any) -> None:
    assert verify_model(original.directory, original.sha256).manifest["metrics"] == {"held": 0.5}
    assert verify_model(portable.directory).contexts == ("alone",)
    assert verify_model().manifest["format"] == "ladder"


@pytest.mark.parametrize("kind", ["model", "portable"])
def test_verification_is_stricter_than_loading(kind: str, request: pytest.FixtureRequest) -> None:
    saved = request.getfixturevalue(kind)
    saved.edit(shift_probe)
    load_model(saved.directory, allow_pickle=True, sha256=saved.sha256)
    with pytest.raises(ModelLoadError, match=r"golden probes must agree to 1e-12; got a difference of"):
        verify_model(saved.directory, saved.sha256)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["probes"]["rows"]["text"].reverse(),
        lambda m: m["probes"]["probabilities"]["alone"][0].reverse(),
        lambda m: m["probes"]["probabilities"].update(alone=[[0.0] * 3] * 64),
    ],
)
def test_other_probabilities_are_refused(model: Any, change: Callable[[dict[str, Any]], Any]) -> None:
    model.edit(change)
    with pytest.raises(ModelLoadError, match=r"golden probes must agree to 1e-06; got a difference of"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


def test_verification_needs_the_right_digest(original: Any) -> None:
    with pytest.raises(ModelLoadError, match="sha256 must be"):
        verify_model(original.directory, "0" * 64)


def test_a_pipeline_of_ones_own_is_saved_and_loaded(tmp_path: Path) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, ["boilerplate", "news", "related-link", "news"])
    digest = save_model(Predictor(pipeline), tmp_path / "model")
    loaded = load_model(tmp_path / "model", allow_pickle=True, sha256=digest)
    assert np.array_equal(loaded.predict_proba(TEXTS), Predictor(pipeline).predict_proba(TEXTS))
    assert loaded.manifest["spec"] == {}


@pytest.mark.parametrize("data", [b"", b"no joblib file", b"\x80\x05garbage"])
def test_trusted_file_that_is_no_joblib_is_refused(model: Any, data: bytes) -> None:
    digest = model.put_member(data)
    with pytest.raises(ModelLoadError, match=r"model\.joblib: must .*; got"):
        load_model(model.directory, allow_pickle=True, sha256=digest)


@pytest.mark.parametrize("value", [{"a": 1}, TfidfVectorizer(), LogisticRegression().fit([[0], [1]], ["spam", "ham"])])
def test_trusted_file_that_holds_no_classifier_is_refused(model: Any, value: Any) -> None:
    digest = model.put_member(dumped(value))
    with pytest.raises(ModelLoadError, match=r"model\.joblib: must hold a classifier of the three labels; got"):
        load_model(model.directory, allow_pickle=True, sha256=digest)
