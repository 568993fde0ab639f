"""What the router remembers, and who may change it."""

import json
import threading

import pytest

from fairway.adapters.routers.envoy.folder import replace_file
from fairway.adapters.routers.envoy.ledger import Memory, hold, load_memory, settle, store_memory, widen
from fairway.domain.errors import PermanentError
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend, Routes

ONE, TWO, THREE = (Endpoint(f"i.{n}", "127.0.0.1", 9000 + n) for n in (1, 2, 3))


def test_what_was_stored_is_read_back(tmp_path):
    assert load_memory(tmp_path) == Memory()
    backends = (Backend("a", (ONE,), (TWO,), "/ready"), Backend("b", (THREE,)))
    routes = Routes("a", "b", 12.34, backends, baseline="c")
    memory = Memory(routes, backends, (("b", "a"),))
    store_memory(tmp_path, memory)
    assert load_memory(tmp_path) == memory


def test_endpoints_that_an_earlier_version_stored_are_read(tmp_path):
    memory = Memory(None, (Backend("1.0", (ONE,), (), "/ready"),))
    store_memory(tmp_path, memory)
    stored = json.loads((tmp_path / "state.json").read_text())
    assert stored["reach"][0]["endpoints"][0].pop("socket") == ""
    (tmp_path / "state.json").write_text(json.dumps(stored))
    assert load_memory(tmp_path) == memory


def test_routes_that_an_earlier_version_stored_are_read(tmp_path):
    routes = Routes("a", "b", 12.34, (Backend("a", (ONE,)), Backend("b", (TWO,))))
    store_memory(tmp_path, Memory(routes, routes.backends))
    stored = json.loads((tmp_path / "state.json").read_text())
    assert stored["confirmed"].pop("baseline") is None
    stored["confirmed"]["fallback"] = None
    (tmp_path / "state.json").write_text(json.dumps(stored))
    assert load_memory(tmp_path).confirmed == routes


def test_widening_takes_nothing_away():
    before = Routes("a", None, 0, (Backend("a", (ONE, TWO)),))
    after = Routes("a", "b", 0, (Backend("b", (THREE,)), Backend("a", (TWO,), (ONE,))))
    wide = widen(settle(Memory(), before), after)
    assert wide.confirmed == before
    assert wide.reach == (Backend("a", (TWO, ONE)), Backend("b", (THREE,)))
    assert wide.pairs == (("b", "a"),)
    again = widen(wide, before)
    assert {backend.revision for backend in again.reach} == {"a", "b"}


def test_settling_takes_away_what_is_not_wanted_and_keeps_pairs_that_live():
    both = Routes("a", "b", 50, (Backend("a", (ONE,)), Backend("b", (TWO,))))
    wide = widen(Memory(), both)
    promoted = Routes("b", None, 0, both.backends)
    assert settle(wide, promoted).pairs == (("b", "a"),)
    alone = Routes("b", None, 0, both.backends[1:])
    assert settle(wide, alone) == Memory(alone, alone.backends, ())


def test_instances_that_are_gone_count_until_another_candidate_comes():
    begun = settle(Memory(), Routes("a", "b", 10, (Backend("a", (ONE, TWO)), Backend("b", (THREE,)))))
    fewer = Routes("a", "b", 50, (Backend("a", (TWO,)), Backend("b", (THREE,))))
    smaller = settle(widen(begun, fewer), fewer)
    assert (begun.left, smaller.left) == ((), (("a", "i.1"),))
    assert settle(widen(smaller, fewer), fewer) == smaller, "a second call changes nothing"
    ended = Routes("a", None, 0, (Backend("a", (TWO,)),))
    watched = settle(widen(smaller, ended), ended)
    assert watched.left == (("a", "i.1"),), "and none of a revision that has gone as a whole"
    again = Routes("a", "b", 0, (Backend("a", (TWO,)), Backend("b", (ONE,))))
    assert settle(widen(watched, again), again).left == ()


def test_an_instance_that_comes_back_is_not_gone(tmp_path):
    two, one = (Routes("a", "b", 10, (Backend("a", its), Backend("b", (THREE,)))) for its in ((ONE, TWO), (ONE,)))
    less = settle(settle(Memory(), two), one)
    store_memory(tmp_path, less)
    assert load_memory(tmp_path).left == (("a", "i.2"),)
    assert settle(widen(less, two), two).left == ()


def test_the_order_of_backends_is_no_change():
    backends = (Backend("a", (ONE,)), Backend("b", (TWO,)))
    forth, back = (settle(Memory(), Routes("a", "b", 1, order)) for order in (backends, backends[::-1]))
    assert forth.reach == back.reach


def test_an_older_epoch_is_refused_and_a_newer_one_remembered(tmp_path):
    for epoch in (3, 3, 5):
        with hold(tmp_path, epoch, patience=1):
            pass
    with pytest.raises(PermanentError, match="epoch 4 is older than 5"), hold(tmp_path, 4, patience=1):
        pass


def test_one_at_a_time_may_change_it(tmp_path):
    inside, most = [], []

    def change():
        with hold(tmp_path, 1, patience=10):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=change) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_replaced_file_is_private_and_leaves_nothing_beside_it(tmp_path):
    file = tmp_path / "x.json"
    for content in ("one", "two"):
        replace_file(file, content)
        assert file.read_text() == content
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
