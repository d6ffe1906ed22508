"""Where compiled code is kept, and that the kernel works where it can be kept nowhere."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from newswinnow.features import jit


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "TMPDIR")
    }
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**kept, **environment}, check=True)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No directory chosen yet, and every place but the first below ``tmp_path``."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(jit, "cache_directory", jit.cache_directory.__wrapped__)
    return tmp_path


def without_package(monkeypatch: pytest.MonkeyPatch, *others: Path) -> None:
    """As if neither the package's directory nor others could be written to."""
    refused = [Path(jit.__file__).parent, *others]
    ours = jit._is_ours
    monkeypatch.setattr(jit, "_is_ours", lambda path: not any(path.is_relative_to(r) for r in refused) and ours(path))


def test_the_directory_named_by_the_user_comes_first(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(fresh / "mine"))
    found = jit.cache_directory()
    assert found is not None
    assert found.parent == fresh / "mine"


def test_beside_the_package_then_the_users_cache_then_a_private_directory(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = jit.cache_directory()
    assert found is not None
    assert found.parent.name == "__pycache__"
    without_package(monkeypatch)
    found = jit.cache_directory()
    assert found is not None
    assert found.parent == fresh / "cache" / "newswinnow"
    without_package(monkeypatch, fresh / "cache")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(fresh))
    found = jit.cache_directory()
    assert found is not None
    assert found.parent == fresh
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_without_any_directory_there_is_one_warning(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jit, "_is_ours", lambda path: False)
    assert jit.cache_directory() is None
    assert len(caplog.messages) == 1
    assert "numba cache: should have a writable directory; got none" in caplog.text


def test_code_of_other_versions_goes_when_it_was_not_used_for_a_month(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(fresh))
    own = jit.cache_directory()
    assert own is not None
    month_ago = time.time() - 31 * 24 * 3600
    old, recent, other = (fresh / name for name in (f"kernel-{'0' * 16}", f"kernel-{'1' * 16}", "kernel-of-somebody"))
    for folder in (old, recent, other):
        folder.mkdir()
        (folder / "scan.nbi").write_bytes(b"code")
    for folder in (own, old, other):
        os.utime(folder, (month_ago, month_ago))
    assert jit.cache_directory() == own
    assert sorted(path.name for path in fresh.iterdir()) == sorted([own.name, recent.name, other.name])
    assert own.stat().st_mtime > month_ago + 1000


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
def test_a_directory_that_others_can_write_to_is_not_ours(tmp_path: Path) -> None:
    open_to_all, link = tmp_path / "open", tmp_path / "link"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (tmp_path / "private").mkdir(mode=0o700)
    link.symlink_to(tmp_path / "private")
    (tmp_path / "file").write_text("")
    assert jit._is_ours(tmp_path / "private")
    assert jit._is_ours(tmp_path / "new" / "below")
    assert not jit._is_ours(open_to_all)
    assert not jit._is_ours(link)
    assert not jit._is_ours(tmp_path / "file")


def _double(x: int) -> int:
    return 2 * x


def test_the_setting_of_numba_is_put_back(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    monkeypatch.setattr(jit, "cache_directory", lambda: fresh)
    assert jit.entry(_double)(21) == jit.lean_entry(_double)(21) == 42
    assert list(fresh.rglob("*.nbc"))
    assert before == numba.config.CACHE_DIR  # type: ignore[attr-defined]
    monkeypatch.setattr(jit, "cache_directory", lambda: None)
    assert jit.entry(_double)(21) == 42


KERNEL = (
    "import logging; logging.basicConfig(level='WARNING', format='%(message)s')\n"
    "from newswinnow.features import jit\n"
    "from newswinnow.features.hashed import warm_up\n"
    "warm_up()\n"
    "print(jit.cache_directory())"
)


def test_the_kernel_is_compiled_once_for_all_processes(tmp_path: Path) -> None:
    places = {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "HOME": str(tmp_path)}
    first = run(KERNEL, **places)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.nbc")}
    assert files
    assert first.stderr == ""
    run(KERNEL, **places)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.nbc")} == files


def test_the_kernel_works_where_nothing_can_be_written(tmp_path: Path) -> None:
    # Files instead of directories stop root too, whom permissions would not.
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    code = (
        "import os, tempfile; from pathlib import Path; mkdir = Path.mkdir\n"
        "def refuse(self, *args, **kwargs):\n"
        "    raise PermissionError(13, 'Permission denied', str(self))\n"
        "Path.mkdir = refuse\n"
    )
    places = {"NUMBA_CACHE_DIR": str(blocked / "x"), "XDG_CACHE_HOME": str(blocked), "HOME": str(blocked), "TMPDIR": str(blocked)}
    done = run(code + KERNEL, **places)
    assert done.stdout.strip() == "None"
    assert done.stderr.count("\n") == 1
    assert "numba cache: should have a writable directory; got none" in done.stderr
