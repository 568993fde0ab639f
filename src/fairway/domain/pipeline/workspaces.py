"""Workspaces of uv, npm and cargo: which packages a repository has, and which of them needs which.

Read from the manifests of a commit, as their own tools read them; nothing is run. Dependencies for development alone do
not count: they may go in circles, and nobody who installs a package needs them.
"""

import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from fairway.domain.errors import UserError
from fairway.domain.pipeline.spec import PipelineSpec, PublishSpec

WorkspaceKind = Literal["uv", "npm", "cargo"]
MANIFESTS: Mapping[str, str] = {"uv": "pyproject.toml", "npm": "package.json", "cargo": "Cargo.toml"}
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Member:
    """A package of a workspace.

    Attributes:
        folder: from the top of the repository; empty: the top itself.
        stem: how the names of its files begin.
        needs: names of members that it cannot be installed without.
        is_published: it may be published at all.
    """

    name: str
    folder: str
    stem: str
    needs: frozenset[str]
    is_published: bool


def read_workspace(kind: str, paths: Collection[str], read: Callable[[str], str]) -> tuple[Member, ...]:
    """The members, each behind those that it needs; among others by their folder.

    Args:
        kind: uv, npm or cargo.
        paths: all files of the commit.
        read: the text of one.

    Raises:
        UserError: there is no workspace, a manifest cannot be read, or the members need each other in a circle.
    """
    manifest = MANIFESTS[kind]
    if manifest not in paths:
        hint = f"the workspace of {kind} is read from there"
        raise UserError("workspace", f"there is no {manifest} at the top of the repository", hint)
    top = _parse(manifest, read(manifest))
    wanted, without = _PATTERNS[kind](top)
    folders = sorted({posixpath.dirname(one) for one in paths if posixpath.basename(one) == manifest} - {""})
    waiting = ["", *(one for one in folders if _fits(one, wanted) and not _fits(one, without))]
    contents: dict[str, dict[str, Any]] = {}
    for folder in waiting:
        if folder not in contents:
            place = posixpath.join(folder, manifest)
            contents[folder] = _parse(place, read(place)) if folder else top
            # What cargo finds by a path inside the workspace is a member of it, too.
            beside = _cargo_paths(folder, contents[folder]) if kind == "cargo" else []
            waiting += [one for one in beside if one in folders and not _fits(one, without)]
    found = [_READERS[kind](folder, content) for folder, content in contents.items()]
    members = [one for one in found if one is not None]
    names = {_key(kind, one.name) for one in members}
    if len(names) < len(members):
        named = ", ".join(sorted(one.name for one in members))
        raise UserError("workspace", f"two members of the workspace have the same name: {named}", "rename one of them")
    by_key = {_key(kind, one.name): one.name for one in members}
    mine = [replace(one, needs=frozenset(by_key[each] for each in one.needs if each in by_key)) for one in members]
    return _in_order(mine)


def expand(
    spec: PipelineSpec, members_of: Callable[[str], Sequence[Member]], changed: Callable[[Member], bool]
) -> PipelineSpec:
    """The pipeline with an entry of `publish` for each member of a workspace, behind those that it needs.

    Args:
        spec: as it was configured.
        members_of: the members of the workspace of a kind, in their order.
        changed: whether a member has changed since the last release; asked only where an entry wants to know.

    Raises:
        As `read_workspace` does.
    """
    if not any(one.workspace for one in spec.publish):
        return spec
    entries: dict[str, tuple[PublishSpec, ...]] = {}
    for one in spec.publish:
        entries[one.name] = _spread(one, members_of(one.workspace), changed) if one.workspace else (one,)
    publish = []
    for one in (each for some in entries.values() for each in some):
        behind = [name for after in one.after for name in _names_of(after, entries)]
        publish.append(replace(one, after=tuple(dict.fromkeys(behind))))
    return replace(spec, publish=tuple(publish))


def _names_of(name: str, entries: Mapping[str, tuple[PublishSpec, ...]]) -> tuple[str, ...]:
    return tuple(one.name for one in entries[name]) if name in entries else (name,)


def _spread(one: PublishSpec, members: Sequence[Member], changed: Callable[[Member], bool]) -> tuple[PublishSpec, ...]:
    """An entry for each member that goes there."""
    going = [each for each in members if each.is_published and (not one.changed or changed(each))]
    by_name = {each.name: each for each in members}
    spread = []
    for each in going:
        needed = _all_needed(each, by_name)
        behind = (f"{one.name}-{_slug(other.name)}" for other in going if other.name in needed)
        files = tuple(pattern.replace("{package}", each.stem).replace("{folder}", each.folder) for pattern in one.files)
        name = f"{one.name}-{_slug(each.name)}"
        spread.append(replace(one, name=name, files=files, after=(*one.after, *behind), workspace="", changed=False))
    return tuple(spread)


def _all_needed(member: Member, by_name: Mapping[str, Member]) -> set[str]:
    """Also over members that are not published."""
    found: set[str] = set()
    waiting = list(member.needs)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(by_name[one].needs)
    return found


def _in_order(members: list[Member]) -> tuple[Member, ...]:
    done: list[Member] = []
    left = {one.name: one for one in members}
    while left:
        ready = next((one for one in left.values() if not one.needs & left.keys()), None)
        if ready is None:
            sentence = f"members of the workspace need each other in a circle: {' → '.join(_circle(left))}"
            raise UserError("workspace", sentence, "make one of them independent, or publish them as one package")
        done.append(left.pop(ready.name))
    return tuple(done)


def _circle(left: Mapping[str, Member]) -> list[str]:
    """One of the circles, beginning and ending with the same name; each of these needs another one of them."""
    path = [next(iter(left))]
    while (following := min(left[path[-1]].needs & left.keys())) not in path:
        path.append(following)
    return [*path[path.index(following) :], following]


def _parse(path: str, text: str) -> dict[str, Any]:
    try:
        content = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("workspace", f'"{path}" cannot be read: {str(error)[:200]}', "correct it") from error
    if not isinstance(content, dict):
        raise UserError("workspace", f'"{path}" is no manifest', "it must hold a mapping")
    return content


def _table(content: object, *keys: str) -> dict[str, Any]:
    """What stands below the keys, empty where there is nothing or something else."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _fits(folder: str, patterns: Iterable[str]) -> bool:
    return any(_matches(folder.split("/"), posixpath.normpath(one).split("/")) for one in patterns)


def _matches(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _uv_patterns(top: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    workspace = _table(top, "tool", "uv", "workspace")
    return _texts(workspace.get("members")), _texts(workspace.get("exclude"))


def _npm_patterns(top: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    given = top.get("workspaces")
    patterns = _texts(given.get("packages") if isinstance(given, dict) else given)
    return [one for one in patterns if one[:1] != "!"], [one[1:] for one in patterns if one[:1] == "!"]


def _cargo_patterns(top: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    workspace = _table(top, "workspace")
    return _texts(workspace.get("members")), _texts(workspace.get("exclude"))


def _uv_member(folder: str, content: Mapping[str, Any]) -> Member | None:
    project = _table(content, "project")
    name = project.get("name")
    if not isinstance(name, str):
        return None
    asked = [*_texts(project.get("dependencies")), *_texts(_table(content, "build-system").get("requires"))]
    for some in _table(project, "optional-dependencies").values():
        asked += _texts(some)
    needs = {_normal(match[0]) for one in asked if (match := _NAMED.match(one.strip()))} - {_normal(name)}
    is_private = any(one.startswith("Private ::") for one in _texts(project.get("classifiers")))
    is_package = _table(content, "tool", "uv").get("package") is not False and "build-system" in content
    stem = re.sub(r"[-_.]+", "_", name).lower()
    return Member(name, folder, stem, frozenset(needs), is_package and not is_private)


def _npm_member(folder: str, content: Mapping[str, Any]) -> Member | None:
    name = content.get("name")
    if not isinstance(name, str):
        return None
    kinds = ("dependencies", "peerDependencies", "optionalDependencies")
    needs = {each for kind in kinds for each in _table(content, kind)} - {name}
    # The manifest at the top of a workspace is not a package itself unless it says its version.
    is_published = content.get("private") is not True and isinstance(content.get("version"), str)
    return Member(name, folder, name.removeprefix("@").replace("/", "-"), frozenset(needs), is_published)


def _cargo_needs(content: Mapping[str, Any], *more: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and description of each dependency."""
    for place in (content, *(one for one in _table(content, "target").values() if isinstance(one, dict))):
        for kind in ("dependencies", "build-dependencies", *more):
            for key, one in _table(place, kind).items():
                described = one if isinstance(one, dict) else {}
                yield str(described.get("package", key)), described


def _cargo_paths(folder: str, content: Mapping[str, Any]) -> list[str]:
    found = [one["path"] for _, one in _cargo_needs(content, "dev-dependencies") if isinstance(one.get("path"), str)]
    return [posixpath.normpath(posixpath.join(folder, one)) for one in found]


def _cargo_member(folder: str, content: Mapping[str, Any]) -> Member | None:
    package = _table(content, "package")
    name = package.get("name")
    if not isinstance(name, str):
        return None
    needs = {each for each, _ in _cargo_needs(content)}
    return Member(name, folder, name, frozenset(needs - {name}), package.get("publish") not in (False, []))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _key(kind: str, name: str) -> str:
    return _normal(name) if kind == "uv" else name


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


_PATTERNS: Mapping[str, Callable[[Mapping[str, Any]], tuple[list[str], list[str]]]] = {
    "uv": _uv_patterns,
    "npm": _npm_patterns,
    "cargo": _cargo_patterns,
}
_READERS: Mapping[str, Callable[[str, Mapping[str, Any]], Member | None]] = {
    "uv": _uv_member,
    "npm": _npm_member,
    "cargo": _cargo_member,
}
