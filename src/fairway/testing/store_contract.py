"""What the suites of a journal's storage share."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Protocol, TypeVar

from fairway.domain.errors import FairwayError
from fairway.ports.journal import Evidence, Journal, Leases, Outbox, Records
from fairway.testing.journal_samples import BEGIN

E = TypeVar("E", bound=FairwayError)
T = TypeVar("T")


class Store(Journal, Leases, Evidence, Records, Outbox, Protocol):
    """All five ports on one storage."""


class StoreContract:
    """What a subclass in a test module leaves open.

    Attributes:
        now: the time by which leases end, seconds since the epoch, UTC; stores that have a clock of their own read it
            here.
    """

    now = BEGIN

    def open_store(self) -> Store:
        """A store on the same storage, as another process would open it."""
        raise NotImplementedError


def caught(kind: type[E], action: Callable[[], object]) -> E:
    """The error of this kind that the action raises."""
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def outcome(action: Callable[[], object]) -> str:
    """`done`, or the code of the error that the action raises."""
    try:
        action()
    except FairwayError as error:
        return error.code
    return "done"


def at_once(actions: Sequence[Callable[[], T]]) -> list[T]:
    """What the actions return, each called in a thread of its own at the same moment."""
    barrier = Barrier(len(actions))

    def perform(action: Callable[[], T]) -> T:
        barrier.wait(timeout=30)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        futures: list[Any] = [pool.submit(perform, action) for action in actions]
        return [future.result(timeout=60) for future in futures]
