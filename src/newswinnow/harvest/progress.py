"""What long work tells those who watch it: what is being done and how far it is.

Showing it is left to :mod:`newswinnow.cli`; bulk scoring, which counts bytes and rows, has a form of its own.
"""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


def no_progress(step: str, done: int, total: int) -> None:
    """Progress for those who do not watch.

    Parameters
    ----------
    step
        Ignored.
    done
        Ignored.
    total
        Ignored.
    """
