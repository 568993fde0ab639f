"""The changelog as data: releases, their sections and entries, the pull requests and issues of each.

Markdown, a template of the user's own and the JSON output are three views of this model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from fairway.domain.versioning.attribution import divide, requests_by_merge
from fairway.domain.versioning.commits import Commit, newest_first
from fairway.domain.versioning.message import Change
from fairway.domain.versioning.policy import SECTIONS, Policy
from fairway.domain.versioning.reverts import find_reverts
from fairway.domain.versioning.tags import Tagged
from fairway.domain.versioning.weighing import weigh

Fold = Literal["fold", "keep"]


class Entry(NamedTuple):
    """One line of a changelog.

    Attributes:
        breaking: what breaks, in the author's words; `is_breaking` may be true without any.
        requests: pull requests that brought it.
    """

    commit: str
    type: str
    scope: str
    description: str
    is_breaking: bool
    breaking: tuple[str, ...]
    requests: tuple[str, ...]
    issues: tuple[str, ...]
    author: str


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
        return _each_once(one.message.references.requests for one in self.commits)

    @property
    def issues(self) -> tuple[str, ...]:
        """What its commits close or refer to, each once."""
        return _each_once(one.message.references.issues for one in self.commits)

    @property
    def authors(self) -> tuple[str, ...]:
        """Names, by the number of their commits."""
        counts: dict[str, int] = {}
        for one in self.commits:
            name = one.author.partition(" <")[0]
            counts[name] = counts.get(name, 0) + 1
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which releases are wanted.

    Attributes:
        fold: what pre-releases brought stands under their final release.
        touching: ids of the commits of the package, None for all.
        copied: identities of commits that a release beside the main line has a copy of.
    """

    fold: bool = True
    touching: frozenset[str] | None = None
    copied: frozenset[tuple[str, int, str]] = frozenset()


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
    previous = {one.name: below.name for one, below in pairwise(shown)}
    yield _release(None, head, unreleased, shown[0].name if shown else "", commits, policy, wanted, by_id)
    for one in shown:
        mine = owned.get(one.name, [])
        yield _release(one, one.commit, mine, previous.get(one.name, ""), commits, policy, wanted, by_id)


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
    mine: list[str],
    previous: str,
    commits: Mapping[str, Commit],
    policy: Policy,
    wanted: Wanted,
    owners: _Owners,
) -> Release:
    newest = [commits[one] for one in newest_first(mine, commits)]
    plain = None if wanted.touching is not None or (wanted.copied and not tagged) else _plain(newest, policy)
    if plain is None:
        by_title, breaking = _weighed(newest, tagged, tip, commits, policy, wanted, owners)
    else:
        by_title, breaking = plain, []
    own = newest if wanted.touching is None else [one for one in newest if one.id in wanted.touching]
    return Release(
        version=str(tagged.version) if tagged else None,
        tag=tagged.name if tagged else "",
        previous=previous,
        date=date_of(commits[tip].committed) if tagged and tip in commits else "",
        commit=tip,
        is_prerelease=tagged.version.is_prerelease if tagged else False,
        sections=tuple([Section(title, tuple(by_title[title])) for title in _order(by_title)]),
        breaking=tuple(breaking),
        commits=tuple(own),
    )


def _plain(newest: Sequence[Commit], policy: Policy) -> dict[str, list[Entry]] | None:
    """The entries by title where nothing is to be weighed: no merge, no revert, nothing that breaks; else None.

    Nearly all releases of a long history are so, and weighing takes most of the time of a changelog.
    """
    by_title: dict[str, list[Entry]] = {}
    titles = policy.sections
    for one in newest:
        said = one.message
        if len(one.parents) > 1 or said.revert is not None:
            return None
        for change in said.changes:
            if change.breaking:
                return None
            title = titles.get(change.type)
            if title is not None:
                by_title.setdefault(title, []).append(_entry(one, change, ()))
    return by_title


def _weighed(
    newest: Sequence[Commit],
    tagged: Tagged | None,
    tip: str,
    commits: Mapping[str, Commit],
    policy: Policy,
    wanted: Wanted,
    owners: _Owners,
) -> tuple[dict[str, list[Entry]], list[Entry]]:
    """The entries by title, and those that break something."""
    mine = [one.id for one in newest]
    reverts = find_reverts(newest, owners.has(set(mine)))
    copied = wanted.copied if tagged is None else frozenset()
    brought = requests_by_merge(mine, tip, commits)
    by_title: dict[str, list[Entry]] = {}
    breaking: list[Entry] = []
    for each in weigh(newest, reverts, policy, copied=copied, touching=wanted.touching):
        for change in each.changes:
            title = policy.sections.get(change.type, "Changed" if change.breaking else "")
            if title:
                entry = _entry(each.commit, change, brought.get(each.commit.id, ()))
                by_title.setdefault(title, []).append(entry)
                if change.breaking:
                    breaking.append(entry)
    return by_title, breaking


def _each_once(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def _entry(commit: Commit, change: Change, brought: tuple[str, ...]) -> Entry:
    references = commit.message.references
    return Entry(
        commit.id,
        change.type,
        change.scope,
        change.description,
        change.breaking,
        change.notes,
        references.requests or brought,
        references.issues,
        commit.author.partition(" <")[0],
    )


def _order(titles: Mapping[str, object]) -> list[str]:
    if len(titles) < 2:
        return list(titles)
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
