"""Where messages go."""

from collections.abc import Mapping
from typing import Any, Protocol


class Notifier(Protocol):
    """Delivers one message; the outbox calls again until it succeeds, so a receiver may see a message twice."""

    def notify(self, key: str, message: Mapping[str, Any]) -> None:
        """Delivers the message.

        Args:
            key: the same for each try at the same message, so that a receiver can drop doubles.
            message: a JSON object with at least `event`, `service`, `environment`, `run` and `text`.

        Raises:
            TransientError: not delivered, try again.
            PermanentError: the receiver refuses it.
        """
        ...
