"""Images in registries: what a name stands for, and bringing one to another place under the same digest."""

from dataclasses import dataclass

from fairway.domain.errors import PermanentError, UserError
from fairway.domain.images.manifests import VERSION, Document, read_document
from fairway.domain.images.reference import Reference
from fairway.domain.provenance.statement import Subject
from fairway.domain.provenance.trust import Distrusted, Trusted, TrustPolicy
from fairway.ports.images import ImageRegistries, Transfer
from fairway.usecases.trusting import Verifier


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform of an image.

    Attributes:
        size: bytes that who pulls it loads.
    """

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a name stands for.

    Attributes:
        version: that it says it is; empty if it does not.
        statements: how many signed statements are attached to it.
    """

    reference: Reference
    version: str
    platforms: tuple[Platform, ...]
    statements: int


def resolve_image(reference: Reference, registries: ImageRegistries) -> Reference:
    """The same image by its digest.

    Raises:
        UserError: the registry has none of that name.
    """
    found = registries.resolve(reference)
    if found is None:
        raise UserError("unknown-image", f"the registry has no {reference}", "look at the name and the tag")
    return Reference(reference.host, reference.path, reference.tag, found.digest)


def show_image(reference: Reference, registries: ImageRegistries) -> Shown:
    """What a name stands for.

    Raises:
        UserError: the registry has none of that name.
    """
    found = resolve_image(reference, registries)
    document = _document(found, registries)
    platforms = []
    for one in document.manifests:
        inner = _document(found.at(digest=one.digest), registries)
        platforms.append(Platform(one.platform or "any", one.digest, inner.size))
    if document.blobs:
        platforms.append(Platform("any", str(found.digest), document.size))
    statements = len(registries.list_envelopes(found))
    return Shown(found, document.annotations.get(VERSION, ""), tuple(platforms), statements)


def verify_image(
    reference: Reference, registries: ImageRegistries, verifier: Verifier, policy: TrustPolicy
) -> Trusted | Distrusted:
    """Whether the policy believes the image, by the statements that are attached to it in its registry.

    Args:
        reference: with a digest.
        registries: where it lies.
        verifier: knows the keys.
        policy: what is demanded.
    """
    subject = Subject(reference.repository, str(reference.digest))
    return verifier.verify(subject, policy, given=registries.list_envelopes(reference))


def copy_image(source: Reference, target: Reference, registries: ImageRegistries) -> Transfer:
    """Brings an image to another place: the same digest, with what is signed about it.

    Args:
        source: with a digest.
        target: its tag is that of the source where it has none.
        registries: where both lie.

    Raises:
        PermanentError: code `published-otherwise`: the target's tag stands for another image.
        UserError: the target names a digest.
    """
    if target.digest is not None:
        raise UserError("bad-image-reference", f"{target} names a digest", "it stays that of the source: name a tag")
    return registries.copy(source, target.at(tag=target.tag or source.tag))


def _document(reference: Reference, registries: ImageRegistries) -> Document:
    try:
        return read_document(registries.read(reference))
    except ValueError as error:
        raise PermanentError("not-an-image", f"{reference} is no image: {error}", "name an image") from error
