"""Models that this process holds, each loaded once: for frameworks that send work to a process over and over.

How a model is loaded is left to the caller; forked and spawned processes each hold their own.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from newswinnow.models.predictor import Predictor

KEPT: Final = 4
"""Models held at a time; the one that was asked for longest ago makes room."""

_HELD: Final[OrderedDict[str, Predictor]] = OrderedDict()
_LOCK: Final = Lock()


def loaded(key: str, load: Callable[[], Predictor]) -> Predictor:
    """A model, loaded when it is first asked for.

    Parameters
    ----------
    key
        By what it is known again: a digest, and whatever else decides about what is loaded.
    load
        Loads it. Other threads that ask for a model wait meanwhile.

    Returns
    -------
    The same predictor at every call.
    """
    with _LOCK:
        if key not in _HELD:
            _HELD[key] = load()
            while len(_HELD) > KEPT:
                _HELD.popitem(last=False)
        _HELD.move_to_end(key)
        return _HELD[key]
