"""Images by buildah, podman or docker, whichever is there; implements `ImageBuilder`.

The program builds and writes one image for each platform, in OCI's layout; the index over them is made here, so that
the same images make the same digest whichever program it was.
"""

import hashlib
import json
import os
import shlex
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairway.adapters.images.docker_archive import complete_layout
from fairway.adapters.images.layout import Layout, LayoutError
from fairway.domain.errors import UserError
from fairway.domain.images.manifests import MANIFEST, Descriptor, describe, make_index, platform_body, platform_of
from fairway.domain.images.spec import BUILDERS, BuilderName, ImageSpec, show_size
from fairway.ports.images import BuiltImage, ImageBuilder, Recipe
from fairway.ports.pipeline import Broken

#: What these programs are told by the environment: where they keep images, how they isolate, who signs in.
_PASSED = (
    *("BUILDAH_ISOLATION", "STORAGE_DRIVER", "STORAGE_OPTS", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"),
    *("CONTAINERS_REGISTRIES_CONF", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "CONTAINER_HOST"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_BUILDKIT"),
)


class LocalImageBuilder(ImageBuilder):
    """Builds with a program of this machine.

    Args:
        environment: where the program is looked for, and what it is told.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def prepare(self, image: ImageSpec, *, folder: str, annotations: Mapping[str, str]) -> Recipe:
        """One build and one layout for each platform; what the program keeps of it is removed again."""
        program = self._find(image.builder)
        steps: list[str] = []
        for number, platform in enumerate(image.platforms):
            # Unique to this job, because programs share what they keep between all that call them.
            name = f"localhost/fairway-{hashlib.sha256(folder.encode()).hexdigest()[:16]}:{number}"
            steps.append(shlex.join(_build(program, image, platform, name, annotations)))
            place = f"{folder}/{number}"
            if program == "docker":
                steps.append(shlex.join([program, "save", "--output", f"{place}.tar", name]))
            else:
                steps.append(shlex.join([program, "push", "--quiet", name, f"oci:{place}:image"]))
            steps.append(shlex.join([program, "rmi", name]))
        variables = {one: self._environment[one] for one in _PASSED if self._environment.get(one)}
        if program == "docker":
            # Its older builder knows no platforms, and builds for that of its daemon without a word.
            variables = {"DOCKER_BUILDKIT": "1", **variables}
        return Recipe(tuple(steps), variables)

    def assemble(self, image: ImageSpec, *, folder: str, annotations: Mapping[str, str]) -> BuiltImage | Broken:
        """One index over the images of all platforms."""
        files: dict[str, Path] = {}
        manifests: list[Descriptor] = []
        for number, platform in enumerate(image.platforms):
            try:
                layout = Layout(_unpacked(Path(folder) / str(number)))
                descriptor = _of_platform(layout, platform)
                parts = layout.parts(descriptor)
            except LayoutError as error:
                return Broken(
                    f"the image for {platform} is not what was asked for: {error}", "see the log of the build"
                )
            size = sum(part.size for part in parts[:-1])
            if image.budget is not None and size > image.budget:
                return _too_large(image, platform, size, parts[1:-1])
            files |= {part.digest: layout.path(part.digest) for part in parts}
            body = {"platform": platform_body(platform)}
            manifests.append(Descriptor(descriptor.media, descriptor.digest, descriptor.size, platform, body))
        content = make_index(manifests, annotations)
        index = describe(content, "")
        place = Path(folder) / index.digest.removeprefix("sha256:")
        place.write_bytes(content)
        files[index.digest] = place
        total = sum(path.stat().st_size for path in files.values())
        return BuiltImage(index.digest, total, tuple(str(path) for path in files.values()))

    def _find(self, wanted: BuilderName | None) -> BuilderName:
        path = self._environment.get("PATH", os.defpath)
        names = BUILDERS if wanted is None else (wanted,)
        found = next((name for name in names if shutil.which(name, path=path)), None)
        if found is None:
            sentence = f"no program that builds images is there: looked for {', '.join(names)} on the PATH"
            raise UserError("no-image-builder", sentence, "install buildah, or name another one: images.NAME.builder")
        return found


def _build(
    program: BuilderName, image: ImageSpec, platform: str, name: str, annotations: Mapping[str, str]
) -> list[str]:
    words: list[str] = [program, "build", "--platform", platform, "--file", image.file, "--tag", name]
    if program != "docker":
        # The time of the build would give every build another digest.
        words += ["--timestamp", "0", "--layers=false", "--format", "oci"]
    for key, value in annotations.items():
        words += ["--label", f"{key}={value}"]
    for key, value in image.arguments:
        words += ["--build-arg", f"{key}={value}"]
    if image.target is not None:
        words += ["--target", image.target]
    return [*words, image.context]


def _of_platform(layout: Layout, platform: str) -> Descriptor:
    """The one manifest of a layout that is for the platform, as its configuration says.

    Raises:
        LayoutError: there is none.
    """
    seen = []
    for descriptor, document in layout.manifests():
        config: Any = json.loads(layout.read(document.blobs[0].digest))
        found = platform_of(config)
        if found == platform or found.startswith(f"{platform}/"):
            return Descriptor(descriptor.media or MANIFEST, descriptor.digest, descriptor.size, found)
        seen.append(found or "no platform")
    raise LayoutError(f"it is for {', '.join(seen) or 'nothing'}")


def _too_large(image: ImageSpec, platform: str, size: int, layers: tuple[Descriptor, ...]) -> Broken:
    largest = sorted(layers, key=lambda part: part.size, reverse=True)[:3]
    shown = ", ".join(f"{show_size(part.size)} ({part.digest[7:19]})" for part in largest)
    reason = (
        f"image {image.name} for {platform} has {show_size(size)}, more than its budget of "
        f"{show_size(image.budget or 0)}; its largest layers: {shown}"
    )
    return Broken(reason, f"make it smaller, or raise release.images.{image.name}.budget")


def _unpacked(place: Path) -> Path:
    """The folder of a layout; docker saves it in an archive."""
    archive = place.with_suffix(".tar")
    if not place.exists() and archive.exists():
        try:
            with tarfile.open(archive) as file:
                file.extractall(place, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise LayoutError(f"{archive.name} cannot be unpacked: {error}") from error
    complete_layout(place)
    return place
