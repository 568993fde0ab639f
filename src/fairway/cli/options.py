"""Options that every command has."""

from pathlib import Path


class Options:
    """What every command understands. No dataclass, which takes longer to make than a quick command to answer.

    Attributes:
        json: print one JSON object on stdout.
        config: the configuration file; None: the nearest one above here.
    """

    __slots__ = ("config", "json")

    def __init__(self, *, json: bool = False, config: Path | None = None) -> None:
        self.json = json
        self.config = config


DEFAULTS = Options()
