"""What the user configured under `release`, as frozen values. Made by `fairway.config`."""

from dataclasses import dataclass
from typing import Literal

from fairway.domain.images.spec import ImageSpec
from fairway.domain.pipeline.additions import Additions
from fairway.domain.pipeline.findings import ScanPolicy
from fairway.domain.rollout.spec import Adapter

TaskStage = Literal["build", "test", "security"]


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task of the user's, before its matrix is spread out. The other attributes are those of `RunSteps`.

    Attributes:
        needs: names of tasks whose outputs it gets and whose end it waits for; None: all tasks of the stages before.
        matrix: each variable with its values; a task is made for each combination.
        exclude: combinations that are left out: each leaves out all that agree with it.
    """

    name: str
    stage: TaskStage
    steps: tuple[str, ...]
    needs: tuple[str, ...] | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    timeout: float = 1800.0
    cached: bool = True
    versioned: bool = True
    scan: ScanPolicy | None = None
    matrix: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[tuple[tuple[str, str], ...], ...] = ()
    image: ImageSpec | None = None
    additions: Additions | None = None

    @property
    def section(self) -> str:
        """The key below `release` under which it stands."""
        return self.stage if self.image is None else "images"


@dataclass(frozen=True, slots=True)
class PublishSpec:
    """A registry that products go to.

    Attributes:
        files: patterns of the products' paths.
        images: names of images.
        after: names of others that must have everything before; in a workspace, those of the members it depends on.
        workspace: kind of the workspace whose members go there, each as an entry of its own; empty: none.
        changed: of those only the members that have changed since the last release.
    """

    name: str
    registry: Adapter
    files: tuple[str, ...]
    after: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    workspace: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """How a release is made.

    Attributes:
        tag: name of the tag, with `{version}` in it.
        push: the remote that the tag is pushed to; None: none.
        key: name of the key that signs; None: nothing is signed.
        artifact: the service's own artifact, which environments run, is sealed as part of the release.
        parallel: how many tasks run at the same time.
        patience: seconds for which a task is tried against errors that may pass.
    """

    tasks: tuple[TaskSpec, ...] = ()
    publish: tuple[PublishSpec, ...] = ()
    tag: str = "v{version}"
    push: str | None = None
    key: str | None = None
    artifact: bool = True
    parallel: int = 2
    patience: float = 60.0
