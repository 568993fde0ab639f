"""What the tasks of a release need from the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from fairway.domain.cadence.policy import Passage
from fairway.domain.pipeline.actions import RunSteps
from fairway.domain.pipeline.products import Product
from fairway.ports.artifacts import Commit

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One execution of commands.

    Attributes:
        key: names the place where it happens, unique for a task of a release.
        values: what stands for this task in the matrix, sorted by name.
        laid: products of other tasks that are put into the checkout, where they were made.
    """

    key: str
    commit: Commit
    action: RunSteps
    values: tuple[tuple[str, str], ...] = ()
    laid: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """The commands succeeded.

    Attributes:
        key: the cache key of this execution.
        cached: nothing was run: an earlier execution had the same key.
        report: text of the report, where the commands are those of a scanner; None: there is none.
    """

    products: tuple[Product, ...]
    key: str
    cached: bool
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A command failed, took too long, or did not make what it should.

    Attributes:
        report: as of `Made`: scanners that found something end with a status of their own.
    """

    reason: str
    hint: str = ""
    report: str | None = None


class Workshop(Protocol):
    """Runs jobs in clean checkouts, and keeps what they make by digest."""

    def work(self, job: Job, *, log: Log) -> Made | Broken:
        """Does the job, or finds it done. What an interrupted execution left is ended and removed first.

        Args:
            job: what to do.
            log: receives each line of output as it comes.

        Raises:
            UserError: a variable that is passed on is not set.
            TransientError: the disk is full.
        """
        ...

    def holds(self, product: Product) -> bool:
        """The product is kept, with the bytes that its digest says."""
        ...

    def locate(self, product: Product) -> str:
        """Absolute path of a kept product."""
        ...

    def interrupt(self) -> None:
        """Ends the commands that run; the jobs they belong to come to no result."""
        ...


class Tree(Protocol):
    """The files of a commit."""

    def list_files(self, commit: str) -> tuple[tuple[str, str], ...]:
        """Path, and what changes with its mode or content, of each file, sorted by path."""
        ...


class AddedContent(Protocol):
    """What commits added, whether it is still there or not."""

    def lay(self, commit: str, since: str, folder: str, *, keep: Callable[[str], bool]) -> None:
        """Writes what was added: `COMMIT/PATH` below the folder holds the lines that a commit added to a file.

        Args:
            commit: the last commit that counts.
            since: the commit whose history does not count; empty: all of it does.
            folder: an empty one.
            keep: says of a path whether it counts.

        Raises:
            PermanentError: a commit is not there, or the history is not whole.
            TransientError: the disk is full.
        """
        ...


@dataclass(frozen=True, slots=True)
class Execution:
    """Commands in a checkout.

    Attributes:
        folder: absolute path of the checkout, which `prepare` made.
        variables: beside those that every build has.
        secrets: values that must never be seen.
        log: absolute path of the file that keeps the output.
    """

    folder: str
    commit: Commit
    steps: tuple[str, ...]
    variables: Mapping[str, str]
    secrets: tuple[str, ...]
    timeout: float
    log: str
    versioned: bool = True


class Checkouts(Protocol):
    """Clean checkouts, and commands in them."""

    def prepare(self, folder: str, commit: str, *, keep: Callable[[str], bool]) -> None:
        """Makes the folder a checkout with those files of the commit that are kept; what was there is removed."""
        ...

    def run(self, execution: Execution, *, receive: Log) -> Broken | None:
        """Runs the commands one after the other; None if all succeeded."""
        ...

    def clear(self, folder: str) -> None:
        """Ends what still runs in the folder, and removes it."""
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """A product on its way to a registry.

    Attributes:
        location: absolute path of its bytes.
        version: the version being released.
        envelopes: the signed statements about it, as they are written down; for registries that can hold them.
    """

    product: Product
    location: str
    version: str
    envelopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """What a registry has under the name of a parcel.

    Attributes:
        state: `other`: something with the same name and other bytes.
        name: what the registry calls it.
        detail: address or digest there, in words.
    """

    state: Literal["absent", "same", "other"]
    name: str
    detail: str = ""


class Registry(Protocol):
    """A place that products are published to."""

    def observe(self, parcel: Parcel) -> Presence:
        """What is there now under the parcel's name.

        Raises:
            TransientError: the registry did not answer.
            UserError: the file is nothing that this registry takes; a name or password is missing.
            PermanentError: the registry refuses to say.
        """
        ...

    def publish(self, parcel: Parcel) -> None:
        """Sends the parcel, which was not there when it was looked at.

        Raises:
            TransientError: it was not sent.
            AmbiguousError: it was sent, but no answer came.
            PermanentError: the registry refuses it.
        """
        ...


class Tags(Protocol):
    """The tags of a repository and of its remotes."""

    def observe(self, tag: str, *, remote: str | None = None) -> str | None:
        """The commit that the tag stands on, here or in a remote repository; None if there is none.

        Raises:
            TransientError: the remote repository did not answer.
        """
        ...

    def create(self, tag: str, commit: str, *, message: str) -> None:
        """Makes an annotated tag."""
        ...

    def push(self, tag: str, remote: str) -> None:
        """Sends the tag; never replaces one.

        Raises:
            PermanentError: the remote repository refuses it.
            TransientError: it did not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class RolloutState:
    """What a rollout that a release began has come to.

    Attributes:
        outcome: `completed`, `rolled-back`, `superseded`; None while it is under way.
        waits: for whom or what it waits, in words; empty if it does not.
    """

    outcome: str | None
    reason: str
    waits: str = ""


class Deployments(Protocol):
    """Rollouts that a release begins."""

    def ensure_started(
        self, run: str, *, digest: str, environment: str, actor: str, passage: Passage | None = None
    ) -> str | None:
        """Begins the rollout of the sealed artifact under this id, unless it has begun.

        Args:
            run: its id.
            digest: of the artifact.
            environment: where to.
            actor: who released it.
            passage: why it may begin although it is not the time for it; None: it may not.

        Returns:
            None if it is under way or over; else why it does not begin, in one sentence.
        """
        ...

    def observe(self, run: str) -> RolloutState | None:
        """What it has come to; None if it never began."""
        ...
