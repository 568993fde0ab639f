"""The plan of a release: its tasks and their order, computed once and stored when the release starts."""

from dataclasses import dataclass
from typing import Literal

from fairway.domain.cadence.policy import Passage
from fairway.domain.pipeline.actions import Action
from fairway.domain.rollout.spec import Adapter

Stage = Literal["queue", "build", "test", "security", "attest", "publish", "deploy"]

#: The stages in their order. A task of the user's may stand in the first three that have commands.
STAGES: tuple[Stage, ...] = ("queue", "build", "test", "security", "attest", "publish", "deploy")


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work.

    Attributes:
        id: unique within the plan, of `[a-z0-9.-]`.
        needs: ids of the tasks that must be done before.
        values: what stands for this task in the matrix, sorted by name.
        name: what the user called it, the same for all combinations; empty for tasks that Fairway adds.
    """

    id: str
    stage: Stage
    action: Action
    needs: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What a release will do.

    Attributes:
        version: the version being released.
        tag: its tag.
        commit: full object name of the commit.
        origin: where the commit comes from, as the provenance says it; empty if the repository has no remote.
        tasks: in the order of the stages; each stands behind all that it needs.
        skipped: stages without a task, each with the reason.
        parallel: how many tasks run at the same time.
        patience: seconds for which a task is tried against errors that may pass.
        notify: where messages about this release go.
        branch: the branch that it was released from, where a branch policy asked for one.
        passage: why it began although it was not the time for it; None: nobody had to say.
        train: the train that it left with; empty: a person's word.
    """

    service: str
    version: str
    tag: str
    commit: str
    origin: str
    tasks: tuple[Task, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    parallel: int = 2
    patience: float = 60.0
    notify: tuple[Adapter, ...] = ()
    branch: str = ""
    passage: Passage | None = None
    train: str = ""

    def find(self, task: str) -> Task:
        """The task of that id.

        Raises:
            KeyError: there is none.
        """
        for one in self.tasks:
            if one.id == task:
                return one
        raise KeyError(task)
