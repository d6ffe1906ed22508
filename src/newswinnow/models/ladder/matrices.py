"""One thread for each matrix product while pages are scored: they are small, and threads of ours share the pages out already.

OpenBLAS keeps threads of its own that wait for the next product at full speed, three times the processor time a paragraph. What
is multiplied is left to :mod:`newswinnow.models.ladder.networks`.
"""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _controller() -> Any:
    """What sets the threads of the libraries that are loaded; to look for them takes some milliseconds."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def one_thread_each() -> AbstractContextManager[object]:
    """Multiply matrices with one thread; afterwards the libraries have as many as before.

    Returns
    -------
    A context. Where several threads of a program use it at once, threadpoolctl decides whose limit holds.
    """
    found: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return found
