import os
import stat

import pytest

from fairway.adapters.supervisor import sockets
from fairway.adapters.supervisor.sockets import make_folder, remove_folder


def test_a_folder_is_made_for_the_owner_only_and_removed_with_what_is_in_it(tmp_path):
    folder = tmp_path / "own"
    make_folder(str(folder / "socket"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "socket").touch()
    (folder / "socket.lock").touch()
    remove_folder(str(folder / "socket"))
    assert not folder.exists()
    remove_folder(str(folder / "socket"))


def test_what_is_left_of_before_is_removed_at_a_start(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir(mode=0o755)
    (folder / "socket").touch()
    make_folder(str(folder / "socket"))
    assert list(folder.iterdir()) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_neither_used_nor_emptied(tmp_path, monkeypatch):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "socket").touch()
    link = tmp_path / "link"
    link.symlink_to(folder)
    me = os.geteuid()
    for place, user in ((link, me), (folder, me + 1)):
        monkeypatch.setattr(sockets.os, "geteuid", lambda user=user: user)
        with pytest.raises(PermissionError, match="belongs to somebody else"):
            make_folder(str(place / "socket"))
        remove_folder(str(place / "socket"))
    assert [file.name for file in folder.iterdir()] == ["socket"]
