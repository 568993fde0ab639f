"""What a commit says, as one text: a long history has tens of thousands of commits, of which a few parts are looked at.

The parts are separated by line breaks, and only the last may hold any. Most messages tell of one change of which
nothing is special. Of the text below a subject only what names pull requests and issues is held on to.
"""

from typing import NamedTuple

from fairway.domain.versioning.message import HEADER, Change, Message, Revert, parse_message, parse_plain, plain_change
from fairway.domain.versioning.references import cut_request, find_issues, find_requests, lines_with_references

_PARTS = 9
#: In place of a type, which cannot be so: there are several changes, or there is something special about one.
SPECIAL = "*"


class Packed(NamedTuple):
    """The parts.

    Attributes:
        id: full object name.
        parents: object names with blanks between them.
        when: seconds since the epoch, UTC, when it was put where it is.
        author: name and address.
        authored: seconds since the epoch, UTC.
        type: of the first change, in lower case; empty for a plain message.
        special: empty, or a JSON text of the changes, the revert and the version asked for.
        subject: the first line of the message.
        rest: the text below it.
    """

    id: str
    parents: str
    when: str
    author: str
    authored: str
    type: str
    special: str
    subject: str
    rest: str


def pack(heading: str, text: str) -> tuple[str, str]:
    """The type of the first change, `SPECIAL` where there is more to it, and the text of the commit.

    Args:
        heading: the first five of the parts, each with its line break.
        text: the message.
    """
    plain = parse_plain(text)
    if plain is not None:
        kind, subject, rest = plain
        rest = lines_with_references(rest) if rest else rest
        return kind, f"{heading}{kind}\n\n{subject}\n{rest}"
    import json  # noqa: PLC0415 - what nothing is special about needs none of it

    subject, changes, revert, release_as, rest = parse_message(text)
    kind, rest = changes[0].type, lines_with_references(rest)
    special = json.dumps([changes, revert, release_as])
    return SPECIAL, f"{heading}{kind}\n{special}\n{subject}\n{rest}"


def unpack(text: str) -> Packed:
    """The parts of a packed text."""
    return Packed(*text.split("\n", _PARTS - 1))


def parts_of(text: str) -> tuple[str, str, str, str]:
    """Name, parents, time, and the type or `SPECIAL`, of a packed text."""
    name, parents, when, _, _, kind, special, _ = text.split("\n", 7)
    return name, parents, when, SPECIAL if special else kind


def read_entry(text: str) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    """Scope, description, pull requests and, without such, issues of a packed text of which nothing is special.

    What a line of a changelog shows, without making all of the message.
    """
    _, _, _, _, _, _, _, subject, rest = text.split("\n", _PARTS - 1)
    bare, request = cut_request(subject)
    header = HEADER.fullmatch(bare)
    scope, description = ("", bare) if header is None else (header["scope"] or "", header["description"])
    requests = find_requests(subject, rest) if subject[:5] == "Merge" else (request,) if request else ()
    return scope.strip(), description, requests, () if requests else find_issues(subject, rest)


def read_packed(text: str) -> Message:
    """The message of a packed text."""
    _, _, _, _, _, _, special, subject, rest = text.split("\n", _PARTS - 1)
    if not special:
        return Message(subject, (plain_change(subject),), None, "", rest)
    import json  # noqa: PLC0415 - as above

    told, taken, release_as = json.loads(special)
    changes = tuple([Change(one[0], one[1], one[2], one[3], tuple(one[4])) for one in told])
    revert = None if taken is None else Revert(tuple(taken[0]), *taken[1:])
    return Message(subject, changes, revert, release_as, rest)
