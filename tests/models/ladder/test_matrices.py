"""Matrix products on one thread while pages are scored, and as before afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from newswinnow import load_model
from newswinnow.models.ladder.matrices import one_thread_each
from newswinnow.models.ladder.networks import Network
from newswinnow.paragraphs.rows import Rows


def numpys() -> Any:
    """What controls the library that numpy brings; SciPy has one of its own."""
    (found,) = (one for one in ThreadpoolController().lib_controllers if "numpy" in one.filepath)
    return found


def blas_threads() -> int:
    return int(numpys().get_num_threads())


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = blas_threads()
    numpys().set_num_threads(2)
    yield
    numpys().set_num_threads(before)


def test_threads_are_as_before_after_a_failure() -> None:
    with pytest.raises(ValueError, match="broken"), one_thread_each():
        raise ValueError("broken")
    assert blas_threads() == 2


def test_pages_are_scored_with_one_thread_a_product(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    logits = Network.logits

    def watched(*given: Any) -> Any:
        seen.append(blas_threads())
        return logits(*given)

    model = load_model()  # asks the networks its probes
    monkeypatch.setattr(Network, "logits", watched)
    n = 200
    rows = Rows({"page": ["p"] * n, "position": list(range(n)), "text": ["A bridge opened on Monday."] * n})
    model.predict_rows(rows, context="order")
    assert set(seen) == {1}
    assert blas_threads() == 2
