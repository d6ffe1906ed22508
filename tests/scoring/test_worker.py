"""The process behind the workers, its functions called here: what it loads, refuses, answers, and when it ends."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from newswinnow.models.predictor import Predictor
from newswinnow.scoring import worker
from newswinnow.scoring.chunks import Chunk, Scored
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.score import ARROW, Task
from newswinnow.scoring.worker import FAILED, OK, REFUSED, main, serve


class Ended(BaseException):
    """What `os._exit` does here."""


class Cycles:
    """Garbage collector that counts how often it is called."""

    def __init__(self) -> None:
        self.n_collected = 0

    def collect(self) -> None:
        self.n_collected += 1


class Rule:
    """A model that knows one word."""

    classes_ = ("news", "boilerplate", "related-link")

    def predict_proba(self, texts: list[str]) -> np.ndarray[Any, Any]:
        return np.array([[0.1, 0.8, 0.1] if text == "Share" else [0.7, 0.2, 0.1] for text in texts])


@pytest.fixture
def model() -> Predictor:
    return Predictor(Rule())


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a Unix socket; whoever hands one on detaches it."""
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
def calm() -> Iterator[None]:
    """What the process changes for itself is put back: signals and garbage collection."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGCHLD)}
    yield
    gc.enable()
    gc.unfreeze()
    for number, handler in before.items():
        signal.signal(number, handler)


def chunk(number: int, text: str = "Share") -> Chunk:
    data = orjson.dumps({"page": "p", "position": number, "text": text}, option=orjson.OPT_APPEND_NEWLINE)
    return Chunk(number, 0, number + 1, 1, "a.jsonl", "jsonl", data)


def asked(ours: socket.socket, *messages: object) -> Connection:
    """A connection that has sent messages and will send no more."""
    connection = Connection(os.dup(ours.fileno()))
    for message in messages:
        connection.send(message)
    ours.shutdown(socket.SHUT_WR)
    return connection


def predicted(answer: tuple[str, Any]) -> str:
    kind, scored = answer
    assert (kind, type(scored)) == (OK, Scored)
    label: str = orjson.loads(scored.payload)["predicted"]
    return label


def test_chunks_are_answered_in_order_and_failures_told(model: Predictor, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    broken = Chunk(7, 0, 8, 1, "b.jsonl", "unknown", b"")
    with asked(ours, chunk(0), broken, chunk(1, "It rained.")) as connection:
        serve(Connection(theirs.detach()), model, Task())
        assert predicted(connection.recv()) == "boilerplate"
        kind, message = connection.recv()
        assert (kind, message.split(": ")[:2]) == (FAILED, ["b.jsonl", "lines 8 to 8"])
        assert predicted(connection.recv()) == "news"
        with pytest.raises(EOFError):
            connection.recv()


def test_a_worker_ends_when_nobody_takes_its_answer(model: Predictor, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with asked(ours, *(chunk(i) for i in range(3))):
        pass
    ours.close()
    serving = Connection(theirs.detach())
    serve(serving, model, Task())
    assert serving.recv().number == 1


def test_cycles_are_collected_now_and_then(
    model: Predictor, pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    cycles = Cycles()
    monkeypatch.setattr(worker, "gc", cycles)
    with asked(ours, *(chunk(i) for i in range(2 * worker._COLLECTED + 1))):
        serve(Connection(theirs.detach()), model, Task())
    assert cycles.n_collected == 2


def test_a_model_that_is_refused_is_told_and_ends_the_process(
    pair: tuple[socket.socket, socket.socket], calm: None, tmp_path: Path
) -> None:
    ours, theirs = pair
    with asked(ours, (ModelSource(tmp_path / "none"), Task())) as connection:
        main(theirs.detach())
        kind, message = connection.recv()
    assert kind == REFUSED
    assert message.startswith(f"{tmp_path}/none/manifest.json: ")


def test_every_socket_handed_over_becomes_a_worker(
    pair: tuple[socket.socket, socket.socket], calm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The side that goes on loading workers: it keeps none of their sockets, and ends with the run."""
    ours, theirs = pair
    forked: list[int] = []

    def fork() -> int:
        forked.append(1)
        return 77

    monkeypatch.setattr(os, "fork", fork)
    handed, kept = socket.socketpair()
    connection = Connection(os.dup(ours.fileno()))
    connection.send((ModelSource(), Task(form=ARROW)))
    for _ in range(2):
        socket.send_fds(ours, [b"w"], [handed.fileno()])
    handed.close()
    ours.shutdown(socket.SHUT_WR)
    main(theirs.detach())
    assert connection.recv() == (OK, None)
    assert len(forked) == 2
    assert kept.recv(1) == b""
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert not gc.isenabled()
    assert "pyarrow" in sys.modules
    connection.close()
    kept.close()


def test_the_forked_side_serves_its_socket_and_ends(
    pair: tuple[socket.socket, socket.socket], calm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(code: int) -> None:
        raise Ended(code)

    ours, theirs = pair
    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(os, "_exit", end)
    handed, own = socket.socketpair()
    connection = Connection(os.dup(ours.fileno()))
    connection.send((ModelSource(), Task()))
    socket.send_fds(ours, [b"w"], [handed.fileno()])
    handed.close()
    with asked(own, chunk(0)) as answers, pytest.raises(Ended, match="0"):
        main(theirs.detach())
    with Connection(own.detach()) as answers:
        assert predicted(answers.recv()) == "boilerplate"
    connection.close()
