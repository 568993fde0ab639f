"""Instances as processes of this machine, kept alive by the supervisor."""

from fairway.adapters.targets.local.target import LocalTarget

__all__ = ["LocalTarget"]
