"""The command line: parse, call a use case, render. No decisions."""

from fairway.cli.app import run

__all__ = ["run"]
