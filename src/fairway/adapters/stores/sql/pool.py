"""Connections of a driver, lent to one thread at a time."""

import threading
from collections.abc import Callable
from typing import Any


class Pool:
    """Opens a connection when none is idle, and makes threads wait when too many are in use.

    Args:
        connect: opens a connection of the driver.
        most: how many may be in use at once.
        kept: how many stay open while nobody uses them.
        patience: seconds to wait for one.
    """

    def __init__(self, connect: Callable[[], Any], *, most: int, kept: int, patience: float) -> None:
        self._connect = connect
        self._kept = kept
        self._patience = patience
        self._idle: list[Any] = []
        self._places = threading.Semaphore(most)

    def take(self) -> Any:
        """A connection; `give_back` must follow.

        Raises:
            TimeoutError: too many were in use for too long.
        """
        if not self._places.acquire(timeout=self._patience):
            raise TimeoutError
        try:
            return self._pop() or self._connect()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, driver: Any, *, usable: bool) -> None:
        """Keeps a connection for the next one who needs it, or closes it."""
        try:
            if usable and len(self._idle) < self._kept:
                self._idle.append(driver)
            else:
                driver.close()
        finally:
            self._places.release()

    def clear(self) -> None:
        """Closes what is idle; what is in use is not touched, and new ones may be opened."""
        while (driver := self._pop()) is not None:
            driver.close()

    def _pop(self) -> Any:
        """An idle connection; None if there is none. Safe between threads, as looking first would not be."""
        try:
            return self._idle.pop()
        except IndexError:
            return None
