"""Manifests and indexes by the OCI image specification 1.1: what they point to, and the index that a release makes.

https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md and image-index.md
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
#: What Docker calls the same two things.
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

INDEXES = frozenset({INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})

VERSION = "org.opencontainers.image.version"
REVISION = "org.opencontainers.image.revision"
TITLE = "org.opencontainers.image.title"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What points to some bytes.

    Attributes:
        media: media type.
        digest: `sha256:<64 hex digits>`.
        size: bytes.
        platform: such as `linux/arm64` or `linux/arm/v7`; empty if it is not said.
        extra: what else stood there, kept as it was.
    """

    media: str
    digest: str
    size: int
    platform: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {"mediaType": self.media, "digest": self.digest, "size": self.size, **self.extra}


def describe(content: bytes, media: str, **extra: Any) -> Descriptor:
    """What points to these bytes."""
    return Descriptor(media, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content), extra=extra)


def read_descriptor(body: object) -> Descriptor:
    """A descriptor out of JSON.

    Raises:
        ValueError: it is none, or one with a digest that is not SHA-256.
    """
    if not isinstance(body, dict):
        raise ValueError("a descriptor is no object")  # noqa: TRY004 -- one kind for whatever is wrong with a document
    media, digest, size = body.get("mediaType"), body.get("digest"), body.get("size")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ValueError(f"{str(digest)[:80]!r} is no digest by SHA-256")
    if not isinstance(media, str) or not isinstance(size, int) or size < 0:
        raise ValueError(f"the descriptor of {digest} has no media type or no size")
    extra = {key: value for key, value in body.items() if key not in ("mediaType", "digest", "size")}
    return Descriptor(media, digest, size, platform_of(body.get("platform")), extra)


def platform_of(body: object) -> str:
    """A platform as people write it; empty if it is not said."""
    if not isinstance(body, dict) or not body.get("os") or not body.get("architecture"):
        return ""
    words = [body["os"], body["architecture"], *([body["variant"]] if body.get("variant") else [])]
    return "/".join(str(word) for word in words)


def platform_body(platform: str) -> dict[str, str]:
    """A platform as an index writes it."""
    return dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest or an index.

    Attributes:
        media: its media type.
        manifests: what an index points to.
        blobs: config and layers of a manifest.
        annotations: what it says about itself.
        subject: what it is about, such as the image that a signature belongs to.
        artifact: its artifact type; empty if it has none.
    """

    media: str
    manifests: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    subject: Descriptor | None = None
    artifact: str = ""

    @property
    def size(self) -> int:
        """Bytes that who pulls it loads, without the manifest itself."""
        return sum(one.size for one in self.blobs)


def read_document(content: bytes, media: str = "") -> Document:
    """A manifest or an index out of its bytes.

    Args:
        content: the bytes.
        media: what it was sent as; used where it does not say itself.

    Raises:
        ValueError: it is neither.
    """
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError("it is no object")  # noqa: TRY004 -- as above
    said = str(body.get("mediaType") or "") or media or (INDEX if "manifests" in body else MANIFEST)
    annotations = body.get("annotations")
    about = None if body.get("subject") is None else read_descriptor(body["subject"])
    manifests: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()
    if said in INDEXES and isinstance(body.get("manifests"), list):
        manifests = tuple(read_descriptor(one) for one in body["manifests"])
    elif said in MANIFESTS and isinstance(body.get("layers"), list):
        blobs = tuple(read_descriptor(one) for one in (body.get("config"), *body["layers"]))
    else:
        raise ValueError(f"{str(said)[:80]!r} is neither a manifest nor an index that is known here")
    notes = annotations if isinstance(annotations, dict) else {}
    return Document(said, manifests, blobs, notes, about, str(body.get("artifactType") or ""))


def make_index(manifests: Sequence[Descriptor], annotations: Mapping[str, str], *, media: str = INDEX) -> bytes:
    """An index of these manifests; the same ones always make the same bytes."""
    body: dict[str, Any] = {"schemaVersion": 2, "mediaType": media, "manifests": [one.body() for one in manifests]}
    if annotations:
        body["annotations"] = dict(annotations)
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def make_attachment(about: Descriptor, layer: Descriptor, kind: str, annotations: Mapping[str, str]) -> bytes:
    """A manifest that attaches one blob to an image, which its registry then lists among those that refer to it."""
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": {"mediaType": EMPTY, "digest": describe(b"{}", EMPTY).digest, "size": 2},
        "layers": [layer.body()],
        "subject": {"mediaType": about.media, "digest": about.digest, "size": about.size},
        "annotations": dict(annotations),
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parts_of(index: str, read: Callable[[str], bytes]) -> tuple[str, ...]:
    """Digests of everything that belongs to an image, what points to others before them.

    Args:
        index: digest of its manifest or index.
        read: gives the bytes of a manifest or index.

    Raises:
        ValueError: something is neither.
    """
    document = read_document(read(index))
    below = (part for one in document.manifests for part in parts_of(one.digest, read))
    return tuple(dict.fromkeys([index, *below, *(one.digest for one in document.blobs)]))
