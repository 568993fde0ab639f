"""A registry of container images as a place to publish to; implements `Registry`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from fairway.adapters.images.client import Repository
from fairway.adapters.images.credentials import given, kept
from fairway.adapters.images.transfer import KeptParts, Push, attached_envelopes, read
from fairway.domain.errors import PermanentError, UserError
from fairway.domain.images.manifests import VERSION
from fairway.domain.images.reference import parse_reference
from fairway.domain.versioning.scheme import Version, find_scheme
from fairway.ports.pipeline import Parcel, Presence, Registry


class OciRegistry(Registry):
    """A repository of images; see `OciSettings` for the arguments."""

    def __init__(
        self,
        *,
        repository: str,
        kind: str = "oci",  # noqa: ARG002 -- part of the settings
        tag: str = "{version}",
        moving: list[str] | None = None,
        user: str | None = None,
        password_variable: str | None = None,
        timeout: float = 60.0,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._reference = parse_reference(repository)
        self._tag = tag
        self._moving = moving or []
        self._timeout = timeout
        self._credentials = (
            given(user or "oauth2accesstoken", password_variable, environment)
            if password_variable
            else kept(environment)
        )

    def observe(self, parcel: Parcel) -> Presence:
        """What the version's tag stands for, and whether the signed statements are attached to it."""
        _require_image(parcel)
        tag = self._fill(self._tag, parcel.version)
        name = f"{self._reference.repository}:{tag}"
        with self._repository() as repository:
            there = repository.resolve(tag)
            if there is None:
                return Presence("absent", name)
            if there.digest != parcel.product.digest:
                return Presence("other", name, there.digest)
            attached = {content.decode() for content, _ in attached_envelopes(repository, there.digest)}
        missing = [one for one in parcel.envelopes if one.strip() not in attached]
        if missing:
            return Presence("absent", name, f"{len(missing)} signed statements are missing")
        return Presence("same", name, there.digest)

    def publish(self, parcel: Parcel) -> None:
        """The image by its digest, what was signed about it, the tags that move, and last the version's own tag."""
        _require_image(parcel)
        folder = Path(parcel.location).parent
        content = Path(parcel.location).read_bytes()
        parts = KeptParts(lambda digest: folder / digest.removeprefix("sha256:"))
        with self._repository() as repository:
            push = Push(repository)
            described = push.push(parts, parcel.product.digest)
            for envelope in parcel.envelopes:
                push.attach(described, envelope.strip().encode())
            for tag in self._moving:
                name = self._fill(tag, parcel.version)
                if _moves(repository, name, parcel.version):
                    push.tag(content, name, moves=True)
            push.tag(content, self._fill(self._tag, parcel.version))

    @contextmanager
    def _repository(self) -> Iterator[Repository]:
        repository = Repository(self._reference, self._credentials, timeout=self._timeout)
        try:
            yield repository
        finally:
            repository.close()

    def _fill(self, tag: str, version: str) -> str:
        for name, value in _values(version).items():
            tag = tag.replace(f"{{{name}}}", value)
        return tag


def _values(version: str) -> dict[str, str]:
    """The version and its first three numbers; a number that it does not have is 0."""
    numbers = version.partition("+")[0].partition("-")[0].removeprefix("v").split(".")
    words = dict(zip(("major", "minor", "patch"), [*numbers, "0", "0", "0"], strict=False))
    return {"version": version.replace("+", "_").replace("!", "-"), **words}


def _require_image(parcel: Parcel) -> None:
    if parcel.product.kind != "image":
        hint = "name images of release.images under images; files go to other kinds of registries"
        raise UserError("not-an-image", f"{parcel.product.path} is no image", hint)


def _moves(repository: Repository, tag: str, version: str) -> bool:
    """A tag that follows releases follows this one: a stable version, and none before that which the tag stands for."""
    ours = _parsed(version)
    if ours is None or ours.is_prerelease:
        return False
    there = repository.resolve(tag)
    if there is None:
        return True
    try:
        said = read(repository.read(there.digest), there.media, tag).annotations.get(VERSION, "")
    except PermanentError:
        return True
    theirs = _parsed(said)
    return theirs is None or type(theirs) is not type(ours) or theirs.order <= ours.order


def _parsed(text: str) -> Version | None:
    """The version in the first scheme that it is one of; calendar versions are ordered as PEP 440 orders them."""
    for scheme in ("semver", "pep440"):
        with suppress(UserError):
            return find_scheme(scheme).parse(text)
    return None
