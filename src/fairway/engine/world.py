"""What the engine acts through, for one service and environment."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.rollout.events import Event
from fairway.ports.artifacts import ArtifactStore
from fairway.ports.checks import Checker, CommandRunner, HttpProbe
from fairway.ports.databases import Backups, Database
from fairway.ports.journal import Records
from fairway.ports.metrics import Conditions, MetricSource
from fairway.ports.router import Router
from fairway.ports.target import Target


@dataclass(frozen=True, slots=True)
class World:
    """The implementations of the ports that one run needs."""

    target: Target
    router: Router
    artifacts: ArtifactStore
    commands: CommandRunner
    probe: HttpProbe
    records: Records
    checker: Checker
    metrics: MetricSource | None = None
    conditions: Conditions | None = None
    backups: Backups | None = None
    database_of: Callable[[DatabaseSpec], Database] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The step's condition holds.

    Attributes:
        events: facts to write down after that.
    """

    detail: str = ""
    data: dict[str, Any] | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """Not yet; ask again.

    Attributes:
        again: seconds until then.
        events: facts to write down meanwhile.
    """

    again: float
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The step's condition cannot be reached: the answer is no.

    Attributes:
        rule: stable code of what decided.
    """

    rule: str
    reason: str


Outcome = Finished | Pending | Refused
