"""What every notifier must do. A subclass in a test module says how to make one; see `NotifierContract`."""

# ruff: noqa: D102 the names of tests are sentences

import copy
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fairway.domain.errors import FairwayError, PermanentError, TransientError
from fairway.ports.notifier import Notifier
from fairway.testing.notifier import Mood

MESSAGE: dict[str, Any] = {
    "event": "rolled-back",
    "severity": "critical",
    "service": "shop",
    "environment": "production",
    "run": "r-7kd2xv",
    "kind": "deployment",
    "release": "1.3.0",
    "digest": f"sha256:{'a' * 64}",
    "actor": "ana",
    "at": 1_764_000_000.25,
    "text": 'shop 1.3.0 in production: zurückgenommen – 1 of 20 failed\n"500" $HOME `id` \'; exit\t\u2028\U0001f6a8',
    "evidence": {"lanes": [1, 2.5, None, True]},
}
"""A message with what transports like to break."""


class NotifierContract:
    """The suite: `class TestMyNotifier(NotifierContract)` with the three methods that this one leaves open.

    Attributes:
        patience: seconds within which a call has to return or raise, whatever the receiver does.
    """

    patience = 10.0

    def notifier(self) -> Notifier:
        """The notifier; the same or another one for the same receiver when asked again."""
        raise NotImplementedError

    def set_mood(self, mood: Mood) -> None:
        """What the receiver does with the next messages; at first it accepts them."""
        raise NotImplementedError

    def received(self) -> list[tuple[str, Any]]:
        """Keys and messages that the receiver has accepted, in their order, doubles too."""
        raise NotImplementedError

    def test_a_message_arrives_as_it_was_given(self) -> None:
        self.notifier().notify("r-7kd2xv.12.0", MESSAGE)
        assert self.received() == [("r-7kd2xv.12.0", MESSAGE)]

    def test_a_message_is_not_changed_by_its_delivery(self) -> None:
        message = copy.deepcopy(MESSAGE)
        self.notifier().notify("r-7kd2xv.12.0", message)
        assert message == MESSAGE

    def test_messages_arrive_in_the_order_of_the_calls(self) -> None:
        for number in range(3):
            self.notifier().notify(f"r-7kd2xv.{number}.0", MESSAGE | {"text": f"number {number}"})
        assert [message["text"] for _, message in self.received()] == ["number 0", "number 1", "number 2"]

    def test_a_second_try_carries_the_same_key_so_that_a_receiver_can_drop_it(self) -> None:
        self.notifier().notify("r-7kd2xv.12.0", MESSAGE)
        self.notifier().notify("r-7kd2xv.12.0", MESSAGE)
        assert [key for key, _ in self.received()] == ["r-7kd2xv.12.0", "r-7kd2xv.12.0"]

    def test_a_failing_receiver_is_an_error_that_passes_and_the_next_try_delivers(self) -> None:
        self.set_mood("fails")
        error = self._error_of("r-7kd2xv.12.0")
        assert isinstance(error, TransientError), error
        assert self.received() == []
        self.set_mood("accepts")
        self.notifier().notify("r-7kd2xv.12.0", MESSAGE)
        assert self.received() == [("r-7kd2xv.12.0", MESSAGE)]

    def test_a_refusing_receiver_is_an_error_that_does_not_pass(self) -> None:
        self.set_mood("refuses")
        error = self._error_of("r-7kd2xv.12.0")
        assert isinstance(error, PermanentError), error
        assert self.received() == []

    def test_a_large_message_arrives_whole(self) -> None:
        large = MESSAGE | {"text": "ü" * 100_000}
        self.notifier().notify("r-7kd2xv.12.0", large)
        assert self.received() == [("r-7kd2xv.12.0", large)]

    def test_may_be_called_from_several_threads_at_once(self) -> None:
        notifier, keys = self.notifier(), [f"r-7kd2xv.{number}.0" for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: notifier.notify(key, MESSAGE), keys))
        assert sorted(self.received(), key=lambda one: one[0]) == [(key, MESSAGE) for key in keys]

    def _error_of(self, key: str) -> FairwayError:
        error: FairwayError | None = None
        begun = time.monotonic()
        try:
            self.notifier().notify(key, MESSAGE)
        except FairwayError as problem:
            error = problem
        assert error is not None, "no error was raised"
        assert time.monotonic() - begun < self.patience
        assert error.code, error
        assert error.message.endswith("."), error
        return error
