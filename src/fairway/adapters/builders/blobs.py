"""Products by digest: a file is kept once, read-only, under the digest of its bytes."""

import hashlib
import os
import shutil
from pathlib import Path

from fairway.domain.errors import PermanentError
from fairway.domain.images.manifests import Descriptor, describe, make_index, parts_of, read_document
from fairway.domain.images.spec import platform_layout
from fairway.domain.pipeline.products import Product

_CHUNK = 1 << 20


def digest_of(path: Path) -> str:
    """`sha256:<64 hex digits>` of a file's bytes."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return f"sha256:{hasher.hexdigest()}"


class Blobs:
    """The kept files of one project.

    Args:
        folder: where they lie; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where a file with this digest lies, if it is kept."""
        return self._folder / digest.removeprefix("sha256:")

    def keep(self, path: Path, shown: str) -> Product:
        """Keeps a copy of the file; `shown` is its path as the product has it."""
        status = path.stat()
        digest = digest_of(path)
        kept = self.path(digest)
        if not kept.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f".{kept.name}.{os.getpid()}.{path.stat().st_ino}"
            shutil.copyfile(path, draft)
            if digest_of(draft) != digest:
                draft.unlink()
                raise PermanentError("output-changing", f'"{path}" was changed while it was copied')
            draft.chmod(0o444)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.rename(kept)
        return Product(shown, digest, status.st_size, bool(status.st_mode & 0o100))

    def holds(self, product: Product) -> bool:
        """The file, or every part of the image, is kept and its bytes are as its digest says."""
        try:
            digests = parts_of(product.digest, self._read) if product.kind == "image" else (product.digest,)
        except (OSError, ValueError):
            return False
        return all((kept := self.path(one)).is_file() and digest_of(kept) == one for one in digests)

    def _read(self, digest: str) -> bytes:
        return self.path(digest).read_bytes()

    def lay(self, product: Product, folder: Path) -> None:
        """Puts a copy of the product where it was made; an image as OCI's layout, below `images`."""
        if product.kind == "image":
            self._lay_image(product, folder / "images" / product.path)
            return
        place = folder / product.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        shutil.copyfile(self.path(product.digest), place)
        place.chmod(0o755 if product.executable else 0o644)

    def _lay_image(self, product: Product, folder: Path) -> None:
        # https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for digest in parts_of(product.digest, self._read):
            place = blobs / digest.removeprefix("sha256:")
            place.unlink(missing_ok=True)
            shutil.copyfile(self.path(digest), place)
        content = self._read(product.digest)
        document = read_document(content)
        _name_in_layout(folder, describe(content, document.media))
        for one in document.manifests:
            alone = folder.with_name(platform_layout(folder.name, one.platform))
            alone.mkdir(exist_ok=True)
            (alone / "blobs").unlink(missing_ok=True)
            (alone / "blobs").symlink_to(f"../{folder.name}/blobs")
            _name_in_layout(alone, one)


def _name_in_layout(folder: Path, named: Descriptor) -> None:
    """Says that the layout in this folder holds this, and nothing else."""
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_bytes(make_index([named], {}))
