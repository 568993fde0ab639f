"""Products by digest: a file is kept once, read-only, under the digest of its bytes."""

import hashlib
import os
import shutil
from pathlib import Path

from fairway.domain.errors import PermanentError
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
        """The file is kept and its bytes are as its digest says."""
        kept = self.path(product.digest)
        return kept.is_file() and digest_of(kept) == product.digest

    def lay(self, product: Product, folder: Path) -> None:
        """Puts a copy of the product where it was made."""
        place = folder / product.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        shutil.copyfile(self.path(product.digest), place)
        place.chmod(0o755 if product.executable else 0o644)
