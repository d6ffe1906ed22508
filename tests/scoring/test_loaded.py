"""Models held by a process: each loaded once, whoever asks first; only so many are kept."""

import threading
import time

from newswinnow.models.predictor import Predictor
from newswinnow.scoring import loaded as module
from newswinnow.scoring.loaded import KEPT, loaded


def test_a_model_is_loaded_once_however_many_threads_ask() -> None:
    calls: list[int] = []

    def load() -> Predictor:
        calls.append(1)
        time.sleep(0.01)
        return Predictor(None)

    found: list[Predictor] = []
    threads = [threading.Thread(target=lambda: found.append(loaded("once", load))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(calls), len(found), len(set(map(id, found)))) == (1, 8, 1)


def test_the_model_asked_for_longest_ago_makes_room() -> None:
    first = loaded("first", lambda: Predictor(None))
    for i in range(KEPT - 1):
        loaded(f"other {i}", lambda: Predictor(None))
    assert loaded("first", lambda: Predictor(None)) is first
    loaded("one more", lambda: Predictor(None))
    assert "other 0" not in module._HELD
    assert loaded("first", lambda: Predictor(None)) is first
    assert len(module._HELD) == KEPT
