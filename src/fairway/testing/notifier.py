"""A notifier that keeps its messages."""

import copy
from collections.abc import Mapping
from typing import Any, Literal

from fairway.domain.errors import PermanentError, TransientError

Mood = Literal["accepts", "fails", "refuses"]


class FakeNotifier:
    """Delivers into a list.

    Attributes:
        delivered: keys and messages in the order in which they came, doubles too.
        mood: what becomes of the next messages: `fails` is a transient error, `refuses` a permanent one.
    """

    def __init__(self) -> None:
        self.delivered: list[tuple[str, dict[str, Any]]] = []
        self.mood: Mood = "accepts"

    def notify(self, key: str, message: Mapping[str, Any]) -> None:
        """See the port."""
        if self.mood == "fails":
            raise TransientError("fake-failed", f"The message {key!r} was not delivered.")
        if self.mood == "refuses":
            raise PermanentError("fake-refused", f"The message {key!r} was refused.")
        self.delivered.append((key, copy.deepcopy(dict(message))))
