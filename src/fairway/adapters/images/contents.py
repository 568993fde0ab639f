"""The packages that lie in an image, by what its layers say: Debian's and Alpine's, Python's and Node's."""

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from fairway.domain.images.manifests import INDEXES, Document, read_document
from fairway.domain.provenance.bill import Component

_TOLD = re.compile(
    r"(?:usr/lib|etc)/os-release|var/lib/dpkg/status(?:\.d/[^/]+)?|lib/apk/db/installed"
    r"|.*\.dist-info/METADATA|(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+/package\.json"
)
#: Larger files of these names are none of packages.
_LARGEST = 32 << 20


def find_packages(index: str, path: Callable[[str], Path]) -> set[Component]:
    """Every package of every platform of an image.

    Args:
        index: digest of its index.
        path: where each part lies.
    """
    found: set[Component] = set()
    for document in _manifests(read_document(path(index).read_bytes()), path):
        told: dict[str, bytes] = {}
        # The configuration comes first; layers lie on each other in their order.
        for layer in document.blobs[1:]:
            for name, content in _told(path(layer.digest)):
                if content is None:
                    told = {other: kept for other, kept in told.items() if other != name and not _below(other, name)}
                else:
                    told[name] = content
        found |= _packages(told)
    return found


def _manifests(document: Document, path: Callable[[str], Path]) -> Iterator[Document]:
    if document.media not in INDEXES:
        yield document
    for one in document.manifests:
        yield from _manifests(read_document(path(one.digest).read_bytes(), one.media), path)


def _told(layer: Path) -> Iterator[tuple[str, bytes | None]]:
    """Files of a layer that tell of packages; None for what it removes. What is no archive holds none."""
    with suppress(tarfile.TarError, OSError, EOFError), tarfile.open(layer) as archive:
        for member in archive:
            place = PurePosixPath(member.name.removeprefix("./").lstrip("/"))
            if place.name == ".wh..wh..opq":
                yield str(place.parent), None
            elif place.name.startswith(".wh."):
                yield str(place.with_name(place.name.removeprefix(".wh."))), None
            elif member.isfile() and member.size <= _LARGEST and _TOLD.fullmatch(str(place)):
                file = archive.extractfile(member)
                if file is not None:
                    yield str(place), file.read()


def _below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _packages(told: dict[str, bytes]) -> set[Component]:
    texts = {name: content.decode("utf-8", errors="replace") for name, content in told.items()}
    release = texts.get("etc/os-release") or texts.get("usr/lib/os-release") or ""
    said = re.search(r'^ID="?([a-z0-9._-]+)', release, re.MULTILINE)
    found: set[Component] = set()
    for name, text in texts.items():
        if name.startswith("var/lib/dpkg/"):
            found.update(_listed(text, "deb", said[1] if said else "debian", ("Package", "Version")))
        elif name == "lib/apk/db/installed":
            found.update(_listed(text, "apk", said[1] if said else "alpine", ("P", "V")))
        elif name.endswith("/METADATA"):
            headers = HeaderParser().parsestr(text)
            if headers["Name"] and headers["Version"]:
                plain = re.sub(r"[-_.]+", "-", str(headers["Name"])).lower()
                found.add(Component("pypi", plain, str(headers["Version"])))
        elif name.endswith("/package.json"):
            with suppress(ValueError, KeyError, TypeError):
                about = json.loads(text)
                found.add(Component("npm", str(about["name"]), str(about["version"])))
    return found


def _listed(text: str, ecosystem: str, vendor: str, fields: tuple[str, str]) -> Iterator[Component]:
    """Packages of a list in paragraphs; what was removed and left its configuration is not there."""
    for paragraph in re.split(r"\n\s*\n", text):
        values = dict(re.findall(r"^([A-Za-z-]+):[ ]?(.*)$", paragraph, re.MULTILINE))
        name, version = (values.get(field, "").strip() for field in fields)
        if name and version and not values.get("Status", "installed").endswith(("config-files", "not-installed")):
            yield Component(ecosystem, f"{vendor}/{name}", version)
