"""The changelog as Markdown in the manner of https://keepachangelog.com/en/1.1.0/, and the notes of one release."""

from collections.abc import Iterable, Iterator

from fairway.domain.versioning.changelog import Entry, Release
from fairway.domain.versioning.packed import read_entry
from fairway.domain.versioning.pattern import pattern

_HEAD = """\
# Changelog

All notable changes to this project are documented in this file, in the format of
[Keep a Changelog](https://keepachangelog.com/en/1.1.0/).
"""
_SSH = pattern(r"(?:ssh://)?(?:[^@/]+@)?(?P<host>[^:/]+)(?::\d+)?[:/](?P<path>.+?)(?:\.git)?/?")
_HTTP = pattern(r"https?://(?:[^@/]+@)?(?P<host>[^/]+)/(?P<path>.+?)(?:\.git)?/?")


def render_changelog(releases: Iterable[Release], repository: str = "") -> Iterator[str]:
    """The whole file, in pieces.

    Args:
        releases: the newest first.
        repository: address that links lead to; empty: no links.
    """
    yield _HEAD
    links: list[str] = []
    for release in releases:
        sections = release.sections
        if release.version is None and not sections:
            continue
        title = release.version or "Unreleased"
        named = f"[{title}]" if repository else title
        yield f"\n## {named} - {release.date}\n" if release.date else f"\n## {named}\n"
        if sections:
            yield _sections(release, repository)
        if repository:
            links.append(f"[{title}]: {_comparison(release, repository)}\n")
    if links:
        yield "\n"
        yield from links


def render_notes(release: Release, repository: str = "") -> Iterator[str]:
    """The notes of one release: what breaks, the sections, its pull requests and issues, who took part."""
    title = release.version or "Unreleased"
    yield f"# {title}{f' ({release.date})' if release.date else ''}\n"
    if release.breaking:
        yield "\n## Breaking changes\n\n"
        for entry in release.breaking:
            for text in entry.breaking or (entry.description,):
                yield f"- {_scope(entry)}{_indented(text)}\n"
    yield _sections(release, repository)
    for heading, kind, names in (("Pull requests", "pull", release.requests), ("Issues", "issues", release.issues)):
        if names:
            yield f"\n### {heading}\n\n"
            for name in names:
                yield f"- {_reference(name, kind, repository)}\n"
    if release.authors:
        yield f"\n### Contributors\n\n{', '.join(release.authors)}\n"
    if repository and release.previous and release.tag:
        yield f"\n[All changes]({_comparison(release, repository)})\n"


def web_address(remote: str) -> str:
    """Where people look at the repository of that remote, without anybody's password; empty if that is not known."""
    for form in (_HTTP, _SSH):
        match = form.fullmatch(remote)
        if match and "." in match["host"] and not match["path"].startswith(("/", ".")) and "/" in match["path"]:
            return f"https://{match['host']}/{match['path']}"
    return ""


def _sections(release: Release, repository: str) -> str:
    parts = []
    for title, entries in release.sections:
        parts.append(f"\n### {title}\n\n")
        parts += [_line(entry, repository) for entry in entries]
    return "".join(parts)


def _line(entry: Entry, repository: str) -> str:
    is_breaking = entry.told is not None and entry.told.breaking
    if entry.told is None:
        scope, description, requests, references = read_entry(entry.source.packed)
    else:
        _, scope, description, _, _ = entry.told
        said = entry.source.message
        requests, references = said.requests, said.issues
    named = f"**{scope}:** {description}" if scope else description
    requests = requests or entry.brought
    references = requests or references
    if references:
        kind = "pull" if requests else "issues"
        shown = ", ".join([_reference(one, kind, repository) for one in references]) if repository else ""
        named = f"{named} ({shown or ', '.join(references)})"
    if not is_breaking:
        return f"- {named}\n"
    notes = "".join(f"\n  {_indented(note)}" for note in entry.breaking if note != description)
    return f"- **Breaking:** {named}{notes}\n"


def _scope(entry: Entry) -> str:
    return f"**{entry.scope}:** " if entry.scope else ""


def _indented(text: str) -> str:
    return text if "\n" not in text else "\n  ".join(line.strip() for line in text.split("\n"))


def _reference(name: str, kind: str, repository: str) -> str:
    """A link where it is known where it leads."""
    if not repository:
        return name
    if name.startswith("!"):
        return f"[{name}]({repository}/-/merge_requests/{name[1:]})"
    if not name.startswith("#"):
        return name
    if "gitlab" in repository:
        return f"[{name}]({repository}/-/{'merge_requests' if kind == 'pull' else 'issues'}/{name[1:]})"
    if "bitbucket.org" in repository and kind == "pull":
        return f"[{name}]({repository}/pull-requests/{name[1:]})"
    return f"[{name}]({repository}/{kind}/{name[1:]})"


def _comparison(release: Release, repository: str) -> str:
    middle = "/-" if "gitlab" in repository else ""
    if release.previous:
        return f"{repository}{middle}/compare/{release.previous}...{release.tag or 'HEAD'}"
    if "gitlab" in repository:
        return f"{repository}/-/tags/{release.tag}" if release.tag else f"{repository}/-/commits/HEAD"
    return f"{repository}/releases/tag/{release.tag}" if release.tag else f"{repository}/commits/HEAD"
