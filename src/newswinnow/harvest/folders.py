"""How much in a folder is neither file nor folder: links, pipes, sockets and devices, which no reader of folders takes.

Which files can be read, and as what, is left to :mod:`newswinnow.harvest.inputs` and the collections' readers.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_KINDS: Final = {
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All that is not hidden and no folder, at any depth; links are not followed."""
    folders = [os.fspath(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield entry


def passed_over(folders: Iterable[Path]) -> Counter[str]:
    r"""What no reader of folders takes, because reading it could lead elsewhere, hang or never end.

    Parameters
    ----------
    folders
        Existing directories, each searched to any depth.

    Returns
    -------
    Links, pipes, sockets and devices by kind; hidden ones do not count.

    Raises
    ------
    OSError
        If a folder cannot be listed.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "page.txt").symlink_to("/etc/passwd")
    >>> passed_over([folder])
    Counter({'link': 1})
    """
    found: Counter[str] = Counter()
    for folder in folders:
        for entry in _entries(folder):
            kind = _KINDS.get(stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode))
            if kind is not None:
                found[kind] += 1
    return found


def describe_passed_over(found: Counter[str]) -> str:
    """What was passed over in words.

    Parameters
    ----------
    found
        From :func:`passed_over`.

    Returns
    -------
    Such as ``"1 device, 2 links"``; empty for nothing.

    Examples
    --------
    >>> describe_passed_over(Counter(link=2, device=1))
    '1 device, 2 links'
    """
    return ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in sorted(found.items()))
