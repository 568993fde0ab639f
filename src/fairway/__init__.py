"""Fairway: takes a commit to production, watches it, and takes it back when it is bad."""

__version__ = "0.1.0"
