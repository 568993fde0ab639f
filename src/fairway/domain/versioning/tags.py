"""Tags that name releases. Whatever else is tagged is foreign: `nightly`, `v1`, `v1.2`, `other-1.0.0`."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from fairway.domain.errors import UserError
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.scheme import Scheme, Version

_PLACE = "{version}"
#: Without the constructor, which only puts arguments in order.
_make = tuple.__new__


class Tagged(NamedTuple):
    """A tag that names a release.

    Attributes:
        name: the tag as it is.
        commit: the commit that it lies on.
        text: the version that it names, as its scheme writes it.
        is_prerelease: of that version.
        scheme: how it is read.
        read: the version, where it has been read already.
    """

    name: str
    commit: str
    text: str
    is_prerelease: bool
    scheme: Scheme
    read: Version | None = None

    @property
    def version(self) -> Version:
        """What it names; a long history has thousands of tags, of which few are asked for theirs."""
        return self.read or self.scheme.parse(self.text)


class Releases:
    """What was released, and what the other tags are.

    Args:
        found: by the order of their versions. They are sorted when somebody wants them all, for there may be thousands.
        foreign: tags that name no release of ours.
    """

    def __init__(self, found: Mapping[tuple[object, ...], Tagged], foreign: Sequence[str] = ()) -> None:
        self._found = found
        self.foreign = tuple(foreign)

    @cached_property
    def tagged(self) -> tuple[Tagged, ...]:
        """All, by version, the highest first."""
        return tuple([self._found[order] for order in sorted(self._found, reverse=True)])

    @cached_property
    def stable(self) -> tuple[Tagged, ...]:
        """Without pre-releases."""
        return tuple([one for one in self.tagged if not one.is_prerelease])

    @cached_property
    def latest(self) -> Tagged | None:
        """The highest without a pre-release; None: there is none."""
        order = max((order for order, one in self._found.items() if not one.is_prerelease), default=None)
        return None if order is None else self._found[order]

    @cached_property
    def previews(self) -> tuple[Tagged, ...]:
        """The pre-releases."""
        orders = [order for order, one in self._found.items() if one.is_prerelease]
        return tuple([self._found[order] for order in sorted(orders, reverse=True)])

    def find(self, version: Version) -> Tagged | None:
        """The release of that version, whatever its build metadata."""
        return self._found.get(version.order)


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
    order_plain, is_free = scheme.order_plain, not policy.tag
    for name, commit in tags:
        text = (name[1:] if name[:1] == "v" else name) if is_free else _version_part(name, prefix, suffix)
        order = order_plain(text)
        if order is not None:
            one = _make(Tagged, (name, commit, text, False, scheme, None))
        else:
            version = None if is_free and not text[:1].isdigit() else _parse(text, scheme)
            if version is None:
                foreign.append(name)
                continue
            order = version.order
            one = Tagged(name, commit, str(version), version.is_prerelease, scheme, version)
        if order not in found or name > found[order].name:
            found[order] = one
    return Releases(found, foreign)


def write_tag(version: Version, policy: Policy, previous: Tagged | None) -> str:
    """The tag of a version: in the project's format, else like the last release's."""
    if policy.tag:
        return policy.tag.replace(_PLACE, str(version))
    return str(version) if previous is not None and not previous.name.startswith("v") else f"v{version}"


def _version_part(name: str, prefix: str, suffix: str) -> str:
    if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix):
        return name[len(prefix) : len(name) - len(suffix)]
    return ""


def _parse(text: str, scheme: Scheme) -> Version | None:
    # A tag such as v1 moves with every release in many repositories.
    if "." not in text:
        return None
    try:
        return scheme.parse(text)
    except UserError:
        return None
