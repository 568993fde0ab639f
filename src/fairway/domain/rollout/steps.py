"""The steps that plans are made of: each one idempotent unit, as data.

A step says what should be so afterwards, never how to change it, so that it can be performed again after a crash.
"""

from dataclasses import dataclass, field
from typing import Literal

from fairway.domain.recovery.steps import RecoveryStep
from fairway.domain.rollout.routes import Mirror
from fairway.domain.validation.checks import Check, CheckSettings, HttpCheck

#: In a run that keeps what is live, the candidate is called what it is.
Role = Literal["candidate", "stable", "baseline", "live release"]


@dataclass(frozen=True, slots=True)
class VerifyArtifact:
    """The candidate's artifact is kept, unaltered and not quarantined."""

    @property
    def title(self) -> str:
        """What people read."""
        return "verify the artifact"


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command of the user's ended with status 0. After a crash it may run a second time."""

    command: str
    timeout: float

    @property
    def title(self) -> str:
        """What people read."""
        return f"run {self.command}"


@dataclass(frozen=True, slots=True)
class CheckHttp:
    """The checks of the running service found nothing.

    Attributes:
        where: `preview` is the candidate's own address, `public` the one that users connect to.
        settings: what the checks share.
    """

    checks: tuple[HttpCheck | Check, ...]
    where: Literal["preview", "public"]
    timeout: float
    settings: CheckSettings = field(default_factory=CheckSettings)

    @property
    def title(self) -> str:
        """What people read."""
        many = "" if len(self.checks) == 1 else "s"
        plain = all(isinstance(check, HttpCheck) for check in self.checks)
        noun = f"request{many} to" if plain else f"check{many} of"
        return f"{len(self.checks)} {noun} the {self.where} address"


@dataclass(frozen=True, slots=True)
class AwaitApprovals:
    """So many different people have approved."""

    count: int

    @property
    def title(self) -> str:
        """What people read."""
        return f"wait for {self.count} approval{'s' if self.count > 1 else ''}"


@dataclass(frozen=True, slots=True)
class SaveState:
    """Configuration and routing as they are before the change are in the journal."""

    @property
    def title(self) -> str:
        """What people read."""
        return "save configuration and routing"


@dataclass(frozen=True, slots=True)
class ShowScripts:
    """The database scripts that were prepared have been shown; Fairway never runs them by itself."""

    scripts: tuple[str, ...]

    @property
    def title(self) -> str:
        """What people read."""
        return "show the prepared database scripts"


@dataclass(frozen=True, slots=True)
class Scale:
    """A revision has so many instances; surplus ones were drained before they were stopped."""

    role: Role
    count: int

    @property
    def title(self) -> str:
        """What people read."""
        if self.count == 0:
            return f"{'stop' if self.role == 'live release' else 'retire'} the {self.role}"
        return f"{self.count} instance{'s' if self.count > 1 else ''} of the {self.role}"


@dataclass(frozen=True, slots=True)
class AwaitReady:
    """So many instances of a revision are ready.

    Attributes:
        timeout: seconds after which the step has failed.
    """

    role: Role
    count: int
    timeout: float

    @property
    def title(self) -> str:
        """What people read."""
        return f"{self.role} ready"


@dataclass(frozen=True, slots=True)
class Shift:
    """The router sends this share of requests, in percent, to the candidate and the rest to stable."""

    weight: float

    @property
    def title(self) -> str:
        """What people read."""
        return f"weight {self.weight:g} %" if self.weight else "weight 0 %, reached by its own address only"


@dataclass(frozen=True, slots=True)
class Copy:
    """The router sends copies of users' requests to the candidate, which has no weight."""

    mirror: Mirror

    @property
    def title(self) -> str:
        """What people read."""
        return f"copy {self.mirror.share:g} % of the {'requests' if self.mirror.unsafe else 'requests that only read'}"


@dataclass(frozen=True, slots=True)
class Watch:
    """The candidate was watched for so many seconds and nothing spoke against it.

    Attributes:
        seconds: time really watched; pauses, holds and outages of the metrics do not count. The deadline, where the
            watch may end before.
        weight: the candidate's share of requests meanwhile.
        purpose: `bake`: requests must have shown that the candidate is good, `rehearse`: so must copies of them, at a
            weight of 0. `settle`, and `observe` after the
            promotion: nothing must have spoken against it, also where nobody asked for anything.
        least: seconds watched from which on a bake ends as soon as the candidate is shown to be good enough; without
            that it has no answer at its deadline. None: time decides.
    """

    seconds: float
    weight: float
    purpose: Literal["rehearse", "bake", "settle", "observe"]
    least: float | None = None

    @property
    def title(self) -> str:
        """What people read."""
        title = "rehearse with these copies" if self.purpose == "rehearse" else f"{self.purpose} at {self.weight:g} %"
        return title if self.least is None else f"{title} until it is shown to be good"


@dataclass(frozen=True, slots=True)
class Promote:
    """The candidate is the environment's live revision from here on."""

    @property
    def title(self) -> str:
        """What people read."""
        return "promote"


@dataclass(frozen=True, slots=True)
class Announce:
    """The receivers of messages are told how it ended; the outbox delivers."""

    receivers: int

    @property
    def title(self) -> str:
        """What people read."""
        return f"tell {self.receivers} receiver{'s' if self.receivers > 1 else ''}"


Step = (
    VerifyArtifact
    | RunCommand
    | CheckHttp
    | AwaitApprovals
    | SaveState
    | ShowScripts
    | Scale
    | AwaitReady
    | Shift
    | Copy
    | Watch
    | Promote
    | Announce
    | RecoveryStep
)
