"""Images as docker saved them before version 25, made into OCI's layout: the same configuration and layers.

https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from fairway.adapters.images.layout import LayoutError
from fairway.domain.images.manifests import CONFIG, MANIFEST, Descriptor, describe, make_index

#: A layer that is not compressed.
_LAYER = "application/vnd.oci.image.layer.v1.tar"


def complete_layout(folder: Path) -> None:
    """Makes an unpacked archive a layout of the images in it; where it is one already, nothing is done.

    Raises:
        LayoutError: it is neither.
    """
    if (folder / "oci-layout").exists():
        return
    try:
        listed = json.loads((folder / "manifest.json").read_bytes())
        manifests = [_manifest(folder, one) for one in listed]
    except FileNotFoundError as error:
        raise LayoutError("there is no OCI layout, nor what docker saves") from error
    except (OSError, ValueError, RecursionError, LookupError, TypeError) as error:
        raise LayoutError(f"manifest.json cannot be read: {error}") from error
    (folder / "index.json").write_bytes(make_index(manifests, {}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def _manifest(folder: Path, image: dict[str, Any]) -> Descriptor:
    """Keeps the parts of an image under their digests, and what points to them."""
    config = _keep(folder, image["Config"], CONFIG)
    layers = [_keep(folder, name, _LAYER) for name in image["Layers"] or ()]
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.body(),
        "layers": [one.body() for one in layers],
    }
    content = json.dumps(body, separators=(",", ":")).encode()
    described = describe(content, MANIFEST)
    _place(folder, described.digest).write_bytes(content)
    return described


def _keep(folder: Path, name: str, media: str) -> Descriptor:
    """A copy by digest: a layer that occurs twice is a link to the first one in some archives."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r} leads out of the archive")
    with path.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    place = _place(folder, digest)
    place.unlink(missing_ok=True)
    place.hardlink_to(path)
    return Descriptor(media, digest, path.stat().st_size)


def _place(folder: Path, digest: str) -> Path:
    place = folder / "blobs" / digest.replace(":", "/")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
