"""Images as they lie in the checkouts of tasks that need them."""

import json

from fairway.adapters.builders.blobs import Blobs
from fairway.adapters.images.layout import Layout
from fairway.domain.images.manifests import INDEX, MANIFEST
from fairway.domain.pipeline.products import Product
from image_tools import make_image


def named(folder):
    """Media type and platform of what the layout in a folder names."""
    (one,) = json.loads((folder / "index.json").read_text())["manifests"]
    return one["mediaType"], one.get("platform", {}).get("architecture")


def test_an_image_lies_there_as_a_whole_and_for_each_platform_alone(tmp_path):
    digest = make_image(tmp_path / "kept", "shop")
    product = Product("shop", digest, 1, kind="image")
    checkout = tmp_path / "checkout"
    # A second time, as after a task that was interrupted, changes nothing.
    for _ in range(2):
        Blobs(tmp_path / "kept").lay(product, checkout)
    assert named(checkout / "images/shop") == (INDEX, None)
    assert len(list(Layout(checkout / "images/shop").manifests())) == 2
    for architecture in ("amd64", "arm64"):
        folder = checkout / f"images/shop.linux-{architecture}"
        assert named(folder) == (MANIFEST, architecture)
        assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
        ((descriptor, document),) = Layout(folder).manifests()
        parts = Layout(folder).parts(descriptor)
        assert Layout(folder).read(parts[1].digest) == f"shop for {architecture}".encode()
        assert len(document.blobs) == 2
