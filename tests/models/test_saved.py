from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from newswinnow.models.predictor import Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.rules import LineRule
from newswinnow.models.saved import (
    ModelLoadError,
    ModelSaveError,
    library_versions,
    load_model,
    probe_texts,
    read_manifest,
    save_model,
    verify_model,
)
from newswinnow.models.training import train

TEXTS = ["Share this", "The council of Tarn voted on Monday, officials said.", "Tarn to repair old bridge", "Ξένο"]
META: dict[str, Any] = {"spec": {}, "training": {}, "metrics": {}}


@dataclass(frozen=True)
class Saved:
    """A saved model and what it was before."""

    directory: Path
    sha256: str
    predictor: Predictor


@pytest.fixture(scope="module")
def original(corpus: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    predictor = train(corpus, ModelSpec("tfidf-logistic", analyzer="word", min_df=8, surface=False), seed=5)
    predictor.manifest["metrics"] = {"held": 0.5}
    directory = tmp_path_factory.mktemp("saved") / "new" / "model"
    return Saved(directory, save_model(predictor, directory), predictor)


@pytest.fixture
def model(original: Saved, tmp_path: Path) -> Saved:
    """A copy that a test may damage."""
    directory = tmp_path / "model"
    shutil.copytree(original.directory, directory)
    return Saved(directory, original.sha256, original.predictor)


@pytest.fixture(scope="module")
def rule() -> Predictor:
    return Predictor(LineRule().fit([], []), META)


def edit(directory: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = directory / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def put_member(directory: Path, data: bytes) -> str:
    """Replace the member and make the manifest agree with it."""
    digest = hashlib.sha256(data).hexdigest()
    (directory / "model.joblib").write_bytes(data)
    edit(directory, lambda m: m["members"].update({"model.joblib": {"sha256": digest, "bytes": len(data)}}))
    return digest


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Coming back the same


def test_round_trip_in_the_same_process(original: Saved) -> None:
    loaded = load_model(original.directory, allow_pickle=True, sha256=original.sha256)
    assert np.array_equal(loaded.predict_proba(TEXTS), original.predictor.predict_proba(TEXTS))
    assert loaded.predict(TEXTS).tolist() == original.predictor.predict(TEXTS).tolist()
    assert loaded.contexts == ("alone",)
    for key in ("spec", "training", "metrics"):
        assert loaded.manifest[key] == original.predictor.manifest[key]


def test_round_trip_in_a_new_process(original: Saved) -> None:
    code = (
        "import json, sys; from newswinnow import load_model\n"
        "model = load_model(sys.argv[1], allow_pickle=True, sha256=sys.argv[2])\n"
        "print(json.dumps(model.predict_proba(json.loads(sys.argv[3])).tolist()))"
    )
    command = [sys.executable, "-c", code, str(original.directory), original.sha256, json.dumps(TEXTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=original.directory)
    assert json.loads(done.stdout) == original.predictor.predict_proba(TEXTS).tolist()


def test_a_saved_model_is_two_readable_files_and_nothing_else(original: Saved) -> None:
    assert sorted(path.name for path in original.directory.iterdir()) == ["manifest.json", "model.joblib"]
    assert list(original.directory.parent.iterdir()) == [original.directory]
    assert stat.S_IMODE(original.directory.stat().st_mode) == 0o755


def test_manifest_says_what_the_model_is(original: Saved) -> None:
    manifest = read_manifest(original.directory)
    member = (original.directory / "model.joblib").read_bytes()
    assert manifest["members"] == {"model.joblib": {"sha256": hashlib.sha256(member).hexdigest(), "bytes": len(member)}}
    assert original.sha256 == manifest["members"]["model.joblib"]["sha256"]
    assert manifest["labels"] == ["news", "boilerplate", "related-link"]
    assert manifest["versions"] == library_versions()
    assert manifest["versions"]["scikit-learn"] == sklearn.__version__
    assert manifest["probes"]["texts"] == probe_texts()
    assert manifest["probes"]["probabilities"] == original.predictor.predict_proba(probe_texts()).tolist()


def test_there_are_64_different_probes() -> None:
    texts = probe_texts()
    assert len(texts) == len(set(texts)) == 64
    assert [text for text in texts if text != " ".join(text.split()) or not text] == []


def test_paths_may_be_strings(original: Saved) -> None:
    loaded = load_model(str(original.directory), allow_pickle=True, sha256=original.sha256)
    assert loaded.predict(["Share this"]).tolist() == ["boilerplate"]


# Row 1: a joblib file runs code


class Bomb:
    """Leaves a folder behind when unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def hidden_in_estimator(bomb: Bomb) -> Any:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, ["boilerplate", "news", "related-link", "news"])
    pipeline.named_steps["logisticregression"].note_ = bomb
    return pipeline


def dumped(value: Any, compress: Any = 0) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=compress)
    return buffer.getvalue()


PAYLOADS: dict[str, Callable[[Bomb], bytes]] = {
    "pickle": pickle.dumps,
    "old pickle": lambda bomb: pickle.dumps(bomb, protocol=0),
    "joblib": dumped,
    "zlib": lambda bomb: dumped(bomb, ("zlib", 3)),
    "gzip": lambda bomb: dumped(bomb, ("gzip", 3)),
    "bz2": lambda bomb: dumped(bomb, ("bz2", 3)),
    "lzma": lambda bomb: dumped(bomb, ("lzma", 3)),
    "xz": lambda bomb: dumped(bomb, ("xz", 3)),
    "hidden in a working estimator": lambda bomb: dumped(hidden_in_estimator(bomb)),
    "hidden and compressed": lambda bomb: dumped(hidden_in_estimator(bomb), ("zlib", 9)),
}


@pytest.fixture(params=list(PAYLOADS))
def payload(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bytes, Path]:
    """A malicious file that works: the control is that joblib itself sets it off."""
    marker = tmp_path / "marker"
    data = PAYLOADS[request.param](Bomb(marker))
    joblib.load(io.BytesIO(data))
    assert marker.exists()
    marker.rmdir()
    return data, marker


@pytest.mark.parametrize("trust", ["none", "pickle without digest", "digest without pickle", "digest of another model"])
def test_malicious_member_is_refused_unopened(model: Saved, payload: tuple[bytes, Path], trust: str) -> None:
    data, marker = payload
    digest = put_member(model.directory, data)
    options: dict[str, dict[str, Any]] = {
        "none": {},
        "pickle without digest": {"allow_pickle": True},
        "digest without pickle": {"sha256": digest},
        "digest of another model": {"allow_pickle": True, "sha256": model.sha256},
    }
    message = (
        r"sha256 must be" if trust == "digest of another model" else r"runs code when loaded and needs explicit trust; got none"
    )
    with pytest.raises(ModelLoadError, match=message):
        load_model(model.directory, **options[trust])
    assert not marker.exists()


@pytest.mark.parametrize("name", ["model.skops", "model.json", "model.safetensors", "model.pkl", "model.joblib.gz"])
def test_malicious_member_under_another_name_is_refused(model: Saved, payload: tuple[bytes, Path], name: str) -> None:
    data, marker = payload
    digest = hashlib.sha256(data).hexdigest()
    (model.directory / "model.joblib").unlink()
    (model.directory / name).write_bytes(data)
    edit(model.directory, lambda m: m.update(members={name: {"sha256": digest, "bytes": len(data)}}))
    for is_trusted in (False, True):
        with pytest.raises(ModelLoadError, match=r"members must be exactly model\.joblib; got"):
            load_model(model.directory, allow_pickle=is_trusted, sha256=digest)
    assert not marker.exists()


def test_malicious_file_in_place_of_manifest_or_directory_is_refused(model: Saved, payload: tuple[bytes, Path]) -> None:
    data, marker = payload
    digest = hashlib.sha256(data).hexdigest()
    (model.directory / "manifest.json").write_bytes(data)
    alone = model.directory.parent / "model.json"
    alone.write_bytes(data)
    with pytest.raises(ModelLoadError, match=r"manifest\.json: must be valid JSON; got"):
        load_model(model.directory, allow_pickle=True, sha256=digest)
    with pytest.raises(ModelLoadError, match=r"manifest\.json: must be there; got Not a directory"):
        load_model(alone, allow_pickle=True, sha256=digest)
    assert not marker.exists()


def test_refusal_names_the_digest_and_how_to_trust(original: Saved) -> None:
    with pytest.raises(ModelLoadError, match=rf"allow_pickle=True, sha256='...' in Python.*--trust SHA256.*{original.sha256}"):
        load_model(original.directory)


# Row 2: a crafted directory


def with_member(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda m: m["members"]["model.joblib"].update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(trusted=["os.system"]), r"must have exactly the keys .*; got a difference in \['trusted'\]"),
        (lambda m: m.pop("probes"), r"must have exactly the keys .*; got a difference in \['probes'\]"),
        (lambda m: m.pop("spec"), r"must have exactly the keys .*; got a difference in \['spec'\]"),
        (lambda m: m.update(format_version=2), r"format_version must be 1; got 2"),
        (lambda m: m.update(format_version="1"), r"format_version must be 1; got '1'"),
        (lambda m: m.pop("format_version"), r"format_version must be 1; got None"),
        (
            lambda m: m.update(labels=["boilerplate", "news", "related-link"]),
            r"labels must be news, boilerplate, related-link; got",
        ),
        (lambda m: m.update(format="pickle"), r"format must be one of joblib, linear; got 'pickle'"),
        (lambda m: m.update(contexts=[]), r"contexts must be of alone, bag, order, markup; got \[\]"),
        (lambda m: m.update(contexts="alone"), r"contexts must be of alone, bag, order, markup; got 'alone'"),
        (lambda m: m.update(contexts=["alone", {}]), r"contexts must be of alone, bag, order, markup; got \['alone', \{\}\]"),
        (lambda m: m["members"].update({"../../model.joblib": {}}), r"members must be exactly model\.joblib; got"),
        (lambda m: m.update(members={"../model.joblib": {}}), r"members must be exactly model\.joblib; got"),
        (lambda m: m.update(members=["model.joblib"]), r"members must be exactly model\.joblib; got"),
        (lambda m: m.update(members={"model.joblib": "abc"}), r"members must be exactly model\.joblib; got"),
        (lambda m: m.update(versions=[]), r"must be an object; got"),
        (lambda m: m.update(probes=None), r"must be an object; got"),
        (with_member(sha256=None), r"sha256 must be None; got"),
        (with_member(sha256="0" * 64), r"sha256 must be 0{64}; got"),
    ],
)
def test_crafted_manifest_is_refused(model: Saved, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    edit(model.directory, change)
    with pytest.raises(ModelLoadError, match=message):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"manifest\.json: must be valid JSON; got"),
        (b'{"format_version": 1', r"manifest\.json: must be valid JSON; got"),
        (b"\xff\xfe\xfa", r"manifest\.json: must be valid JSON; got"),
        (b"[" * 100_000, r"manifest\.json: must be valid JSON; got"),
        (b'{"format_version": 1' + b"0" * 5000 + b"}", r"manifest\.json: must be valid JSON; got"),
        (b"[1]", r"manifest\.json: must be a JSON object; got list"),
        (b"null", r"manifest\.json: must be a JSON object; got NoneType"),
    ],
)
def test_damaged_manifest_is_refused(model: Saved, data: bytes, message: str) -> None:
    (model.directory / "manifest.json").write_bytes(data)
    with pytest.raises(ModelLoadError, match=message):
        read_manifest(model.directory)


@pytest.mark.parametrize("name", ["manifest.json", "model.joblib"])
def test_linked_file_is_refused_even_if_it_is_the_right_one(model: Saved, original: Saved, name: str) -> None:
    (model.directory / name).unlink()
    (model.directory / name).symlink_to(original.directory / name)
    with pytest.raises(ModelLoadError, match=rf"{name}: must be a regular file; got l"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize("name", ["manifest.json", "model.joblib"])
@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "p"), (os.mkdir, "d")])
def test_what_is_no_file_is_refused(model: Saved, name: str, make: Callable[[Path], None], kind: str) -> None:
    (model.directory / name).unlink()
    make(model.directory / name)
    with pytest.raises(ModelLoadError, match=rf"{name}: must be a regular file; got {kind}"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize(("name", "limit"), [("manifest.json", 4 << 20), ("model.joblib", 2 << 30)])
def test_huge_file_is_refused_unread(model: Saved, name: str, limit: int) -> None:
    os.truncate(model.directory / name, limit + 1)
    with pytest.raises(ModelLoadError, match=rf"{name}: must have at most {limit} bytes; got {limit + 1}"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize("name", ["manifest.json", "model.joblib"])
def test_missing_file_is_refused(model: Saved, name: str) -> None:
    (model.directory / name).unlink()
    with pytest.raises(ModelLoadError, match=rf"{name}: must be there; got No such file or directory"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


def test_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"nowhere/manifest\.json: must be there; got No such file or directory"):
        load_model(tmp_path / "nowhere")


# Row 3: a damaged member


def is_refused(model: Saved, data: bytes) -> bool:
    (model.directory / "model.joblib").write_bytes(data)
    try:
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    except ModelLoadError as error:
        return f"sha256 must be {model.sha256}; got" in str(error)
    return False


def test_every_one_of_200_flipped_bits_is_refused(model: Saved) -> None:
    good = (model.directory / "model.joblib").read_bytes()
    places = np.random.default_rng(0).choice(len(good) * 8, size=200, replace=False)
    refused = []
    for place in map(int, places):
        data = bytearray(good)
        data[place // 8] ^= 1 << place % 8
        refused.append(is_refused(model, bytes(data)))
    assert refused == [True] * 200
    assert not is_refused(model, good)


def test_every_one_of_50_truncations_is_refused(model: Saved) -> None:
    good = (model.directory / "model.joblib").read_bytes()
    lengths = [0, len(good) - 1, *np.random.default_rng(1).choice(len(good), size=48, replace=False).tolist()]
    assert [is_refused(model, good[:length]) for length in lengths] == [True] * 50
    assert is_refused(model, good + b"\0")


def test_member_and_manifest_changed_together_are_refused_by_the_callers_digest(model: Saved, rule: Predictor) -> None:
    digest = put_member(model.directory, dumped(rule.estimator))
    with pytest.raises(ModelLoadError, match=rf"sha256 must be {model.sha256}; got {digest}"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    assert load_model(model.directory, allow_pickle=True, sha256=digest).predict(["Share"]).tolist() == ["boilerplate"]


@pytest.mark.parametrize("sha256", ["", "0" * 64, "abc"])
def test_wrong_digest_is_refused(model: Saved, sha256: str) -> None:
    with pytest.raises(ModelLoadError, match=rf"model\.joblib: sha256 must be {sha256}; got {model.sha256}"):
        load_model(model.directory, allow_pickle=True, sha256=sha256)


# Row 4: another version of scikit-learn


@pytest.mark.parametrize("version", ["0.1.0", "1.0", "99.9.1", "", None, ["1", "9"]])
def test_another_minor_version_of_scikit_learn_is_refused(model: Saved, version: Any) -> None:
    edit(model.directory, lambda m: m["versions"].update({"scikit-learn": version}))
    with pytest.raises(ModelLoadError, match=r"only under the scikit-learn minor version it was saved with, .*newswinnow train"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


def test_another_patch_version_of_scikit_learn_loads(model: Saved) -> None:
    minor = ".".join(sklearn.__version__.split(".")[:2])
    edit(model.directory, lambda m: m["versions"].update({"scikit-learn": f"{minor}.999"}))
    loaded = load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    assert np.array_equal(loaded.predict_proba(TEXTS), model.predictor.predict_proba(TEXTS))


def test_missing_version_of_scikit_learn_is_refused(model: Saved) -> None:
    edit(model.directory, lambda m: m["versions"].pop("scikit-learn"))
    with pytest.raises(ModelLoadError, match=r"only under the scikit-learn minor version it was saved with, None; got"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


# Row 5: probes


def test_verification_accepts_a_sound_model(original: Saved) -> None:
    verify_model(original.directory, original.sha256)


def shift_probe(manifest: dict[str, Any]) -> None:
    manifest["probes"]["probabilities"][40][2] += 1e-11


@pytest.mark.parametrize(
    "change", [shift_probe, lambda m: m["probes"]["texts"].reverse(), lambda m: m["probes"]["probabilities"][0].reverse()]
)
def test_verification_refuses_other_probabilities(model: Saved, change: Callable[[dict[str, Any]], Any]) -> None:
    edit(model.directory, change)
    with pytest.raises(ModelLoadError, match=r"golden probes must agree to 1e-12; got a difference of"):
        verify_model(model.directory, model.sha256)


def test_verification_needs_the_right_digest(original: Saved) -> None:
    with pytest.raises(ModelLoadError, match="sha256 must be"):
        verify_model(original.directory, "0" * 64)


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


def test_serialiser_that_scrambles_an_array_fails_the_save(model: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_existing_model_is_not_replaced_unasked(model: Saved, rule: Predictor) -> None:
    before = contents(model.directory)
    with pytest.raises(FileExistsError, match=r"model: must not exist yet; got an existing path .*--overwrite"):
        save_model(rule, model.directory)
    assert contents(model.directory) == before


def test_existing_model_is_replaced_when_asked(model: Saved, rule: Predictor) -> None:
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


def test_folder_that_holds_more_than_a_model_is_never_replaced(model: Saved, rule: Predictor) -> None:
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


def test_failure_to_move_the_new_model_leaves_the_older_one(
    model: Saved, rule: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
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


# A pipeline of one's own, and a trusted file that holds no model


def test_a_pipeline_of_ones_own_is_saved_and_loaded(tmp_path: Path) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, ["boilerplate", "news", "related-link", "news"])
    digest = save_model(Predictor(pipeline), tmp_path / "model")
    loaded = load_model(tmp_path / "model", allow_pickle=True, sha256=digest)
    assert np.array_equal(loaded.predict_proba(TEXTS), Predictor(pipeline).predict_proba(TEXTS))
    assert loaded.manifest["spec"] == {}


@pytest.mark.parametrize("data", [b"", b"no joblib file", b"\x80\x05garbage"])
def test_trusted_file_that_is_no_joblib_is_refused(model: Saved, data: bytes) -> None:
    digest = put_member(model.directory, data)
    with pytest.raises(ModelLoadError, match=r"model\.joblib: must .*; got"):
        load_model(model.directory, allow_pickle=True, sha256=digest)


def test_trusted_file_that_holds_no_classifier_is_refused(model: Saved) -> None:
    digest = put_member(model.directory, dumped({"a": 1}))
    with pytest.raises(ModelLoadError, match=r"model\.joblib: must .*; got"):
        load_model(model.directory, allow_pickle=True, sha256=digest)


@pytest.mark.parametrize("probes", [{}, {"texts": [], "probabilities": []}])
def test_verification_refuses_damaged_probes(model: Saved, probes: dict[str, Any]) -> None:
    edit(model.directory, lambda m: m.update(probes=probes))
    with pytest.raises(ModelLoadError, match=r"probes must .*; got"):
        verify_model(model.directory, model.sha256)


def test_verification_refuses_probes_that_are_no_numbers(model: Saved) -> None:
    edit(model.directory, lambda m: m["probes"].update(probabilities=[[float("nan")] * 3] * 64))
    with pytest.raises(ModelLoadError, match=r"probes must .*; got"):
        verify_model(model.directory, model.sha256)
