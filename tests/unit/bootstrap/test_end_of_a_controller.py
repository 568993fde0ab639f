"""A controller that cannot go on must end: while its process lives, nobody starts another."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.bootstrap import controller
from fairway.engine.controller import Controller


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SimpleNamespace]:
    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    supervisor = SimpleNamespace(ensure_running=lambda: None)
    with SqlStore.open(str(tmp_path / "journal.db")) as store:
        yield SimpleNamespace(store=store, world=None, notifier=None, supervisor=supervisor, folder=tmp_path)
    for number, handler in before:
        signal.signal(number, handler)


def test_a_controller_whose_loop_fails_ends_with_all_its_threads(project, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Controller, "serve", fail)
    with pytest.raises(RuntimeError):
        controller._serve(project, lambda line: None)
    assert {thread.name for thread in threading.enumerate()}.isdisjoint({"postman", "care"})
