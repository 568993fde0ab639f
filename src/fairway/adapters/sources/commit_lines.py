"""Commits as git writes them and as they are kept: a line for each part, the text last, a NUL between two commits.

Neither a name nor an address can hold a line break, so that nothing that anybody writes into a commit is taken for a
part of it. There may be tens of thousands, and making them is most of what a changelog takes: hence tuples are made
without their constructors, which only put arguments in order.
"""

import json
from collections.abc import Iterable, Iterator

from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.message import Change, Message, Revert, parse_message
from fairway.domain.versioning.references import lines_with_references

#: Of `git log -z`.
FORMAT = "%H%n%P%n%ct%n%at%n%an <%ae>%n%B"
_PARTS_OF_GIT, _PARTS_KEPT = 6, 11

_make = tuple.__new__


def read_log(pieces: Iterable[bytes]) -> Iterator[Commit]:
    """The commits in what git writes, piece by piece, while it writes.

    Of the text below a subject only what names pull requests and issues is held on to.
    """
    words: dict[str, str] = {}
    rest = b""
    for piece in pieces:
        *records, rest = (rest + piece).split(b"\0")
        for record in records:
            yield _logged(record.decode("utf-8", "replace"), words)
    if rest:
        yield _logged(rest.decode("utf-8", "replace"), words)


def _logged(record: str, words: dict[str, str]) -> Commit:
    name, parents, committed, authored, author, text = record.split("\n", _PARTS_OF_GIT - 1)
    said = parse_message(text)
    if said.rest:
        said = said.with_rest(lines_with_references(said.rest))
    above = tuple(parents.split(" ")) if parents else ()
    return _make(Commit, (name, above, int(committed), words.setdefault(author, author), int(authored), said))


def write_kept(commits: Iterable[Commit]) -> str:
    """What is kept of the commits."""
    return "\0".join([_kept(one) for one in commits])


def _kept(commit: Commit) -> str:
    name, parents, committed, author, authored, (subject, changes, revert, release_as, rest) = commit
    kind, scope, description, breaking, notes = changes[0]
    special = ""
    if breaking or notes or len(changes) > 1 or revert is not None or release_as:
        special = json.dumps([changes, revert, release_as])
    above = " ".join(parents)
    return (
        f"{name}\n{above}\n{committed}\n{authored}\n{author}\n{subject}\n"
        f"{kind}\n{scope}\n{description}\n{special}\n{rest}"
    )


def read_kept(text: str) -> dict[str, Commit]:
    """The commits that were kept, by id.

    Raises:
        ValueError: it is not what was written.
    """
    words: dict[str, str] = {}
    same = words.setdefault
    found = {}
    for record in text.split("\0") if text else ():
        name, parents, committed, authored, author, subject, kind, scope, description, special, rest = record.split(
            "\n", _PARTS_KEPT - 1
        )
        if special:
            said = _special(special, subject, rest)
        else:
            change = _make(Change, (same(kind, kind), same(scope, scope), description, False, ()))
            said = _make(Message, (subject, (change,), None, "", rest))
        above = tuple(parents.split(" ")) if parents else ()
        found[name] = _make(Commit, (name, above, int(committed), same(author, author), int(authored), said))
    return found


def _special(text: str, subject: str, rest: str) -> Message:
    """A message that takes something back, breaks something, tells of several changes or asks for a version."""
    told, taken, release_as = json.loads(text)
    changes = tuple([Change(each[0], each[1], each[2], each[3], tuple(each[4])) for each in told])
    revert = None if taken is None else Revert(tuple(taken[0]), *taken[1:])
    return Message(subject, changes, revert, release_as, rest)
