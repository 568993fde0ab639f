"""This machine and a folder on it, as `fairway doctor` and `fairway init` see them."""

from fairway.adapters.machine.folder import LocalFolder
from fairway.adapters.machine.local import LocalMachine

__all__ = ["LocalFolder", "LocalMachine"]
