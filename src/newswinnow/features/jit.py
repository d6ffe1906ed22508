"""How the kernel is compiled and where its machine code is kept, and the few machine instructions that numba has no name for.

What is computed is left to the modules that use it.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numba
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic as _intrinsic

_SOURCES: Final = tuple(
    f"{name}.py" for name in "definition characters jit scan walk measure weights kernel relations relate".split()
)
_DIGITS: Final = 16
_KEPT_SECONDS: Final = 30 * 24 * 3600
_LOG = logging.getLogger(__name__)
intrinsic: Any = _intrinsic


def _digest() -> str:
    """Digest of every source that is compiled: numba itself looks only at the file of the function called."""
    digest = hashlib.sha256(numba.__version__.encode())
    for name in _SOURCES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _candidates(name: str) -> Iterator[Path]:
    """Where compiled code may be kept: what the user set, beside the package, the user's cache, a private temporary directory."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield Path(given) / name
    yield Path(__file__).parent / "__pycache__" / name
    base = os.environ.get("XDG_CACHE_HOME")
    with contextlib.suppress(RuntimeError):  # no home directory
        yield (Path(base) if base else Path.home() / ".cache") / "newswinnow" / name
    yield Path(tempfile.gettempdir()) / f"newswinnow-{_user()}-{name}"


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_ours(directory: Path) -> bool:
    """Whether a directory, made here if need be, is writable, and by nobody else: what is in it will be run."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.lstat()
        if not stat.S_ISDIR(status.st_mode):
            return False
        if hasattr(os, "getuid") and (status.st_uid != _user() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
            return False
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        return False
    return True


def _forget_old(directory: Path) -> None:
    """Remove what other versions compiled beside a directory, once nobody has used it for a month; note that this one is used."""
    with contextlib.suppress(OSError):
        os.utime(directory)
        kind = directory.name.rpartition("-")[0]
        for other in directory.parent.glob(f"{kind}-{'[0-9a-f]' * _DIGITS}"):
            if other.lstat().st_mtime < time.time() - _KEPT_SECONDS:
                shutil.rmtree(other, ignore_errors=True)


@cache
def cache_directory() -> Path | None:
    """Where compiled code is kept between processes.

    Returns
    -------
    The directory; None where none can be written, and every process compiles anew.
    """
    with contextlib.suppress(OSError):  # sources that cannot be read, as in a zip
        for directory in _candidates(f"kernel-{_digest()}"):
            if _is_ours(directory):
                _forget_old(directory)
                return directory
    _LOG.warning(
        "numba cache: should have a writable directory; got none (NUMBA_CACHE_DIR=DIR names one): compiling in each process"
    )
    return None


def _decorator(**options: Any) -> Any:
    return njit(nogil=True, error_model="numpy", **options)


def _lean_decorator(**options: Any) -> Any:
    """The decorator without the counting of references to arrays, where this numba can leave it out.

    Inlined functions take and drop a reference to every array they are handed, atomically, which costs time at every paragraph.
    What is compiled so must neither make arrays nor keep them.
    """
    try:
        return _decorator(_nrt=False, **options)
    except KeyError:
        return _decorator(**options)


def _kept(decorator: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """Compile a function, its machine code kept between processes where it can be."""
    directory = cache_directory()
    if directory is None:
        return decorator()(function)
    # numba decides on the directory when it decorates; its setting is the whole process's, so it is put back at once.
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(directory)
    try:
        return decorator(cache=True)(function)
    except RuntimeError:
        return decorator()(function)
    finally:
        settings.CACHE_DIR = before


def entry(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, its machine code kept between processes.

    Parameters
    ----------
    function
        What to compile.

    Returns
    -------
    The compiled function; it releases the GIL.
    """
    return _kept(_decorator, function)


def lean_entry(function: Callable[..., Any]) -> Any:
    """What :func:`entry` does, for a function that neither makes arrays nor keeps them: references to them are not counted.

    Parameters
    ----------
    function
        What to compile.

    Returns
    -------
    The compiled function; it releases the GIL.
    """
    return _kept(_lean_decorator, function)


def brief_entry(function: Callable[..., Any]) -> Any:
    """What :func:`entry` does, for a function of a few microseconds: it keeps the GIL, since threads hand that over more slowly.

    Parameters
    ----------
    function
        What to compile.

    Returns
    -------
    The compiled function.
    """
    return _kept(partial(njit, error_model="numpy"), function)


lean: Any = _lean_decorator()
# Arrays cross a compiled call as a dozen machine words each, so what runs once per token or feature is inlined before compiling.
inlined: Any = _decorator(inline="always")


def _address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, args[0]).data
    return builder.gep(builder.bitcast(data, ir.IntType(8).as_pointer()), [args[1]])


@intrinsic
def load8(typingctx: Any, array: Any, index: Any) -> Any:
    """Byte ``index`` of an array, without the check for a negative index."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, signature, args))

    return types.uint8(array, types.intp), generate


@intrinsic
def load64(typingctx: Any, array: Any, index: Any) -> Any:
    """Eight bytes from ``index`` on as one number, the first lowest; all eight must lie inside the array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = builder.bitcast(_address(context, builder, signature, args), ir.IntType(64).as_pointer())
        return builder.load(address, align=1)

    return types.uint64(array, types.intp), generate


@intrinsic
def trailing_zeros(typingctx: Any, value: Any) -> Any:
    """Number of zero bits below the lowest one."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.intp(types.uint64), generate


@intrinsic
def bit_count(typingctx: Any, value: Any) -> Any:
    """Number of one bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.intp(types.uint64), generate
