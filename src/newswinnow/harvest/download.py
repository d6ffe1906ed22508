"""Downloads that go on where they were cut: pooch checks and places each file, this module brings its bytes.

Which files there are and what is done with them is left to :mod:`newswinnow.harvest.fetch`; needs the ``fetch`` extra.
"""

import hashlib
import logging
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

try:
    import pooch
    import requests
except ImportError as error:
    raise ModuleNotFoundError(
        "pooch: must be installed to download; got no such package (pip install 'newswinnow[fetch]')"
    ) from error

_PARTIAL: Final = ".partial"
_TIMEOUT_S: Final = 30.0
_CHUNK_BYTES: Final = 4096
"""What a cut may cost: the chunk it falls into is lost."""

_TRIES: Final = 4
_MAX_WAIT_S: Final = 60.0
_TRY_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE_REFUSED: Final = 416
_PARTIAL_CONTENT: Final = 206
_GOT = re.compile(r"but got (?:sha256:)?([0-9a-f]{64})")


class DownloadError(OSError):
    """A file that could not be brought; the message is ``URL: rule; got value``."""


class _Cut(Exception):
    """A try that ended early and may be made again after some seconds."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class ResumingDownloader:
    """A downloader for pooch that keeps what it got and asks only for the rest, in this run or a later one.

    Parameters
    ----------
    folder
        Where unfinished files are kept.
    wait_s
        Seconds before the second try; doubled for each further one. A server's ``Retry-After`` goes before it.
    """

    def __init__(self, folder: Path, *, wait_s: float = 1.0) -> None:
        self._folder = folder
        self._wait_s = wait_s
        self._local = threading.local()

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> bool | None:
        """Bring one file, as pooch asks for it.

        Parameters
        ----------
        url
            Its address.
        output_file
            Where to put it.
        pooch
            Ignored.
        check_only
            Only say whether the server has it.

        Returns
        -------
        The answer to ``check_only``, otherwise None.

        Raises
        ------
        DownloadError
            If it is not there, or every try was cut.
        """
        del pooch
        if check_only:
            return bool(self._session().head(url, timeout=_TIMEOUT_S, allow_redirects=True).ok)
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / hashlib.sha256(url.encode()).hexdigest()[:32]
        for n_tries in range(1, _TRIES + 1):
            try:
                self._go_on(url, partial)
                break
            except _Cut as cut:
                if n_tries == _TRIES:
                    raise DownloadError(f"{url}: must be downloadable; got {cut} in {_TRIES} tries") from cut
                wait_s = self._wait_s * 2 ** (n_tries - 1) if cut.wait_s is None else cut.wait_s
                time.sleep(min(wait_s, _MAX_WAIT_S))
        partial.replace(output_file)
        return None

    def _session(self) -> requests.Session:
        """One connection per thread, kept open from file to file."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            # Compressed transfer would make offsets those of other bytes than the file's.
            self._local.session.headers["Accept-Encoding"] = "identity"
        session: requests.Session = self._local.session
        return session

    def _go_on(self, url: str, partial: Path) -> None:
        offset = partial.stat().st_size if partial.exists() else 0
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            with self._session().get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
                self._check(url, response, partial)
                is_rest = response.status_code == _PARTIAL_CONTENT
                if is_rest and not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
                    partial.unlink()
                    raise _Cut("a part that was not asked for")
                with partial.open("ab" if is_rest else "wb") as file:
                    for chunk in response.iter_content(_CHUNK_BYTES):
                        file.write(chunk)
        except requests.RequestException as error:
            raise _Cut(f"{type(error).__name__}") from error

    @staticmethod
    def _check(url: str, response: requests.Response, partial: Path) -> None:
        if response.status_code == _RANGE_REFUSED:
            # What is here is as long as the file or longer: begin anew rather than trust it.
            partial.unlink()
            raise _Cut("a refused range", 0.0)
        if response.status_code in _TRY_AGAIN:
            after = response.headers.get("Retry-After", "")
            raise _Cut(f"{response.status_code} {response.reason}", float(after) if after.isdecimal() else None)
        if not response.ok:
            raise DownloadError(f"{url}: must be downloadable; got {response.status_code} {response.reason}")


class Downloads:
    """Files of one directory on a server.

    Parameters
    ----------
    base_url
        The directory's address.
    directory
        Where they go.
    registry
        sha256 by path; None for a file whose digest is not known.
    wait_s
        As for :class:`ResumingDownloader`.
    """

    def __init__(self, base_url: str, directory: Path, registry: Mapping[str, str | None], *, wait_s: float = 1.0) -> None:
        # Its notes of every file would drown the progress bar.
        pooch.get_logger().setLevel(logging.WARNING)
        base_url = base_url if base_url.endswith("/") else base_url + "/"
        # Made here, because threads that find one missing would each try to make it.
        for parent in {(directory / path).parent for path in registry}:
            parent.mkdir(parents=True, exist_ok=True)
        self._pooch = pooch.create(path=directory, base_url=base_url, registry=dict(registry))
        self._downloader = ResumingDownloader(directory / _PARTIAL, wait_s=wait_s)

    def fetch(self, path: str) -> str:
        """Bring a file unless it is there already.

        Parameters
        ----------
        path
            One of the registry's.

        Returns
        -------
        The path.

        Raises
        ------
        DownloadError
            If it cannot be downloaded.
        ValueError
            If what came has another digest; it is thrown away.
        """
        try:
            self._pooch.fetch(path, downloader=self._downloader)
        except ValueError as error:
            found = _GOT.search(str(error))
            got = found[1] if found else "another"
            raise ValueError(
                f"{self._pooch.get_url(path)}: must have the sha256 {self._pooch.registry[path]}; got {got}"
            ) from error
        return path
