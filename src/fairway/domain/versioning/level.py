"""How far a change moves a version."""

from enum import IntEnum


class Level(IntEnum):
    """The part of a version that a change moves; the greatest of several changes decides."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        """The level in lower case, as the configuration and the JSON output write it."""
        return self.name.lower()


LEVELS = {level.word: level for level in Level}
