"""What becomes of the outbox's messages where receivers fail, hang, or answer late."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import groupby
from threading import Event

import pytest

from fairway.domain.errors import TransientError
from fairway.engine.controller import MOST_MESSAGES, Postman
from fairway.ports.journal import Message

#: Seconds after which a test gives up.
LONG = 10.0


class AtOnce(Executor):
    """Runs what it is given in the caller's thread."""

    def submit(self, call, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 -- whatever it was, the future holds it
            future.set_exception(error)
        return future


class Box:
    """An outbox in memory: `receiver.number` are the messages, in order."""

    def __init__(self, *keys: str) -> None:
        self.waiting = list(keys)
        self.fate: dict[str, str] = {}

    def list_due(self, *, now, limit):
        heads = [next(keys) for _, keys in groupby(sorted(self.waiting), key=lambda key: key.partition(".")[0])]
        return tuple(Message(key, {"kind": key.partition(".")[0]}, {}, 0) for key in heads[:limit])

    def mark_delivered(self, message):
        self.fate[message] = "delivered"
        self.waiting.remove(message)

    def postpone(self, message, *, until, error, give_up=False):
        self.fate[message] = f"{error}, again after {until:g} s"
        self.waiting.remove(message)


class Receivers:
    """Take what they are sent; those that are slow only once they are told to."""

    def __init__(self, *slow: str) -> None:
        self.answers = {kind: Event() for kind in slow}
        self.called = {kind: Event() for kind in slow}
        self.received: list[str] = []

    def notify(self, key, message):
        kind = key.partition(".")[0]
        if kind == "odd":
            raise KeyError("settings")
        if kind in self.answers:
            self.called[kind].set()
            assert self.answers[kind].wait(LONG)
        self.received.append(key)


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def postman(box, receivers, executor, told=None):
    report = lambda what, error: (told if told is not None else []).append(what)  # noqa: E731
    return Postman(box, lambda receiver: receivers, lambda: 0.0, report, executor)


def finish(one):
    for future in list(one._under_way.values()):
        future.result(LONG)


def test_a_notifier_that_fails_in_its_own_way_keeps_back_its_own_message_only():
    box, told = Box("good.1", "odd.1"), []
    postman(box, Receivers(), AtOnce(), told).turn()
    assert box.fate == {"odd.1": "'settings', again after 1 s", "good.1": "delivered"}
    assert told == ["message odd.1"]


def test_a_receiver_that_does_not_answer_delays_no_other(threads):
    box, receivers = Box("dead.1", "quick.1", "quick.2"), Receivers("dead")
    one = postman(box, receivers, threads)
    one.turn()
    assert receivers.called["dead"].wait(LONG)
    for key in ("quick.1", "quick.2"):
        one.turn()
        if key in one._under_way:
            one._under_way[key].result(LONG)
        one.turn()
    assert box.fate == {"quick.1": "delivered", "quick.2": "delivered"}
    receivers.answers["dead"].set()
    finish(one)
    assert box.fate["dead.1"] == "delivered"


def test_the_messages_of_one_receiver_come_in_order_and_each_once_however_late_it_answers(threads):
    box, receivers = Box("slow.1", "slow.2", "slow.3"), Receivers("slow")
    one = postman(box, receivers, threads)
    for _ in range(5):
        one.turn()
    assert receivers.called["slow"].wait(LONG)
    receivers.answers["slow"].set()
    while box.waiting:
        finish(one)
        one.turn()
    finish(one)
    assert receivers.received == ["slow.1", "slow.2", "slow.3"]


def test_receivers_under_way_take_no_place_of_those_that_are_due():
    class Asked(Box):
        def list_due(self, *, now, limit):
            self.limit = limit
            return super().list_due(now=now, limit=limit)

    class Never(Executor):
        def submit(self, call, /, *args, **kwargs):
            return Future()

    box = Asked(*(f"dead{number:02}.1" for number in range(MOST_MESSAGES)))
    one = postman(box, Receivers(), Never())
    one.turn()
    box.waiting.append("new.1")
    one.turn()
    assert box.limit == 2 * MOST_MESSAGES
    assert "new.1" in one._under_way


def test_an_outbox_that_cannot_be_asked_is_reported_and_asked_again():
    class Broken(Box):
        broken = True

        def list_due(self, *, now, limit):
            if self.broken:
                raise TransientError("database-unreachable", "nobody answers")
            return super().list_due(now=now, limit=limit)

    box, told = Broken("good.1"), []
    one = postman(box, Receivers(), AtOnce(), told)
    one.turn()
    box.broken = False
    one.turn()
    assert (told, box.fate) == (["outbox"], {"good.1": "delivered"})


def test_a_postman_that_is_told_to_stop_begins_nothing_new():
    with ThreadPoolExecutor(1) as pool:
        box, receivers, stop = Box("dead.1", "late.1"), Receivers("dead"), Event()
        one = postman(box, receivers, pool)
        one.turn()
        assert receivers.called["dead"].wait(LONG)
        stop.set()
        one.serve(stop)
        receivers.answers["dead"].set()
    assert box.waiting == ["late.1"]


def test_a_message_that_arrives_while_the_outbox_answers_is_not_sent_again(threads):
    class Late(Box):
        """Its answer was read before the delivery under way ended, and comes after it."""

        def list_due(self, *, now, limit):
            due = super().list_due(now=now, limit=limit)
            if "slow" in receivers.called and receivers.called["slow"].is_set():
                receivers.answers["slow"].set()
                finish(one)
                while one._under_way:
                    pass
            return due

    receivers = Receivers("slow")
    box = Late("slow.1")
    one = postman(box, receivers, threads)
    one.turn()
    assert receivers.called["slow"].wait(LONG)
    one.turn()
    finish(one)
    assert receivers.received == ["slow.1"]
