"""The changelog as data: releases, their sections and entries, the pull requests and issues of each.

Markdown, a template of the user's own and the JSON output are three views of this model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Literal, NamedTuple

from fairway.domain.versioning.attribution import divide, requests_by_merge
from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.message import Change
from fairway.domain.versioning.packed import SPECIAL
from fairway.domain.versioning.policy import SECTIONS, Policy
from fairway.domain.versioning.reverts import find_reverts
from fairway.domain.versioning.tags import Tagged
from fairway.domain.versioning.weighing import weigh

Fold = Literal["fold", "keep"]
#: Without the constructors, which only put arguments in order: a long history has tens of thousands of entries.
_make = tuple.__new__


class Entry(NamedTuple):
    """One line of a changelog. What it says is found when it is asked for, which no view does for all of it.

    Attributes:
        source: the commit that tells of it.
        told: what of it the commit says, where it says more than one thing or something special.
        brought: pull requests that brought the commit, where it names none itself.
    """

    source: Commit
    told: Change | None = None
    brought: tuple[str, ...] = ()

    @property
    def change(self) -> Change:
        """What the commit says."""
        return self.told or self.source.message.changes[0]

    @property
    def commit(self) -> str:
        """Full object name."""
        return self.source.id

    @property
    def type(self) -> str:
        """Such as `feat`."""
        return self.change.type

    @property
    def scope(self) -> str:
        """Empty if there is none."""
        return self.change.scope

    @property
    def description(self) -> str:
        """What was done."""
        return self.change.description

    @property
    def is_breaking(self) -> bool:
        """It breaks something, also where `breaking` is empty."""
        return self.change.breaking

    @property
    def breaking(self) -> tuple[str, ...]:
        """What breaks, in the author's words."""
        return self.change.notes

    @property
    def requests(self) -> tuple[str, ...]:
        """Pull requests that brought it."""
        return self.source.message.requests or self.brought

    @property
    def issues(self) -> tuple[str, ...]:
        """What it closes or refers to."""
        return self.source.message.issues

    @property
    def author(self) -> str:
        """The name, without the address."""
        return self.source.author.partition(" <")[0]

    def described(self) -> dict[str, object]:
        """All of it, as the JSON output has it."""
        return {name: getattr(self, name) for name in _DESCRIBED}


_DESCRIBED = ("commit", "type", "scope", "description", "is_breaking", "breaking", "requests", "issues", "author")


class Section(NamedTuple):
    """Entries under one heading."""

    title: str
    entries: tuple[Entry, ...]


class Release(NamedTuple):
    """One release, or what is not released yet.

    Attributes:
        version: None for what is not released yet.
        tag: as in the repository; empty if there is none yet.
        previous: tag of the release before, empty for the first.
        date: YYYY-MM-DD in UTC, when its commit was made; empty for what is not released yet.
        commit: the commit that it is.
        sections: in the order of Keep a Changelog, further ones of the user's after them.
        breaking: the entries that break something, once more.
        commits: all of its commits, the newest first, also those that have no entry.
    """

    version: str | None
    tag: str
    previous: str
    date: str
    commit: str
    is_prerelease: bool
    sections: tuple[Section, ...]
    breaking: tuple[Entry, ...]
    commits: tuple[Commit, ...]

    @property
    def requests(self) -> tuple[str, ...]:
        """Its pull requests, each once."""
        return _each_once(one.message.requests for one in self.commits)

    @property
    def issues(self) -> tuple[str, ...]:
        """What its commits close or refer to, each once."""
        return _each_once(one.message.issues for one in self.commits)

    @property
    def authors(self) -> tuple[str, ...]:
        """Names, by the number of their commits."""
        counts: dict[str, int] = {}
        for one in self.commits:
            name = one.author.partition(" <")[0]
            counts[name] = counts.get(name, 0) + 1
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


class Wanted(NamedTuple):
    """Which releases are wanted.

    Attributes:
        fold: what pre-releases brought stands under their final release.
        touching: ids of the commits of the package, None for all.
        copied: identities of commits that a release beside the main line has a copy of.
    """

    fold: bool = True
    touching: frozenset[str] | None = None
    copied: frozenset[tuple[str, str, str]] = frozenset()


def build_changelog(
    commits: Mapping[str, Commit], releases: Sequence[Tagged], head: str, policy: Policy, wanted: Wanted
) -> Iterator[Release]:
    """All releases, the newest first; what is not released yet comes before them.

    Args:
        commits: the whole history of head and of the releases.
        releases: those that belong to this history, the highest first.
        head: the commit that is asked about.
        policy: sections and the levels of types.
        wanted: what to leave out.
    """
    shown = [one for one in releases if one.commit in commits]
    owned, unreleased = divide(commits, shown, head, fold=wanted.fold)
    shown = [one for one in shown if one.name in owned]
    by_id = _Owners(commits)
    yield _release(None, head, unreleased, shown[0].name if shown else "", commits, policy, wanted, by_id)
    for one, below in zip_longest(shown, shown[1:]):
        previous = "" if below is None else below.name
        yield _release(one, one.commit, owned[one.name], previous, commits, policy, wanted, by_id)


class _Owners:
    """Tells whether a commit that a revert names belongs to another release."""

    def __init__(self, commits: Mapping[str, Commit]) -> None:
        self._commits = commits

    def has(self, mine: set[str]) -> Callable[[str], bool]:
        def is_released(name: str) -> bool:
            if name in self._commits:
                return name not in mine
            return any(one.startswith(name) and one not in mine for one in self._commits)

        return is_released


def _release(
    tagged: Tagged | None,
    tip: str,
    newest: list[Commit],
    previous: str,
    commits: Mapping[str, Commit],
    policy: Policy,
    wanted: Wanted,
    owners: _Owners,
) -> Release:
    by_title = None if wanted.touching is not None or (wanted.copied and not tagged) else _plain(newest, policy)
    breaking: list[Entry] = []
    if by_title is None:
        by_title, breaking = _weighed(newest, tagged, tip, policy, wanted, owners)
    titles = by_title if len(by_title) < 2 else _order(by_title)
    sections = tuple([_make(Section, (title, tuple(by_title[title]))) for title in titles])
    own = newest if wanted.touching is None else [one for one in newest if one.id in wanted.touching]
    if tagged is None:
        return Release(None, "", previous, "", tip, False, sections, tuple(breaking), tuple(own))
    day = date_of(int(commits[tip].when))
    parts = (tagged.text, tagged.name, previous, day, tip, tagged.is_prerelease, sections, tuple(breaking), tuple(own))
    return _make(Release, parts)


def _plain(newest: Sequence[Commit], policy: Policy) -> dict[str, list[Entry]] | None:
    """The entries by title where nothing is to be weighed: no revert, no break, no merge with a type; else None.

    Nearly all releases of a long history are so, and weighing takes most of the time of a changelog.
    """
    by_title: dict[str, list[Entry]] = {}
    titles, brought, has_merge = policy.sections, None, False
    for one in newest:
        kind = one.kind
        if len(one.parents) > 1:
            if kind:
                return None
            has_merge = True
            continue
        if kind == SPECIAL:
            return None
        title = titles.get(kind)
        if title is not None:
            if has_merge and brought is None:
                brought = requests_by_merge(newest, newest[0].id)
            entry = _make(Entry, (one, None, brought.get(one.id, ()) if brought else ()))
            by_title.setdefault(title, []).append(entry)
    return by_title


def _weighed(
    newest: Sequence[Commit],
    tagged: Tagged | None,
    tip: str,
    policy: Policy,
    wanted: Wanted,
    owners: _Owners,
) -> tuple[dict[str, list[Entry]], list[Entry]]:
    """The entries by title, and those that break something."""
    reverts = find_reverts(newest, owners.has({one.id for one in newest}))
    copied = wanted.copied if tagged is None else frozenset()
    brought = requests_by_merge(newest, tip)
    by_title: dict[str, list[Entry]] = {}
    breaking: list[Entry] = []
    for each in weigh(newest, reverts, policy, copied=copied, touching=wanted.touching):
        for change in each.changes:
            title = policy.sections.get(change.type, "Changed" if change.breaking else "")
            if title:
                entry = Entry(each.commit, change, brought.get(each.commit.id, ()))
                by_title.setdefault(title, []).append(entry)
                if change.breaking:
                    breaking.append(entry)
    return by_title, breaking


def _each_once(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def _order(titles: Mapping[str, object]) -> list[str]:
    return [title for title in SECTIONS if title in titles] + [title for title in titles if title not in SECTIONS]


def date_of(seconds: int) -> str:
    """The day in UTC, YYYY-MM-DD."""
    return _date_of_day(seconds // 86400)


@lru_cache(maxsize=4096)
def _date_of_day(days: int) -> str:
    """By arithmetic, for a repository may hold times that no library takes."""
    days += 719468
    era = days // 146097
    of_era = days - era * 146097
    years = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * years + years // 4 - years // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    return f"{years + era * 400 + (month >= 10):04}-{month + 3 if month < 10 else month - 9:02}-{day:02}"
