import os

from fairway.adapters.targets.local import sockets
from fairway.adapters.targets.local.sockets import choose_socket, is_taken


def test_a_name_has_a_short_path_of_its_own():
    path = choose_socket("/home/" + "ann/" * 50 + "shop.production/1.0.0.1")
    assert len(path.encode()) <= 107
    assert path == choose_socket("/home/" + "ann/" * 50 + "shop.production/1.0.0.1")
    assert path != choose_socket("/home/" + "ann/" * 50 + "shop.production/1.0.0.2")


def test_a_folder_that_belongs_to_somebody_else_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.setattr(sockets, "_PLACE", str(tmp_path))
    first = choose_socket("one")
    folder = tmp_path / first.split("/")[-2]
    folder.mkdir(mode=0o700)
    assert (is_taken(first), choose_socket("one")) == (False, first)
    me = os.geteuid()
    monkeypatch.setattr(sockets.os, "geteuid", lambda: me + 1)
    assert is_taken(first)
    monkeypatch.undo()
    monkeypatch.setattr(sockets, "_PLACE", str(tmp_path))
    folder.rmdir()
    folder.symlink_to(tmp_path)  # a link leads wherever its owner wants
    assert is_taken(first)
    assert choose_socket("one") not in {first, ""}
