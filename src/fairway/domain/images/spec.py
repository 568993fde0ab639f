"""What a release builds as an image, and how large it may be."""

import re
from dataclasses import dataclass
from typing import Literal

BuilderName = Literal["buildah", "podman", "docker"]
#: In the order in which they are looked for: the first two need no daemon.
BUILDERS: tuple[BuilderName, ...] = ("buildah", "podman", "docker")

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
_SIZE = re.compile(r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,3})?) ?(?P<unit>[A-Za-z]*)")


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """An image for one or more platforms.

    Attributes:
        name: what the release calls it.
        file: path of the Containerfile in the checkout.
        context: folder that it is built from, in the checkout.
        platforms: such as `linux/arm64`; each at most once.
        arguments: of the Containerfile, sorted by name.
        target: the stage that is built; None: the last one.
        budget: bytes that a platform's layers and configuration may have as they are pulled; None: any.
        builder: None: whichever is there.
    """

    name: str
    file: str = "Containerfile"
    context: str = "."
    platforms: tuple[str, ...] = ("linux/amd64",)
    arguments: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    budget: int | None = None
    builder: BuilderName | None = None


def platform_layout(image: str, platform: str) -> str:
    """The folder below `images` in which an image lies for one platform alone, as most scanners want it."""
    return f"{image}.{platform.replace('/', '-')}"


def parse_size(text: str) -> int | None:
    """Bytes of a size with its unit, such as `25MB` or `1.5 GiB`; None if it is no size."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or found["unit"].upper() not in _UNITS:
        return None
    return round(float(found["number"]) * _UNITS[found["unit"].upper()])


def show_size(size: int) -> str:
    """Bytes as people write them, by thousands."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
