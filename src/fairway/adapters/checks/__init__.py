"""Checks of running services and of what they need, performed from this machine."""

from fairway.adapters.checks.checker import LocalChecker

__all__ = ["LocalChecker"]
