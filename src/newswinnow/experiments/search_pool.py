"""Where trials run: in this process, in several, or on a Dask cluster through joblib's backend; results come in order.

What a trial does is left to the caller.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

CONNECT_SECONDS: Final = 10
Job = tuple[Any, ...]
"""Arguments of one call."""
Results = Callable[[Callable[..., Any], Iterable[Job]], Iterator[Any]]


@contextmanager
def pool(*, n_workers: int = 1, dask: str | None = None) -> Iterator[Results]:
    """A place for calls.

    Parameters
    ----------
    n_workers
        Processes on this machine.
    dask
        Address of a Dask scheduler whose workers make the calls instead.

    Yields
    ------
    A function of a function and jobs that gives results in the order of the jobs, each as soon as those before it are there.

    Raises
    ------
    ValueError
        If there is no process, or no scheduler with workers of the same versions at the address.
    ModuleNotFoundError
        If Dask is not installed.
    RuntimeError
        If the cluster loses a call for good.
    """
    if n_workers < 1:
        raise ValueError(f"--workers: must be >= 1; got {n_workers}")
    if dask is not None:
        with _connected(dask):
            yield _in_parallel(-1)
    elif n_workers == 1:
        yield _one_by_one
    else:
        yield _in_parallel(n_workers)


def _one_by_one(function: Callable[..., Any], jobs: Iterable[Job]) -> Iterator[Any]:
    return (function(*job) for job in jobs)


def _in_parallel(n_jobs: int) -> Results:
    from joblib import Parallel, delayed

    def results(function: Callable[..., Any], jobs: Iterable[Job]) -> Iterator[Any]:
        # One call at a time: a trial takes seconds at least, and none is to wait for another to be written down.
        parallel = Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator")
        found: Iterator[Any] = parallel(delayed(function)(*job) for job in jobs)
        return found

    return results


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Joblib's calls go to a cluster; what goes wrong there is said in one line."""
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"--dask: needs the package 'distributed'; got {error} (pip install 'newswinnow[dask]')"
        ) from error
    from joblib import parallel_config

    try:
        connect: Any = distributed.Client
        client = connect(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ValueError(
            f"--dask: must be the address of a running Dask scheduler, such as tcp://host:8786; got {address!r}"
        ) from error
    with client:
        _check_workers(client, address)
        with parallel_config(backend="dask", client=client):
            try:
                yield
            except Exception as error:
                if not type(error).__module__.startswith("distributed"):
                    raise
                raise RuntimeError(f"--dask: {address} must finish every trial; got {type(error).__name__}: {error}") from error


def _check_workers(client: Any, address: str) -> None:
    found: dict[str, dict[str, str]] = client.run(versions_here)
    if not found:
        raise ValueError(f"--dask: {address} must have workers; got none (dask worker {address})")
    here = versions_here()
    for worker, there in sorted(found.items()):
        for name, version in here.items():
            if there.get(name) != version:
                raise ValueError(f"--dask: worker {worker} must have {name} {version} as here; got {there.get(name)}")


def versions_here() -> dict[str, str]:
    """Versions of what trials depend on in the process that is asked.

    Returns
    -------
    Name to version.
    """
    import platform

    from newswinnow.models.saved import library_versions

    return {**library_versions(), "python": platform.python_version()}
