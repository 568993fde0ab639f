"""Jobs of a release on this machine: clean checkouts, kept products, and the cache of executions."""

from fairway.adapters.builders.local import LocalWorkshop

__all__ = ["LocalWorkshop"]
