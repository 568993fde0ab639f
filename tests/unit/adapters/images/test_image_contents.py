"""What lies in an image, read out of layers as builders write them."""

import hashlib
import io
import json
import tarfile

import pytest

from fairway.adapters.images.contents import find_packages

DPKG = """\
Package: curl
Status: install ok installed
Version: 7.88.1-10+deb12u12
Description: words
 more: words

Package: gone
Status: deinstall ok config-files
Version: 1.0
"""
APK = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\n\nP:busybox\nV:1.36.1-r29\n"


class Image:
    """An image of layers, each made of texts by path."""

    def __init__(self, folder):
        self.folder = folder

    def keep(self, content):
        name = hashlib.sha256(content).hexdigest()
        (self.folder / name).write_bytes(content)
        return {"digest": f"sha256:{name}", "size": len(content)}

    def layer(self, files, mode):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode=mode) as archive:
            for path, text in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        return {"mediaType": "application/vnd.oci.image.layer.v1.tar", **self.keep(raw.getvalue())}

    def packages(self, *layers, mode="w:gz"):
        body = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **self.keep(b"{}")},
            "layers": [self.layer(files, mode) for files in layers],
        }
        manifest = {"mediaType": body["mediaType"], **self.keep(json.dumps(body).encode())}
        index = {"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}
        found = find_packages(
            self.keep(json.dumps(index).encode())["digest"], lambda digest: self.folder / digest.removeprefix("sha256:")
        )
        return sorted(one.url for one in found)


@pytest.fixture
def image(tmp_path):
    return Image(tmp_path)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_packages_of_the_system_are_named_with_their_vendor(image, mode):
    found = image.packages({"etc/os-release": "NAME=x\nID=debian\n", "var/lib/dpkg/status": DPKG}, mode=mode)
    assert found == ["pkg:deb/debian/curl@7.88.1-10%2Bdeb12u12"]
    found = image.packages({"./lib/apk/db/installed": APK}, mode=mode)
    assert found == ["pkg:apk/alpine/busybox@1.36.1-r29", "pkg:apk/alpine/musl@1.2.5-r0"]


def test_packages_of_python_and_node_are_found_wherever_they_lie(image):
    metadata = "Metadata-Version: 2.1\nName: Typing_Extensions\nVersion: 4.12.2\n\nwords\n"
    module = '{"name": "@acme/tools", "version": "2.0.0"}'
    found = image.packages(
        {
            "opt/venv/lib/python3.11/site-packages/typing_extensions-4.12.2.dist-info/METADATA": metadata,
            "app/node_modules/@acme/tools/package.json": module,
            "app/package.json": '{"name": "shop", "version": "1.0.0"}',
            "app/node_modules/broken/package.json": "{",
        }
    )
    assert found == ["pkg:npm/%40acme/tools@2.0.0", "pkg:pypi/typing-extensions@4.12.2"]


def test_what_a_later_layer_replaces_or_removes_is_not_there(image):
    old, new = (DPKG.replace("7.88.1-10+deb12u12", version) for version in ("1.0", "2.0"))
    assert image.packages({"var/lib/dpkg/status": old}, {"var/lib/dpkg/status": new}) == ["pkg:deb/debian/curl@2.0"]
    module = {"app/node_modules/a/package.json": '{"name": "a", "version": "1.0.0"}'}
    assert image.packages(module, {"app/.wh.node_modules": ""}) == []
    assert image.packages(module, {"app/node_modules/.wh..wh..opq": ""}) == []
    assert image.packages(module, {"./.wh.app": ""}) == []


def test_a_layer_that_is_no_archive_holds_no_packages(image):
    image.layer = lambda files, mode: {"mediaType": "x", **image.keep(b"words")}
    assert image.packages({}) == []
