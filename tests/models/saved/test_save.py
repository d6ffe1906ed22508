from __future__ import annotations

import copy
import hashlib
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import sklearn
from safetensors.numpy import load, save
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from newswinnow.models.predictor import Predictor
from newswinnow.models.rules import LineRule
from newswinnow.models.saved import (
    ModelLoadError,
    ModelSaveError,
    library_versions,
    load_model,
    needs_trust,
    probe_rows,
    probe_texts,
    read_manifest,
    save_model,
)
from newswinnow.models.winnow import WinnowClassifier

TEXTS = ["Share this", "The council of Tarn voted on Monday, officials said.", "Tarn to repair old bridge", "Ξένο"]
META: dict[str, Any] = {"spec": {}, "training": {}, "metrics": {}}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Coming back the same


def test_round_trip_in_the_same_process(original: Any) -> None:
    loaded = load_model(original.directory, allow_pickle=True, sha256=original.sha256)
    assert np.array_equal(loaded.predict_proba(TEXTS), original.predictor.predict_proba(TEXTS))
    assert loaded.predict(TEXTS).tolist() == original.predictor.predict(TEXTS).tolist()
    assert loaded.contexts == ("alone",)
    for key in ("spec", "training", "metrics"):
        assert loaded.manifest[key] == original.predictor.manifest[key]


def test_round_trip_in_a_new_process(original: Any) -> None:
    code = (
        "import json, sys; from newswinnow import load_model\n"
        "model = load_model(sys.argv[1], allow_pickle=True, sha256=sys.argv[2])\n"
        "print(json.dumps(model.predict_proba(json.loads(sys.argv[3])).tolist()))"
    )
    command = [sys.executable, "-c", code, str(original.directory), original.sha256, json.dumps(TEXTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=original.directory)
    assert json.loads(done.stdout) == original.predictor.predict_proba(TEXTS).tolist()


def test_a_saved_model_is_two_readable_files_and_nothing_else(original: Any) -> None:
    assert sorted(path.name for path in original.directory.iterdir()) == ["manifest.json", "model.joblib"]
    assert list(original.directory.parent.iterdir()) == [original.directory]
    assert stat.S_IMODE(original.directory.stat().st_mode) == 0o755


def test_manifest_says_what_the_model_is(original: Any) -> None:
    manifest = read_manifest(original.directory)
    member = (original.directory / "model.joblib").read_bytes()
    assert manifest["members"] == {"model.joblib": {"sha256": hashlib.sha256(member).hexdigest(), "bytes": len(member)}}
    assert original.sha256 == manifest["members"]["model.joblib"]["sha256"]
    assert manifest["labels"] == ["news", "boilerplate", "related-link"]
    assert manifest["versions"] == library_versions()
    assert manifest["versions"]["scikit-learn"] == sklearn.__version__
    assert manifest["probes"]["rows"] == dict(probe_rows().data)
    assert manifest["probes"]["probabilities"] == {"alone": original.predictor.predict_proba(probe_texts()).tolist()}


def test_there_are_64_different_probes() -> None:
    texts = probe_texts()
    assert len(texts) == len(set(texts)) == 64
    assert [text for text in texts if text != " ".join(text.split()) or not text] == []


def test_probes_are_four_pages_with_hints() -> None:
    rows = probe_rows()
    assert rows["text"] == probe_texts()
    assert sorted(set(rows["page"])) == ["probe-0", "probe-1", "probe-2", "probe-3"]
    assert len(set(zip(rows["page"], rows["position"], strict=True))) == 64
    assert set(rows["link_density"]) == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_paths_may_be_strings(original: Any) -> None:
    loaded = load_model(str(original.directory), allow_pickle=True, sha256=original.sha256)
    assert loaded.predict(["Share this"]).tolist() == ["boilerplate"]


# Row 5: probes


def scramble_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make joblib write the bytes of a Fortran-ordered array and read them as C order, as safetensors 0.8.0 did."""
    dump = joblib.dump

    def scrambling_dump(value: Any, *args: Any, **options: Any) -> Any:
        broken = copy.deepcopy(value)
        classifier = broken.named_steps["classifier"]
        fortran = np.asfortranarray(classifier.coef_)
        classifier.coef_ = np.frombuffer(fortran.tobytes(order="A")).reshape(fortran.shape)
        return dump(broken, *args, **options)

    monkeypatch.setattr(joblib, "dump", scrambling_dump)


def test_serialiser_that_scrambles_an_array_fails_the_save(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(model.directory.parent)
    scramble_dump(monkeypatch)
    with pytest.raises(ModelSaveError, match=r"a saved model must score its probes as before; got .*golden probes must agree"):
        save_model(model.predictor, model.directory, overwrite=True)
    assert contents(model.directory.parent) == before
    assert list(model.directory.parent.iterdir()) == [model.directory]


# Row 6: what cannot be saved


def test_lambda_in_a_pipeline_fails_the_save(tmp_path: Path) -> None:
    pipeline = make_pipeline(FunctionTransformer(lambda texts: texts), LineRule()).fit(["Share"], ["boilerplate"])
    with pytest.raises(ModelSaveError, match=r"a model must be picklable; got .*lambda"):
        save_model(Predictor(pipeline, META), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_local_class_in_a_pipeline_fails_the_save(tmp_path: Path) -> None:
    class Local(LineRule):
        pass

    with pytest.raises(ModelSaveError, match=r"a model must be picklable; got .*Local"):
        save_model(Predictor(Local().fit([], []), META), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


class Main(LineRule):
    """Stands in ``__main__`` for one test."""


def test_class_of_the_running_script_fails_the_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Main, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Main", Main, raising=False)
    with pytest.raises(ModelSaveError, match=r"a saved model must score its probes as before; got .*'Main'"):
        save_model(Predictor(Main().fit([], []), META), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


# Overwriting, and what a failure leaves behind


def test_existing_model_is_not_replaced_unasked(model: Any, rule: Predictor) -> None:
    before = contents(model.directory)
    with pytest.raises(FileExistsError, match=r"model: must not exist yet; got an existing path .*--overwrite"):
        save_model(rule, model.directory)
    assert contents(model.directory) == before


def test_existing_model_is_replaced_when_asked(model: Any, rule: Predictor) -> None:
    digest = save_model(rule, model.directory, overwrite=True)
    assert digest != model.sha256
    assert load_model(model.directory, allow_pickle=True, sha256=digest).estimator.rule == "three-line"
    assert sorted(contents(model.directory.parent)) == ["model/manifest.json", "model/model.joblib"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["empty folder", "folder of other things", "file"])
def test_what_is_no_saved_model_is_never_replaced(tmp_path: Path, rule: Predictor, kind: str, overwrite: bool) -> None:
    path = tmp_path / "thesis"
    if kind == "file":
        path.write_text("precious")
    else:
        path.mkdir()
    if kind == "folder of other things":
        (path / "chapter.txt").write_text("precious")
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match=r"thesis: must .*; got"):
        save_model(rule, path, overwrite=overwrite)
    assert contents(tmp_path) == before
    assert list(tmp_path.iterdir()) == [path]


def test_failure_to_write_leaves_nothing_behind(tmp_path: Path, rule: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(joblib, "dump", full)
    with pytest.raises((ModelSaveError, OSError), match="No space left on device"):
        save_model(rule, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_holds_more_than_a_model_is_never_replaced(model: Any, rule: Predictor) -> None:
    (model.directory / "config.toml").write_text("precious")
    before = contents(model.directory)
    with pytest.raises(FileExistsError, match=r"model: must .*; got"):
        save_model(rule, model.directory, overwrite=True)
    assert contents(model.directory) == before


def test_manifest_of_something_else_is_never_replaced(tmp_path: Path, rule: Predictor) -> None:
    folder = tmp_path / "001-run"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"config": {}}')
    with pytest.raises(FileExistsError, match=r"001-run: must .*; got"):
        save_model(rule, folder, overwrite=True)
    assert contents(tmp_path) == {"001-run/manifest.json": b'{"config": {}}'}


def test_failure_to_move_the_new_model_leaves_the_older_one(model: Any, rule: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(model.directory.parent)
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if Path(target) == model.directory and (self / "model.joblib").read_bytes() != before["model/model.joblib"]:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="No space left on device"):
        save_model(rule, model.directory, overwrite=True)
    assert contents(model.directory.parent) == before


# Plain numbers


@pytest.fixture(scope="module")
def winnow(corpus: pd.DataFrame) -> WinnowClassifier:
    return WinnowClassifier(bits=10).fit(corpus["text"].tolist(), corpus["label"].tolist())


def test_our_own_family_becomes_plain_numbers(winnow: WinnowClassifier, tmp_path: Path) -> None:
    digest = save_model(Predictor(winnow, META), tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["manifest.json", "weights.safetensors"]
    assert not needs_trust(Predictor(winnow))
    loaded = load_model(tmp_path / "model", sha256=digest)
    assert np.array_equal(loaded.predict_proba(TEXTS), winnow.model_.predict_proba(TEXTS))
    manifest = read_manifest(tmp_path / "model")
    assert (manifest["format"], manifest["members"]["weights.safetensors"]["sha256"]) == ("linear", digest)


def test_loaded_model_is_saved_again_with_the_same_bytes(winnow: WinnowClassifier, tmp_path: Path) -> None:
    save_model(Predictor(winnow, META), tmp_path / "one")
    save_model(load_model(tmp_path / "one"), tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_joblib_on_demand(winnow: WinnowClassifier, tmp_path: Path) -> None:
    digest = save_model(Predictor(winnow, META), tmp_path / "model", as_joblib=True)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["manifest.json", "model.joblib"]
    with pytest.raises(ModelLoadError, match="needs explicit trust"):
        load_model(tmp_path / "model")
    loaded = load_model(tmp_path / "model", allow_pickle=True, sha256=digest)
    assert np.array_equal(loaded.predict_proba(TEXTS), Predictor(winnow).predict_proba(TEXTS))


def test_a_label_never_seen_does_not_hinder_the_save(corpus: pd.DataFrame, tmp_path: Path) -> None:
    rows = corpus[corpus["label"] != "related-link"]
    model = WinnowClassifier(bits=10).fit(rows["text"].tolist(), rows["label"].tolist())
    save_model(Predictor(model, META), tmp_path / "model")
    assert np.allclose(load_model(tmp_path / "model").predict_proba(TEXTS), Predictor(model).predict_proba(TEXTS), atol=1e-7)


def test_our_own_family_is_found_in_a_pipeline_of_one_step(winnow: WinnowClassifier, tmp_path: Path) -> None:
    save_model(Predictor(Pipeline([("winnow", winnow)]), META), tmp_path / "model")
    assert read_manifest(tmp_path / "model")["format"] == "linear"


class Sharpened:
    """Does more than the light model in it."""

    classes_ = np.array(["news", "boilerplate", "related-link"])

    def __init__(self, winnow: WinnowClassifier) -> None:
        self.model_ = winnow.model_

    def predict_proba(self, texts: list[str]) -> Any:
        squared = self.model_.predict_proba(texts) ** 2
        return squared / squared.sum(axis=1, keepdims=True)


def test_what_wraps_a_light_model_is_not_lost(winnow: WinnowClassifier, tmp_path: Path) -> None:
    with pytest.raises(
        ModelSaveError, match=r"plain numbers must score the golden probes as the estimator does; got .*as_joblib"
    ):
        save_model(Predictor(Sharpened(winnow), META), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_tensors_that_arrive_scrambled_fail_the_save(
    winnow: WinnowClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scrambling_save(tensors: dict[str, Any]) -> bytes:
        hashed = np.asfortranarray(tensors["hashed"])
        return save({**tensors, "hashed": np.frombuffer(hashed.tobytes(order="A"), hashed.dtype).reshape(hashed.shape)})

    monkeypatch.setattr(safetensors.numpy, "save", scrambling_save)
    with pytest.raises(ModelSaveError, match=r"must score its probes as before; got .*golden probes must agree to 1e-06"):
        save_model(Predictor(winnow, META), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_tensors_in_fortran_order_come_back_as_they_were(
    winnow: WinnowClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newswinnow.models import linear

    plain = linear.weights_to_tensors
    monkeypatch.setattr(linear, "weights_to_tensors", lambda w: {k: np.asfortranarray(v) for k, v in plain(w).items()})
    save_model(Predictor(winnow, META), tmp_path / "model")
    found = load((tmp_path / "model" / "weights.safetensors").read_bytes())
    assert np.array_equal(found["hashed"], winnow.model_.weights.hashed.astype(np.float16))


@pytest.mark.parametrize("metrics", [{"x": float("nan")}, {"x": {1}}, {"x": "\ud800"}])
def test_manifest_holds_plain_values_only(rule: Predictor, tmp_path: Path, metrics: dict[str, Any]) -> None:
    with pytest.raises(ModelSaveError, match=r"model: a manifest must hold plain values; got"):
        save_model(Predictor(rule.estimator, {"metrics": metrics}), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
