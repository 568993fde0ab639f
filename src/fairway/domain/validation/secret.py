"""Secrets as data: where the value of each is, never what it is."""

from dataclasses import dataclass
from typing import Literal

#: A shorter value would blank out words that are none, so that no output could be kept free of it.
SHORTEST = 4
#: The variable that holds the age identity which opens encrypted files; the same one opens keys.
IDENTITY = "FAIRWAY_AGE_IDENTITY"
#: What a file must end with to be taken for an encrypted one.
ENCRYPTED = ".age"

Kind = Literal["variable", "file", "command"]


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where the value of one secret is.

    Attributes:
        name: by which it is used.
        place: name of a variable, absolute path of a file, or argument line of a command.
        entry: of a file of lines `NAME=VALUE`, whose value it is; empty: the whole file is the value.
        folder: in which a command runs.
        variables: names of variables that a command gets beside PATH, HOME, LANG and TZ.
    """

    name: str
    kind: Kind
    place: str
    entry: str = ""
    folder: str = ""
    variables: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """Variables that must be there wherever it is read."""
        if self.kind == "variable":
            return (self.place,)
        return (IDENTITY,) if self.kind == "file" and self.place.endswith(ENCRYPTED) else self.variables

    @property
    def title(self) -> str:
        """Where that is, in words."""
        entry = f"entry {self.entry} of " if self.entry else ""
        return f"{entry}the {self.kind} {self.place}"


def source_of(name: str, sources: tuple[SecretSource, ...]) -> SecretSource:
    """The source of that name; a name without one is that of a variable."""
    return next((one for one in sources if one.name == name), SecretSource(name, "variable", name))


def parse_entry(text: str, name: str) -> str | None:
    """The value of the last line `NAME=VALUE` of that name, quotes around it taken off; None: there is no such line.

    Lines may begin with `export`; others, such as comments, are passed over. Nothing within a value is replaced.
    """
    found = None
    for line in text.splitlines():
        key, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and key.strip() == name:
            found = value.strip()
    if found and len(found) > 1 and found[0] == found[-1] and found[0] in "'\"":
        return found[1:-1]
    return found
