"""Ctrl-C and SIGTERM as a request to stop soon; the second one stops at once.

What is done until then is left to the caller, who asks now and then.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StoppedError(RuntimeError):
    """A run that was told to stop; what is done is kept.

    Parameters
    ----------
    number
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}; the same command goes on from here")
        self.number = number


class Stop:
    """Whether a signal came."""

    def __init__(self) -> None:
        self._number = 0

    def request(self, number: int, frame: FrameType | None = None) -> None:
        """Note a signal; the second ends the process.

        Parameters
        ----------
        number
            Of the signal.
        frame
            Where it came; not looked at.
        """
        if self._number:
            os._exit(128 + number)
        self._number = number

    def check(self) -> None:
        """Stop if a signal came.

        Raises
        ------
        StoppedError
            If one did.
        """
        if self._number:
            raise StoppedError(self._number)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turn the signals that end a program into a request; elsewhere than in the main thread nothing changes.

    Yields
    ------
    What to ask.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.request) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
