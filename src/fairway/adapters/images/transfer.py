"""Bringing an image to a repository: parts before what points to them, and the tag last of all.

Killed anywhere, a repository then holds parts without a name, and the next call sends what is missing. A tag is
therefore a promise that everything behind it is there. A tag that stands for another image is never moved.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairway.adapters.images.client import Repository
from fairway.domain.errors import PermanentError
from fairway.domain.images.manifests import (
    EMPTY,
    INDEX,
    INDEXES,
    Descriptor,
    Document,
    describe,
    make_attachment,
    make_index,
    read_descriptor,
    read_document,
)
from fairway.domain.provenance.envelope import Envelope, read_envelope
from fairway.ports.images import ImageParts

#: What an envelope by DSSE is called in registries, and what is in it.
DSSE, STATEMENT = "application/vnd.dsse.envelope.v1+json", "application/vnd.in-toto+json"


@dataclass(slots=True)
class Push:
    """Brings images to one repository.

    Args:
        repository: where they go.
        mount: path of another repository of the same registry, from which parts need not travel.
        tell: receives a line for each part that is sent.
    """

    repository: Repository
    mount: str | None = None
    tell: Callable[[str], None] = lambda _line: None
    sent: int = 0
    present: int = 0
    _seen: set[str] = field(default_factory=set)

    def push(self, parts: ImageParts, digest: str, media: str = "") -> Descriptor:
        """Everything that the manifest or index of this digest points to, then itself, under its digest.

        Raises:
            PermanentError: it is no image, or the registry refuses.
            TransientError, AmbiguousError: as requests do.
        """
        content = parts.read(digest)
        document = read(content, media, digest)
        described = describe(content, document.media)
        if digest in self._seen or self.repository.has(described, manifest=True):
            # A registry takes a manifest only after what it points to.
            self.present += digest not in self._seen
            self._seen.add(digest)
            return described
        for part in document.manifests:
            self.push(parts, part.digest, part.media)
        for part in document.blobs:
            self._send_blob(parts.stream(part), part)
        self.tell(f"sending {'index' if document.media in INDEXES else 'manifest'} {digest[:19]}…")
        self.repository.send_manifest(content, document.media, digest)
        self.sent += 1
        self._seen.add(digest)
        return described

    def tag(self, content: bytes, tag: str, *, moves: bool = False) -> None:
        """Lets the tag stand for the manifest or index with these bytes, which is there.

        Raises:
            PermanentError: code `published-otherwise`: it stands for another one, and does not move.
        """
        document = read_document(content)
        digest = describe(content, document.media).digest
        there = self.repository.resolve(tag)
        if there is not None and there.digest == digest:
            return
        if there is not None and not moves:
            sentence = f"{self.repository.name}:{tag} stands for {there.digest}, not for {digest}"
            raise PermanentError("published-otherwise", sentence, "choose another tag: what is published stays")
        self.repository.send_manifest(content, document.media, tag)

    def attach(self, about: Descriptor, envelope: bytes) -> None:
        """Attaches a signed statement, once."""
        layer = describe(envelope, DSSE)
        statement = read_envelope(envelope.decode()).statement
        annotations = {"in-toto.io/predicate-type": str(statement.get("predicateType", ""))}
        content = make_attachment(about, layer, STATEMENT, annotations)
        described = describe(content, read_document(content).media)
        if any(one.get("digest") == described.digest for one in self.repository.list_referrers(about.digest)):
            return
        self._send_blob(iter((b"{}",)), describe(b"{}", EMPTY))
        self._send_blob(iter((envelope,)), layer)
        tracked = self.repository.send_manifest(content, described.media, described.digest)
        self.sent += 1
        if not tracked:
            self._list(about, described.body() | {"artifactType": STATEMENT, "annotations": annotations})

    def _list(self, about: Descriptor, entry: dict[str, Any]) -> None:
        """Adds to the index under the tag that stands in for the registry's own list, as the specification says."""
        known = self.repository.list_referrers(about.digest)
        bodies = [one for one in known if one.get("digest") != entry["digest"]] + [entry]
        try:
            listed = [read_descriptor(one) for one in bodies]
        except ValueError as error:
            # Without it the index would no longer name what somebody attached.
            tag = about.digest.replace(":", "-")
            sentence = f"{self.repository.name}:{tag} lists what cannot be read: {error}"
            raise PermanentError("list-damaged", sentence, "mend or remove this index in the registry") from error
        self.repository.send_manifest(make_index(listed, {}), INDEX, about.digest.replace(":", "-"))

    def _send_blob(self, content: Iterator[bytes], part: Descriptor) -> None:
        if part.digest in self._seen:
            return
        if self.repository.has(part):
            self.present += 1
        else:
            self.tell(f"sending {part.digest[:19]}… ({part.size} bytes)")
            self.repository.send_blob(part, content, mount=self.mount)
            self.sent += 1
        self._seen.add(part.digest)


def read(content: bytes, media: str, what: str) -> Document:
    """What these bytes are.

    Raises:
        PermanentError: no manifest and no index.
    """
    try:
        return read_document(content, media)
    except ValueError as error:
        raise PermanentError("not-an-image", f"{what} is no image: {error}", "push it by another program") from error


def attached_envelopes(repository: Repository, digest: str) -> Sequence[tuple[bytes, Envelope]]:
    """The signed statements about an image, each as it was written down; what cannot be read is left out."""
    found = []
    for one in repository.list_referrers(digest):
        if one.get("artifactType") not in (STATEMENT, DSSE) or not isinstance(one.get("digest"), str):
            continue
        document = read(repository.read(one["digest"]), "", one["digest"])
        if document.subject is None or document.subject.digest != digest:
            continue
        for part in document.blobs:
            if part.media == DSSE and part.size < _LARGEST_ENVELOPE:
                content = b"".join(repository.stream(part))
                try:
                    envelope = read_envelope(content.decode())
                    envelope.statement  # noqa: B018 -- raises where there is none
                except ValueError:
                    continue
                found.append((content, envelope))
    return found


_LARGEST_ENVELOPE = 64 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class RemoteParts(ImageParts):
    """The parts of an image in a repository."""

    repository: Repository

    def read(self, digest: str) -> bytes:
        """A manifest or an index."""
        return self.repository.read(digest)

    def stream(self, part: Descriptor) -> Iterator[bytes]:
        """A configuration or a layer."""
        return self.repository.stream(part)


@dataclass(frozen=True, slots=True)
class KeptParts(ImageParts):
    """The parts of an image in a folder, each under the hexadecimal digits of its digest.

    Args:
        path: gives the path of a part.
    """

    path: Callable[[str], Path]

    def read(self, digest: str) -> bytes:
        """A manifest or an index."""
        return self.path(digest).read_bytes()

    def stream(self, part: Descriptor) -> Iterator[bytes]:
        """A configuration or a layer."""
        with self.path(part.digest).open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
