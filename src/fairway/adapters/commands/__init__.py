"""Commands of the user's, run on this machine; a small process of its own watches each, so that it outlives the caller.

See `place.py` for the files, `client.py` for the caller's side, `__main__.py` and `execution.py` for the other side.
"""

from fairway.adapters.commands.client import LocalCommands

__all__ = ["LocalCommands"]
