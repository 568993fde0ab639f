"""Tags that name releases. Whatever else is tagged is foreign: `nightly`, `v1`, `v1.2`, `other-1.0.0`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from fairway.domain.errors import UserError
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.scheme import Scheme, Version

_PLACE = "{version}"


class Tagged(NamedTuple):
    """A tag that names a release.

    Attributes:
        version: what it names.
        name: the tag as it is.
        commit: the commit that it lies on.
    """

    version: Version
    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Releases:
    """What was released, and what the other tags are.

    Attributes:
        tagged: by version, the highest first.
        foreign: tags that name no release of ours.
    """

    tagged: tuple[Tagged, ...] = ()
    foreign: tuple[str, ...] = field(default=())

    @property
    def stable(self) -> list[Tagged]:
        """Without pre-releases."""
        return [one for one in self.tagged if not one.version.is_prerelease]

    @property
    def previews(self) -> list[Tagged]:
        """The pre-releases."""
        return [one for one in self.tagged if one.version.is_prerelease]


def check_format(text: str) -> str:
    """How tags are written.

    Raises:
        UserError: a version cannot be read back from it.
    """
    if text.count(_PLACE) != 1:
        raise UserError("tag-format", f"{text[:60]!r} does not hold {_PLACE} once", "such as v{version}")
    return text


def read_tags(tags: Iterable[tuple[str, str]], scheme: Scheme, policy: Policy) -> Releases:
    """The releases that tags name.

    Of several tags for one version the one in the project's own format counts, else the first by name.

    Args:
        tags: name and commit of each.
        scheme: how versions are read.
        policy: how tags are written.
    """
    prefix, _, suffix = policy.tag.partition(_PLACE)
    found: dict[tuple[object, ...], Tagged] = {}
    foreign = []
    for name, commit in tags:
        text = _version_part(name, prefix, suffix) if policy.tag else _free_part(name)
        version = _parse(text, scheme) if text else None
        if version is None:
            foreign.append(name)
            continue
        known = found.get(version.order)
        if known is None or name > known.name:
            found[version.order] = Tagged(version, name, commit)
    ordered = sorted(found.items(), key=lambda item: item[0], reverse=True)
    return Releases(tuple(one for _, one in ordered), tuple(foreign))


def write_tag(version: Version, policy: Policy, previous: Tagged | None) -> str:
    """The tag of a version: in the project's format, else like the last release's."""
    if policy.tag:
        return policy.tag.replace(_PLACE, str(version))
    return str(version) if previous is not None and not previous.name.startswith("v") else f"v{version}"


def _version_part(name: str, prefix: str, suffix: str) -> str:
    if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix):
        return name[len(prefix) : len(name) - len(suffix)]
    return ""


def _free_part(name: str) -> str:
    text = name[1:] if name[:1] == "v" else name
    return text if text[:1].isdigit() else ""


def _parse(text: str, scheme: Scheme) -> Version | None:
    # A tag such as v1 moves with every release in many repositories.
    if "." not in text:
        return None
    try:
        return scheme.parse(text)
    except UserError:
        return None
