"""Commits as git writes them and as they are kept: their parts in lines, a NUL between two commits.

Neither a name nor an address can hold a line break, so that nothing that anybody writes into a commit is taken for a
part of it. There may be tens of thousands, and making them is most of what a changelog takes: hence tuples are made
without their constructors, which only put arguments in order.
"""

from collections.abc import Iterable, Iterator

from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.packed import pack, parts_of

#: Of `git log -z`.
FORMAT = "%an <%ae>%n%at%n%H%n%P%n%ct%n%B"

_make = tuple.__new__


def read_log(pieces: Iterable[bytes]) -> Iterator[Commit]:
    """The commits in what git writes, piece by piece, while it writes."""
    rest = b""
    for piece in pieces:
        *records, rest = (rest + piece).split(b"\0")
        for record in records:
            yield _logged(record.decode("utf-8", "replace"))
    if rest:
        yield _logged(rest.decode("utf-8", "replace"))


def _logged(record: str) -> Commit:
    author, authored, name, parents, when, text = record.split("\n", 5)
    kind, packed = pack(f"{name}\n{parents}\n{when}", author, authored, text)
    return _make(Commit, (name, tuple(parents.split()), when, kind, packed))


def write_kept(commits: Iterable[Commit]) -> str:
    """What is kept of the commits."""
    return "\0".join([one.packed for one in commits])


def read_kept(text: str) -> dict[str, Commit]:
    """The commits that were kept, by id.

    Raises:
        ValueError: it is not what was written.
    """
    found = {}
    same = dict[str, str]().setdefault
    for record in text.split("\0") if text else ():
        name, parents, when, kind = parts_of(record)
        found[name] = _make(Commit, (name, tuple(parents.split()), when, same(kind, kind), record))
    return found
