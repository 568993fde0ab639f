"""Images in OCI's layout: a folder of parts by digest, and an index that names what is in it.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fairway.domain.images.manifests import INDEX, MANIFESTS, Descriptor, Document, read_document


class LayoutError(Exception):
    """What is wrong with a layout, in words."""


class Layout:
    """The layout in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where a part lies."""
        return self._folder / "blobs" / digest.replace(":", "/")

    def read(self, digest: str) -> bytes:
        """A part, checked.

        Raises:
            LayoutError: it is not there, or not what it should be.
        """
        try:
            content = self.path(digest).read_bytes()
        except OSError as error:
            raise LayoutError(f"{digest} is missing") from error
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise LayoutError(f"{digest} has other bytes")
        return content

    def manifests(self) -> Iterator[tuple[Descriptor, Document]]:
        """The manifests of images, also those below indexes.

        Raises:
            LayoutError: it is no layout.
        """
        try:
            top = read_document((self._folder / "index.json").read_bytes(), INDEX)
        except (OSError, ValueError) as error:
            raise LayoutError(f"index.json cannot be read: {error}") from error
        yield from self._below(top)

    def _below(self, document: Document) -> Iterator[tuple[Descriptor, Document]]:
        for one in document.manifests:
            try:
                inner = read_document(self.read(one.digest), one.media)
            except ValueError as error:
                raise LayoutError(f"{one.digest}: {error}") from error
            if inner.media in MANIFESTS:
                # Provenance that docker adds is no image.
                if inner.blobs and one.platform != "unknown/unknown":
                    yield one, inner
            else:
                yield from self._below(inner)

    def parts(self, manifest: Descriptor) -> tuple[Descriptor, ...]:
        """Configuration and layers, and the manifest last.

        Raises:
            LayoutError: one is not there, or not as large as it should be.
        """
        document = read_document(self.read(manifest.digest), manifest.media)
        for part in document.blobs:
            path = self.path(part.digest)
            if not path.is_file() or path.stat().st_size != part.size:
                raise LayoutError(f"{part.digest} is missing")
        return (*document.blobs, manifest)
