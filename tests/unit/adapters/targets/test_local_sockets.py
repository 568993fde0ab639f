import os
from pathlib import Path

import pytest

from fairway.adapters.targets.local import sockets
from fairway.adapters.targets.local.sockets import choose_socket, is_taken


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a short path, and what stands for that of temporary files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sockets, "_LONGEST", 107 + len(os.fsencode(tmp_path)))
    monkeypatch.setattr(sockets, "_SHORT", str(tmp_path / "short"))
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def test_each_name_has_a_folder_of_its_own_where_nobody_else_can_be_faster(place):
    one, other = Path(choose_socket("one", place)), Path(choose_socket("other", place))
    assert one.parent.parent == other.parent.parent == place
    assert one != other
    assert str(one) == choose_socket("one", place)
    assert list(place.iterdir()) == []


def test_a_long_path_is_evaded(place):
    deep = place / ("long" * 25)
    deep.mkdir()
    path = choose_socket("one", deep)
    assert Path(path).parent.parent == place.parent / "short"
    assert f"-{os.geteuid()}-" in path
    assert path != choose_socket("other", deep)


def test_the_path_is_short_enough_wherever_the_project_lies(tmp_path):
    for folder in (tmp_path, tmp_path / ("ä" * 30), tmp_path / ("long" * 25)):
        folder.mkdir(exist_ok=True)
        path = choose_socket("one", folder)
        assert len(os.fsencode(path)) <= 107


def test_a_file_system_without_sockets_is_evaded(place):
    path = choose_socket("one", place / "gone")  # nothing can be bound there either
    assert Path(path).parent.parent == place.parent / "short"


def test_a_folder_that_belongs_to_somebody_else_is_passed_over(place, monkeypatch):
    first = choose_socket("one", place)
    folder = Path(first).parent
    folder.mkdir()
    assert (is_taken(first), choose_socket("one", place)) == (False, first)
    with monkeypatch.context() as other:
        me = os.geteuid()
        other.setattr(sockets.os, "geteuid", lambda: me + 1)
        assert is_taken(first)
    folder.rmdir()
    folder.symlink_to(place)  # a link leads wherever its owner wants
    assert is_taken(first)
    assert choose_socket("one", place) != first
