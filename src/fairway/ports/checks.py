"""The user's own checks: commands and requests, and checks of a running service."""

from dataclasses import dataclass, field
from typing import Protocol

from fairway.domain.validation.checks import Check, CheckSettings, HttpCheck
from fairway.domain.validation.findings import Finding


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended.

    Attributes:
        status: exit status; negative: the number of the signal that ended it; None: it took too long and was stopped.
        tail: the last lines of its output.
    """

    status: int | None
    tail: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command to be run once.

    Attributes:
        key: names this execution; a second call with the same key runs nothing.
        line: argument line, split like a shell would; no shell runs.
        folder: working folder.
        variables: environment beside PATH, HOME, LANG and TZ.
        timeout: seconds after which it is stopped with its whole process group.
    """

    key: str
    line: str
    folder: str
    variables: tuple[tuple[str, str], ...]
    timeout: float


class CommandRunner(Protocol):
    """Runs commands of the user's beside the caller; they and their results outlive it."""

    def ensure_run(self, command: Command) -> CommandResult | None:
        """Starts the command unless it runs or ran before.

        Returns:
            None while it runs, then its result.

        Raises:
            PermanentError: the program does not exist or may not be run.
            TransientError: it could not be started at the moment.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: HTTP status.
        body: the first 64 KiB of the body as text.
    """

    status: int
    body: str


class HttpProbe(Protocol):
    """Asks a server."""

    def get(self, url: str, *, timeout: float) -> Answer:
        """Sends one GET, follows no redirect.

        Raises:
            TransientError: no connection, no answer in time, or not HTTP; the sentence says which.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where checks are performed.

    Attributes:
        base: the address: scheme, host and port, with a path before all others if there is one.
        settings: what all checks share.
        stable: the address at which the revision to compare with answers; None: there is none.
        version: of the release that answers at `base`; None: unknown.
    """

    base: str
    settings: CheckSettings = field(default_factory=CheckSettings)
    stable: str | None = None
    version: str | None = None


class Checker(Protocol):
    """Performs checks of a running service."""

    def check(self, check: Check | HttpCheck, place: Place) -> tuple[Finding, ...]:
        """Asks, and judges what came; a second call asks again.

        Returns:
            At least one finding. What could not be asked is a finding as well: nothing is raised for it. Secrets
            appear in none.
        """
        ...
