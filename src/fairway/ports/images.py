"""Building container images, and the registries that they lie in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fairway.domain.images.manifests import Descriptor
from fairway.domain.images.reference import Reference
from fairway.domain.images.spec import ImageSpec
from fairway.domain.provenance.envelope import Envelope
from fairway.ports.pipeline import Broken


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an image is built on this machine.

    Attributes:
        steps: argument lines, run one after the other in the checkout.
        variables: that they need, beside those that every build has.
    """

    steps: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image in files.

    Attributes:
        digest: of its index, `sha256:<64 hex digits>`.
        size: bytes of all of its parts together; what platforms share counts once.
        files: absolute paths of its parts, the index last.
    """

    digest: str
    size: int
    files: tuple[str, ...]


class ImageBuilder(Protocol):
    """Builds images by a program of this machine."""

    def prepare(self, image: ImageSpec, *, folder: str, annotations: Mapping[str, str]) -> Recipe:
        """What has to be run in the checkout.

        Args:
            image: what to build.
            folder: absolute path of a folder that the steps write to, empty at the beginning.
            annotations: what the image says about itself.

        Raises:
            UserError: no program that builds images is there.
        """
        ...

    def assemble(self, image: ImageSpec, *, folder: str, annotations: Mapping[str, str]) -> BuiltImage | Broken:
        """Makes one index of what the steps wrote to the folder; broken: it is too large, or not what was asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was copied.

    Attributes:
        digest: of the image, at both places.
        sent: parts that were not there yet.
        present: parts that were.
    """

    digest: str
    sent: int
    present: int


class ImageRegistries(Protocol):
    """The registries that references name."""

    def resolve(self, reference: Reference) -> Descriptor | None:
        """What the tag or digest stands for now; None if there is nothing.

        Raises:
            TransientError: the registry did not answer.
            PermanentError: it refuses, or answers with something that is no image.
        """
        ...

    def read(self, reference: Reference) -> bytes:
        """The manifest or index of that digest, checked against it.

        Raises:
            As `resolve` does.
        """
        ...

    def list_envelopes(self, reference: Reference) -> Sequence[Envelope]:
        """The signed statements that are attached to the image of that digest.

        Raises:
            As `resolve` does.
        """
        ...

    def copy(self, source: Reference, target: Reference) -> Transfer:
        """Brings the image of that digest, and what is attached to it, to another place; its tag comes last.

        Parts that are there are not sent again, so that a second call goes on where one stopped.

        Raises:
            PermanentError: code `published-otherwise`: the tag stands for something else there.
            As `resolve` does.
        """
        ...


class ImageParts(Protocol):
    """Where the parts of an image are read from."""

    def read(self, digest: str) -> bytes:
        """A manifest or an index, as a whole."""
        ...

    def stream(self, part: Descriptor) -> Iterator[bytes]:
        """A configuration or a layer, in pieces."""
        ...
