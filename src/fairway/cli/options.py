"""Options that every command has."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What every command understands.

    Attributes:
        json: print one JSON object on stdout.
        config: the configuration file; None: the nearest one above here.
    """

    json: bool = False
    config: Path | None = None


DEFAULTS = Options()
