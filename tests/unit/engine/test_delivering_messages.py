"""What the outbox's messages come to when a notifier fails in a way that no port allows."""

from fairway.engine.controller import Postman
from fairway.ports.journal import Message


class Box:
    """Two messages, of which nothing is known afterwards but what became of them."""

    def __init__(self) -> None:
        self.fate: dict[str, str] = {}

    def list_due(self, *, now, limit):
        return tuple(Message(key, {"kind": key}, {}, 0) for key in ("odd", "good"))

    def mark_delivered(self, message):
        self.fate[message] = "delivered"

    def postpone(self, message, *, until, error, give_up=False):
        self.fate[message] = f"{error}, again after {until:g} s"


def test_a_notifier_that_fails_in_its_own_way_keeps_back_its_own_message_only():
    class Notifier:
        def notify(self, key, message):
            if key == "odd":
                raise KeyError("settings")

    box, told = Box(), []
    Postman(box, lambda receiver: Notifier(), lambda: 0.0, lambda what, error: told.append(what)).turn()
    assert box.fate == {"odd": "'settings', again after 1 s", "good": "delivered"}
    assert told == ["message odd"]
