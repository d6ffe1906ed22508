"""What is passed over in folders."""

import os
import socket
from collections import Counter
from pathlib import Path

import pytest

from newswinnow.harvest.folders import describe_passed_over, passed_over


def test_links_pipes_and_sockets_count_once_each_and_files_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "page.txt").write_text("Share")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "gone").symlink_to(tmp_path / "absent")
    os.mkfifo(tmp_path / "a" / "pipe")
    # The address of a socket may have about 100 bytes.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("door")
        assert passed_over([tmp_path]) == {"link": 2, "pipe": 1, "socket": 1}
    assert passed_over([tmp_path / "a" / "b", tmp_path / "a"]) == {"link": 3, "pipe": 1}


def test_hidden_entries_do_not_count(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "pipe")
    (tmp_path / ".link").symlink_to(tmp_path)
    assert passed_over([tmp_path]) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="making a device needs root")
def test_devices_count(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", 0o020666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this container allows no devices")
    assert passed_over([tmp_path]) == {"device": 1}


def test_description_names_kinds_in_order() -> None:
    assert describe_passed_over(Counter(pipe=2, link=1)) == "1 link, 2 pipes"
    assert describe_passed_over(Counter()) == ""
