"""Commands of the user's, run on this machine; a small process of its own watches each, so that it outlives the caller.

See `place.py` for the files, `client.py` for the caller's side, `__main__.py` and `execution.py` for the other side.
Commands that print or take secrets leave nothing behind: see `confidential.py`.
The client is loaded when it is first asked for: the watching process has no use for it, and starts in half the time.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairway.adapters.commands.client import LocalCommands

__all__ = ["LocalCommands"]


def __getattr__(name: str) -> object:
    if name != "LocalCommands":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fairway.adapters.commands.client import LocalCommands  # noqa: PLC0415 see above

    return LocalCommands
