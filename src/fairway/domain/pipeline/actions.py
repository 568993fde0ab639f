"""What the tasks of a release do, as data: each says what should be so afterwards, so that it can be done again."""

from dataclasses import dataclass

from fairway.domain.images.spec import ImageSpec
from fairway.domain.pipeline.additions import Additions
from fairway.domain.pipeline.findings import ScanPolicy
from fairway.domain.rollout.spec import Adapter


@dataclass(frozen=True, slots=True)
class AwaitTurn:
    """No other release of the service is under way; those that began to wait earlier go first."""

    @property
    def title(self) -> str:
        """What people read."""
        return "wait for the turn"


@dataclass(frozen=True, slots=True)
class RunSteps:
    """Commands of the user's ended with status 0 in a clean checkout, and their outputs are kept.

    Attributes:
        steps: argument lines, run one after the other without a shell.
        inputs: patterns of the files that the checkout consists of; empty: all files of the commit.
        outputs: patterns of the files that are kept; each must match one at least.
        variables: environment of the commands, sorted by name.
        secrets: names of variables that are passed on from whoever runs the release; never written down.
        timeout: seconds for all steps together.
        cached: the outputs of an earlier execution with the same key are taken in place of a new one.
        versioned: the commands see the release's version and commit, and both are part of the key.
        scan: the commands are those of a scanner, whose report decides in place of its status; None: they are not.
        image: there are no commands but those that build this image, which is kept; None: no image is built.
        images: names of images that lie in the checkout, as `images/NAME` in OCI's layout.
        additions: what commits added lies beside the checkout; None: it does not.
    """

    steps: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    timeout: float = 1800.0
    cached: bool = True
    versioned: bool = True
    scan: ScanPolicy | None = None
    image: ImageSpec | None = None
    images: tuple[str, ...] = ()
    additions: Additions | None = None

    @property
    def title(self) -> str:
        """What people read."""
        if self.image is not None:
            return f"image {self.image.name} of {self.image.file} for {', '.join(self.image.platforms)}"
        beside = "" if self.additions is None else f", with {self.additions.title}"
        return "; ".join(self.steps) + beside


@dataclass(frozen=True, slots=True)
class SealArtifact:
    """The artifact that environments run is built from the commit, or adopted, and sealed."""

    steps: tuple[str, ...]
    timeout: float

    @property
    def title(self) -> str:
        """What people read."""
        return f"seal the service's artifact ({'; '.join(self.steps) or 'no steps'})"


@dataclass(frozen=True, slots=True)
class Attest:
    """Each product has a bill of materials and a provenance, both signed by the key.

    Attributes:
        key: name of the key.
    """

    key: str

    @property
    def title(self) -> str:
        """What people read."""
        return f"bill of materials and provenance, signed by {self.key}"


@dataclass(frozen=True, slots=True)
class CreateTag:
    """The tag stands on the release's commit, in the repository and in the remote one.

    Attributes:
        remote: where it is pushed to; None: nowhere.
    """

    tag: str
    remote: str | None = None

    @property
    def title(self) -> str:
        """What people read."""
        return f"tag {self.tag}" + (f", pushed to {self.remote}" if self.remote else "")


@dataclass(frozen=True, slots=True)
class Publish:
    """Every product that matches is in the registry, with the same bytes.

    Attributes:
        files: patterns of the products' paths.
        registry: the implementation, with its settings.
        images: names of images, for a registry of images.
    """

    files: tuple[str, ...]
    registry: Adapter
    images: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What people read."""
        where = self.registry.get("url") or self.registry.get("repository")
        return f"{', '.join((*self.files, *self.images))} to {self.registry.kind}" + (f" {where}" if where else "")


@dataclass(frozen=True, slots=True)
class Deploy:
    """A rollout brought the sealed artifact to the environment.

    Attributes:
        run: id of that rollout, chosen beforehand, so that there is never a second one.
    """

    environment: str
    run: str

    @property
    def title(self) -> str:
        """What people read."""
        return f"deploy to {self.environment} as {self.run}"


Action = AwaitTurn | RunSteps | SealArtifact | Attest | CreateTag | Publish | Deploy
