"""Rows 1 and 2 of the faults a model must survive: whatever a stranger's directory holds, nothing in it runs."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from safetensors.numpy import load, save
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from newswinnow.models.saved import ModelLoadError, export_model, load_model, members, read_manifest

TEXTS = ["Share this", "The council of Tarn voted on Monday, officials said.", "Tarn to repair old bridge", "Ξένο"]


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


@pytest.fixture
def bomb(tmp_path: Path) -> tuple[bytes, Path]:
    """The plainest of the payloads, for attacks that differ in where it is put."""
    return pickle.dumps(Bomb(tmp_path / "marker")), tmp_path / "marker"


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# Row 1: a pickle in every disguise


@pytest.mark.parametrize("trust", ["none", "pickle without digest", "digest without pickle", "digest of another model"])
def test_malicious_member_is_refused_unopened(model: Any, payload: tuple[bytes, Path], trust: str) -> None:
    data, marker = payload
    digest = model.put_member(data)
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


@pytest.mark.parametrize("name", ["model.skops", "model.json", "model.safetensors", "model.pkl", "model.joblib.gz", "model.txt"])
def test_malicious_member_under_another_name_is_refused(model: Any, payload: tuple[bytes, Path], name: str) -> None:
    data, marker = payload
    digest = digest_of(data)
    model.member.unlink()
    (model.directory / name).write_bytes(data)
    model.edit(lambda m: m.update(members={name: {"sha256": digest, "bytes": len(data)}}))
    for is_trusted in (False, True):
        with pytest.raises(ModelLoadError, match=r"members must be exactly model\.joblib with bytes and sha256; got"):
            load_model(model.directory, allow_pickle=is_trusted, sha256=digest)
    assert not marker.exists()


@pytest.mark.parametrize("is_trusted", [False, True])
def test_pickle_that_claims_to_be_plain_numbers_is_refused(portable: Any, payload: tuple[bytes, Path], is_trusted: bool) -> None:
    data, marker = payload
    digest = portable.put_member(data)
    with pytest.raises(ModelLoadError, match=r"weights\.safetensors: .*[hH]eader"):
        load_model(portable.directory, allow_pickle=is_trusted, sha256=digest)
    assert not marker.exists()


def test_joblib_model_whose_manifest_claims_plain_numbers_is_refused(model: Any) -> None:
    data = model.member.read_bytes()
    model.member.rename(model.directory / "weights.safetensors")
    entry = {"weights.safetensors": {"sha256": digest_of(data), "bytes": len(data)}}
    model.edit(lambda m: m.update(format="linear", feature_definition=1, members=entry))
    with pytest.raises(ModelLoadError, match=r"weights\.safetensors: .*[hH]eader"):
        load_model(model.directory, allow_pickle=True)


def in_tensor(data: bytes) -> bytes:
    """A sound safetensors file whose one tensor is the pickle."""
    return save({"hashed": np.frombuffer(data, dtype=np.uint8)})


def in_metadata(data: bytes) -> bytes:
    return save({"bias": np.zeros(3, dtype=np.float32)}, metadata={"__reduce__": data.hex()})


def in_npz(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hashed.npy", data)
        archive.writestr("../../marker", b"zip slip")
    return buffer.getvalue()


def in_object_array(data: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([data], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("disguise", [in_tensor, in_metadata, in_npz, in_object_array, gzip.compress, bytes.hex])
def test_pickle_wrapped_in_another_format_is_refused(
    portable: Any, bomb: tuple[bytes, Path], disguise: Callable[..., Any]
) -> None:
    data, marker = bomb
    wrapped = disguise(data)
    digest = portable.put_member(wrapped.encode() if isinstance(wrapped, str) else wrapped)
    for options in ({}, {"sha256": digest}, {"allow_pickle": True, "sha256": digest}):
        with pytest.raises(ModelLoadError, match=r"weights\.safetensors: "):
            load_model(portable.directory, **options)
    assert not marker.exists()


def test_pickles_lying_beside_a_sound_model_are_not_opened(portable: Any, bomb: tuple[bytes, Path]) -> None:
    data, marker = bomb
    for name in ("model.joblib", "model.pkl", "__init__.py", "sitecustomize.py", "config.json"):
        (portable.directory / name).write_bytes(data)
    assert load_model(portable.directory).predict(["Share"]).tolist() == ["boilerplate"]
    assert not marker.exists()


def test_malicious_file_in_place_of_manifest_or_directory_is_refused(model: Any, payload: tuple[bytes, Path]) -> None:
    data, marker = payload
    digest = digest_of(data)
    (model.directory / "manifest.json").write_bytes(data)
    alone = model.directory.parent / "model.json"
    alone.write_bytes(data)
    with pytest.raises(ModelLoadError, match=r"manifest\.json: must be valid JSON; got"):
        load_model(model.directory, allow_pickle=True, sha256=digest)
    with pytest.raises(ModelLoadError, match=r"manifest\.json: must be there; got Not a directory"):
        load_model(alone, allow_pickle=True, sha256=digest)
    assert not marker.exists()


def test_refusal_names_the_digest_and_how_to_trust(original: Any) -> None:
    with pytest.raises(ModelLoadError, match=rf"allow_pickle=True, sha256='...' in Python.*--trust SHA256.*{original.sha256}"):
        load_model(original.directory)


def test_copying_opens_no_pickle_and_converting_needs_trust(model: Any, bomb: tuple[bytes, Path], tmp_path: Path) -> None:
    data, marker = bomb
    digest = model.put_member(data)
    assert export_model(model.directory, tmp_path / "copy", file_format="joblib") == digest
    assert (tmp_path / "copy" / "model.joblib").read_bytes() == data
    with pytest.raises(ModelLoadError, match="needs explicit trust; got none"):
        export_model(model.directory, tmp_path / "portable")
    with pytest.raises(ModelLoadError, match=r"sha256 must be 0{64}; got"):
        export_model(model.directory, tmp_path / "portable", sha256="0" * 64)
    assert not marker.exists()
    assert not (tmp_path / "portable").exists()


# What is digested is what is used


def test_member_swapped_after_its_digest_was_taken_is_not_read_again(
    model: Any, bomb: tuple[bytes, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, marker = bomb
    digest_first = members.sha256_of

    def swapping(content: bytes) -> str:
        model.member.write_bytes(data)
        return digest_first(content)

    monkeypatch.setattr("newswinnow.models.saved.load.sha256_of", swapping)
    loaded = load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    assert model.member.read_bytes() == data
    assert not marker.exists()
    assert np.array_equal(loaded.predict_proba(TEXTS), model.predictor.predict_proba(TEXTS))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/hostname")])
def test_file_swapped_after_it_was_looked_at_is_refused(
    portable: Any, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lstat = Path.lstat

    def swapping(self: Path) -> os.stat_result:
        status = lstat(self)
        if self == member and stat.S_ISREG(status.st_mode):
            self.unlink()
            make(self)
        return status

    member = portable.member
    monkeypatch.setattr(Path, "lstat", swapping)
    with pytest.raises(ModelLoadError, match=r"weights\.safetensors: must be "):
        load_model(portable.directory)


# Row 2: a crafted directory


def with_member(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda m: m["members"]["model.joblib"].update(changes)


MEMBERS = r"members must be exactly model\.joblib with bytes and sha256; got"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(trusted=["os.system"]), r"must have exactly the keys .*; got a difference in \['trusted'\]"),
        (lambda m: m.pop("probes"), r"must have exactly the keys .*; got a difference in \['probes'\]"),
        (lambda m: m.pop("spec"), r"must have exactly the keys .*; got a difference in \['spec'\]"),
        (lambda m: m.update(format_version=2), r"format_version must be 1; got 2"),
        (lambda m: m.update(format_version="1"), r"format_version must be 1; got '1'"),
        (lambda m: m.update(format_version=True), r"format_version must be 1; got True"),
        (lambda m: m.update(format_version=1.0), r"format_version must be 1; got 1\.0"),
        (lambda m: m.pop("format_version"), r"format_version must be 1; got None"),
        (
            lambda m: m.update(labels=["boilerplate", "news", "related-link"]),
            r"labels must be news, boilerplate, related-link; got",
        ),
        (lambda m: m.update(format="pickle"), r"format must be one of joblib, linear.*; got 'pickle'"),
        (lambda m: m.update(format=["linear"]), r"format must be one of joblib, linear.*; got \['linear'\]"),
        (lambda m: m.update(contexts=[]), r"contexts must be of alone, bag, order, markup; got \[\]"),
        (lambda m: m.update(contexts="alone"), r"contexts must be of alone, bag, order, markup; got 'alone'"),
        (lambda m: m.update(contexts=["alone", {}]), r"contexts must be of alone, bag, order, markup; got \['alone', \{\}\]"),
        (lambda m: m["members"].update({"../../model.joblib": {}}), MEMBERS),
        (lambda m: m.update(members={"../model.joblib": {"sha256": "0" * 64, "bytes": 1}}), MEMBERS),
        (lambda m: m.update(members={"/etc/passwd": {"sha256": "0" * 64, "bytes": 1}}), MEMBERS),
        (lambda m: m.update(members={}), MEMBERS),
        (lambda m: m.update(members={"model.joblib": "abc"}), MEMBERS),
        (with_member(url="https://example.org"), MEMBERS),
        (lambda m: m.update(members=["model.joblib"]), r"members must be an object; got list"),
        (lambda m: m.update(versions=[]), r"versions must be an object; got list"),
        (lambda m: m.update(probes=None), r"probes must be an object; got NoneType"),
        (with_member(sha256=None), r"sha256 of model\.joblib must be 64 hexadecimal digits; got None"),
        (with_member(sha256="0" * 63), r"sha256 of model\.joblib must be 64 hexadecimal digits; got '0"),
        (with_member(sha256="0" * 64), r"sha256 must be 0{64}; got"),
        (with_member(bytes=2**63), r"bytes of model\.joblib must be 0 to 2147483648; got 9223372036854775808"),
        (with_member(bytes=-1), r"bytes of model\.joblib must be 0 to 2147483648; got -1"),
        (with_member(bytes=True), r"bytes of model\.joblib must be 0 to 2147483648; got True"),
        (with_member(bytes=1), r"must have 1 bytes as its manifest says; got \d+"),
    ],
)
def test_crafted_manifest_is_refused(model: Any, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    model.edit(change)
    with pytest.raises(ModelLoadError, match=message) as refusal:
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(feature_definition=99), r"feature_definition must be \d+; got 99 .*newswinnow train"),
        (lambda m: m.update(feature_definition=None), r"feature_definition must be \d+; got None"),
        (lambda m: m.update(contexts=["alone", "order"]), r"contexts must be of alone for this format; got order"),
        (lambda m: m["probes"].update(probabilities=[]), r"probes must have probabilities for alone; got \[\]"),
        (lambda m: m["probes"]["probabilities"].update(order=[]), r"probes must have probabilities for alone; got"),
        (
            lambda m: m["probes"]["probabilities"].update(alone=[[0.5] * 3] * 63),
            r"each have 3 probabilities; got shape \(63, 3\)",
        ),
        (lambda m: m["probes"]["probabilities"].update(alone=["a", "b", "c"]), r"probes must hold numbers; got"),
        (lambda m: m["probes"]["probabilities"].update(alone=[[0.1, 0.2, 0.7]] * 64), r"golden probes must agree to 1e-06; got"),
        (lambda m: m["probes"].update(rows={}), r"probes must be rows of page, position, text, tag, link_density; got"),
        (lambda m: m["probes"]["rows"].update(text="Share"), r"probes must be rows of"),
        (lambda m: m["probes"]["rows"]["text"].pop(), r"columns of one length, at least 1; got \[63, 64\]"),
        (
            lambda m: m["probes"]["rows"].update({k: [] for k in m["probes"]["rows"]}),
            r"columns of one length, at least 1; got \[0\]",
        ),
        (lambda m: m["probes"]["rows"]["text"].__setitem__(0, 7), r"probes must have str as text; got 7"),
        (lambda m: m["probes"]["rows"]["position"].__setitem__(3, None), r"probes must have int as position; got None"),
        (lambda m: m["probes"]["rows"]["position"].__setitem__(3, True), r"probes must have int as position; got True"),
    ],
)
def test_crafted_manifest_of_plain_numbers_is_refused(
    portable: Any, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    portable.edit(change)
    with pytest.raises(ModelLoadError, match=message):
        load_model(portable.directory)


def tensors_of(directory: Path) -> dict[str, Any]:
    return {name: tensor.copy() for name, tensor in load((directory / "weights.safetensors").read_bytes()).items()}


def raw(header: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 8,
        (1 << 40).to_bytes(8, "little") + b"{}",
        raw({}),
        raw({"hashed": {"dtype": "F16", "shape": [1 << 40, 3], "data_offsets": [0, 6 << 40]}}),
        raw({"hashed": {"dtype": "F16", "shape": [-1, 3], "data_offsets": [0, 6]}}, b"\0" * 6),
        raw({"hashed": {"dtype": "BF16", "shape": [1, 3], "data_offsets": [0, 6]}}, b"\0" * 6),
        raw({"hashed": {"dtype": "object", "shape": [1, 3], "data_offsets": [0, 6]}}, b"\0" * 6),
        raw({"hashed": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]}}, b"\0" * 2),
        b"\x40\0\0\0\0\0\0\0" + b'{"a":{"dtype":"F16","shape":[0],"data_offsets":[0,0]},"a":1}'.ljust(64),
    ],
)
def test_crafted_tensors_are_refused_although_their_digest_is_right(portable: Any, data: bytes) -> None:
    portable.put_member(data)
    with pytest.raises(ModelLoadError, match=r"weights\.safetensors: .+"):
        load_model(portable.directory)


def test_weights_of_another_model_are_found_out_by_the_probes(portable: Any) -> None:
    tensors = tensors_of(portable.directory)
    portable.put_member(save({**tensors, "bias": tensors["bias"][::-1].copy()}))
    with pytest.raises(ModelLoadError, match=r"manifest\.json: golden probes must agree to 1e-06; got a difference of"):
        load_model(portable.directory)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"manifest\.json: must be valid JSON; got"),
        (b'{"format_version": 1', r"manifest\.json: must be valid JSON; got"),
        (b"\xff\xfe\xfa", r"manifest\.json: must be valid JSON; got"),
        (b"[" * 100_000, r"manifest\.json: must be valid JSON; got"),
        (b'{"format_version": 1' + b"0" * 5000 + b"}", r"manifest\.json: must be valid JSON; got"),
        (b'{"format": 1, "format": 2}', r"manifest\.json: must be valid JSON; got the key 'format' twice"),
        (b"[1]", r"manifest\.json: must be a JSON object; got list"),
        (b"null", r"manifest\.json: must be a JSON object; got NoneType"),
    ],
)
def test_damaged_manifest_is_refused(model: Any, data: bytes, message: str) -> None:
    (model.directory / "manifest.json").write_bytes(data)
    with pytest.raises(ModelLoadError, match=message):
        read_manifest(model.directory)


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.replace('"labels"', '"labels": [], "labels"', 1),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + " ",
        lambda text: text.replace('"alone"', '"\\u0061lone"'),
        lambda text: text.replace('"held": 0.5', '"held": 5e-1'),
        lambda text: text.replace('"held": 0.5', '"held": NaN'),
        lambda text: text.replace('"held": 0.5', '"held": 0.6'),
    ],
)
def test_manifest_in_other_words_is_refused(model: Any, spell: Callable[[str], str]) -> None:
    path = model.directory / "manifest.json"
    before = path.read_bytes().decode()
    path.write_bytes(spell(before).encode())
    assert path.read_bytes() != before.encode()
    with pytest.raises(ModelLoadError, match=r"manifest\.json: must (be|hold) .*; got"):
        read_manifest(model.directory)


@pytest.mark.parametrize("name", ["manifest.json", "model.joblib"])
def test_linked_file_is_refused_even_if_it_is_the_right_one(model: Any, original: Any, name: str) -> None:
    (model.directory / name).unlink()
    (model.directory / name).symlink_to(original.directory / name)
    with pytest.raises(ModelLoadError, match=rf"{name}: must be a regular file; got l"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize("name", ["manifest.json", "model.joblib"])
@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "p"), (os.mkdir, "d")])
def test_what_is_no_file_is_refused(model: Any, name: str, make: Callable[[Path], None], kind: str) -> None:
    (model.directory / name).unlink()
    make(model.directory / name)
    with pytest.raises(ModelLoadError, match=rf"{name}: must be a regular file; got {kind}"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize(("name", "limit"), [("manifest.json", 4 << 20), ("model.joblib", 2 << 30)])
def test_huge_file_is_refused_unread(model: Any, name: str, limit: int) -> None:
    os.truncate(model.directory / name, limit + 1)
    with pytest.raises(ModelLoadError, match=rf"{name}: must have at most {limit} bytes; got {limit + 1}"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


@pytest.mark.parametrize("name", ["manifest.json", "model.joblib"])
def test_missing_file_is_refused(model: Any, name: str) -> None:
    (model.directory / name).unlink()
    with pytest.raises(ModelLoadError, match=rf"{name}: must be there; got No such file or directory"):
        load_model(model.directory, allow_pickle=True, sha256=model.sha256)


def test_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"nowhere/manifest\.json: must be there; got No such file or directory"):
        load_model(tmp_path / "nowhere")


def test_linked_directory_is_as_good_as_the_directory(portable: Any, tmp_path: Path) -> None:
    (tmp_path / "newest").symlink_to(portable.directory)
    assert load_model(tmp_path / "newest").predict(["Share"]).tolist() == ["boilerplate"]


def test_archive_in_place_of_a_directory_is_refused(portable: Any, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "model"), "zip", portable.directory)
    with pytest.raises(ModelLoadError, match=r"manifest\.json: must be there; got Not a directory"):
        load_model(archive)
