"""What `deploy` and `plan` say of work that no commit holds: precisely, once, and nothing where there is none."""

from types import SimpleNamespace

import pytest

from fairway import bootstrap
from fairway.cli.deploy import _prepare
from fairway.cli.options import DEFAULTS


@pytest.mark.parametrize(
    ("dirty", "new", "said"),
    [
        (False, (), ""),
        (True, ("a", "b"), "fairway: the work tree has changes that are not committed; only what is committed is"),
        (False, ("notes.txt",), "fairway: git was not told of notes.txt; only what is committed is deployed"),
        (False, tuple("abcde"), "fairway: git was not told of a, b, c and 2 more; only what is committed is deployed"),
    ],
)
def test_what_git_was_not_told_of_is_named_and_changes_are_something_else(monkeypatch, capsys, dirty, new, said):
    project = SimpleNamespace(is_dirty=lambda: dirty, list_new_files=lambda: new)
    monkeypatch.setattr(bootstrap, "open_project", lambda _: project)
    _prepare("v1", "production", None, DEFAULTS)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == bool(said)
    assert "".join(lines).startswith(said)
