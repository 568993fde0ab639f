"""The releases of the demonstration, as changes to the application's source.

Three of them carry mistakes of the kind that tests with one instance and one request do not find.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One release: replacements in the source of the one before it.

    Attributes:
        subject: the commit's first line.
        changes: pairs of (text that stands there once, what takes its place).
    """

    version: str
    subject: str
    changes: tuple[tuple[str, str], ...]


FIRST = Release("1.0.0", "feat: sell goods", ())

GOOD = Release(
    "1.1.0",
    "feat: say how many goods there are",
    (
        ('VERSION = "1.0.0"', 'VERSION = "1.1.0"'),
        ('return {"version": VERSION, "goods"', 'return {"version": VERSION, "count": len(rows), "goods"'),
    ),
)

#: The column has another name in the developer's database.
DEAD = Release(
    "1.2.0",
    "feat: show prices in cents",
    (
        ('VERSION = "1.1.0"', 'VERSION = "1.2.0"'),
        ("SELECT name, price FROM goods ORDER BY name", "SELECT name, price_cents FROM goods ORDER BY name"),
    ),
)

#: A new connection for every twentieth request is opened without the path.
ONE_IN_TWENTY = Release(
    "1.3.0",
    "perf: renew the connection from time to time",
    (
        ('VERSION = "1.1.0"', 'VERSION = "1.3.0"\nserved = 0'),
        (
            '    rows = database.execute("SELECT name, price',
            "    global served\n"
            "    served += 1\n"
            '    connection = database if served % 20 else sqlite3.connect("")\n'
            '    rows = connection.execute("SELECT name, price',
        ),
    ),
)

#: What is reserved is asked for as well, and the answer takes a third as long again.
SLOWER = Release(
    "1.4.0",
    "feat: ask the warehouse for what is reserved",
    (
        ('VERSION = "1.1.0"', 'VERSION = "1.4.0"'),
        ("    await asyncio.sleep(0.02)", "    await asyncio.sleep(0.02)\n    await asyncio.sleep(0.006)"),
    ),
)


def apply(source: str, release: Release) -> str:
    """The source with the release's changes.

    Raises:
        ValueError: a text to be replaced does not stand there exactly once.
    """
    for old, new in release.changes:
        if source.count(old) != 1:
            raise ValueError(f"{release.version} changes {old!r}, which stands there {source.count(old)} times")
        source = source.replace(old, new)
    return source
