"""A clock that wakes epoll more often than once in a millisecond, which is all that its own timeout can do."""

import ctypes
import os

_MONOTONIC = 1
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Time), ("first", _Time))


def open_timer(seconds: float) -> int:
    """A descriptor that becomes readable every so many seconds; the caller reads eight bytes then, and closes it.

    Python has `os.timerfd_create` from 3.13 on.
    """
    library = ctypes.CDLL(None, use_errno=True)
    descriptor: int = library.timerfd_create(_MONOTONIC, _NONBLOCK_CLOEXEC)
    whole = int(seconds)
    each = _Time(whole, max(1, int((seconds - whole) * 1e9)))
    if descriptor < 0 or library.timerfd_settime(descriptor, 0, ctypes.byref(_Setting(each, each)), None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return descriptor
