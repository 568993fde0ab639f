"""Commits as git writes them and as they are kept: their parts in lines, a NUL between two commits.

Neither a name nor an address can hold a line break, so that nothing that anybody writes into a commit is taken for a
part of it. There may be tens of thousands, and making them is most of what a changelog takes: hence tuples are made
without their constructors, which only put arguments in order.
"""

from collections.abc import Iterable, Iterator

from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.packed import pack, parts_of

#: Of `git log -z`.
FORMAT = "%H%n%P%n%ct%n%an <%ae>%n%at%n%B"

_make = tuple.__new__


def read_log(pieces: Iterable[bytes]) -> Iterator[Commit]:
    """The commits in what git writes, piece by piece, while it writes."""
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\0")
        if end:
            yield from _logged(whole.decode("utf-8", "replace").split("\0"))
    if rest:
        yield from _logged([rest.decode("utf-8", "replace")])


def _logged(records: Iterable[str]) -> Iterator[Commit]:
    for record in records:
        name, parents, when, _, _, text = record.split("\n", 5)
        kind, packed = pack(record.removesuffix(text), text)
        yield _make(Commit, (name, _parents(parents), when, kind, packed))


def _parents(names: str) -> tuple[str, ...]:
    # Nearly every commit has one, and many a history has tens of thousands of them.
    return (names,) if names and " " not in names else tuple(names.split())


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
        found[name] = _make(Commit, (name, _parents(parents), when, same(kind, kind), record))
    return found
