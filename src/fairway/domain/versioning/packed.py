"""What a commit says, as one text: a long history has tens of thousands of commits, of which a few parts are looked at.

The parts are separated by line breaks, and only the last may hold any. Most messages tell of one change of which
nothing is special. Of the text below a subject only what names pull requests and issues is held on to.
"""

import json
from typing import NamedTuple

from fairway.domain.versioning.message import Change, Message, Revert, parse_message, parse_plain
from fairway.domain.versioning.references import lines_with_references

_PARTS = 11
#: In place of a type, which cannot be so: there are several changes, or there is something special about one.
SPECIAL = "*"


class Packed(NamedTuple):
    """The parts.

    Attributes:
        id: full object name.
        parents: object names with blanks between them.
        when: seconds since the epoch, UTC, when it was put where it is.
        type: of the first change, in lower case; empty for a plain message.
        special: empty, or a JSON text of the changes, the revert and the version asked for.
        scope: of the first change.
        description: of the first change.
        author: name and address.
        authored: seconds since the epoch, UTC.
        subject: the first line of the message.
        rest: the text below it.
    """

    id: str
    parents: str
    when: str
    type: str
    special: str
    scope: str
    description: str
    author: str
    authored: str
    subject: str
    rest: str


def pack(heading: str, author: str, authored: str, text: str) -> tuple[str, str]:
    """The type of the first change, `SPECIAL` where there is more to it, and the text of the commit.

    Args:
        heading: its name, its parents, and when it was put where it is: three lines.
        author: name and address.
        authored: seconds since the epoch, UTC.
        text: the message.
    """
    plain = parse_plain(text)
    if plain is not None:
        kind, scope, description, subject, rest = plain
        rest = lines_with_references(rest) if rest else rest
        return kind, f"{heading}\n{kind}\n\n{scope}\n{description}\n{author}\n{authored}\n{subject}\n{rest}"
    subject, changes, revert, release_as, rest = parse_message(text)
    kind, rest = changes[0].type, lines_with_references(rest)
    special = json.dumps([changes, revert, release_as])
    return SPECIAL, f"{heading}\n{kind}\n{special}\n\n\n{author}\n{authored}\n{subject}\n{rest}"


def unpack(text: str) -> Packed:
    """The parts of a packed text."""
    return Packed(*text.split("\n", _PARTS - 1))


def parts_of(text: str) -> tuple[str, str, str, str]:
    """Name, parents, time, and the type or `SPECIAL`, of a packed text."""
    name, parents, when, kind, special, _ = text.split("\n", 5)
    return name, parents, when, SPECIAL if special else kind


def read_packed(text: str) -> Message:
    """The message of a packed text."""
    _, _, _, kind, special, scope, description, _, _, subject, rest = text.split("\n", _PARTS - 1)
    if not special:
        return Message(subject, (Change(kind, scope, description),), None, "", rest)
    told, taken, release_as = json.loads(special)
    changes = tuple([Change(one[0], one[1], one[2], one[3], tuple(one[4])) for one in told])
    revert = None if taken is None else Revert(tuple(taken[0]), *taken[1:])
    return Message(subject, changes, revert, release_as, rest)
