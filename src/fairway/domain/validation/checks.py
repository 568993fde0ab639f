"""Checks as data: what is asked and what must come. Made by `fairway.config`, kept in plans, performed by adapters.

A text in a check may hold `{{NAME}}`: a secret, a variable of the environment, or a value captured by an earlier
request. Plans keep the name, never the value.
"""

from dataclasses import dataclass, field
from typing import Literal

from fairway.domain.validation.needs import DatabaseCheck, DnsCheck, PostgresCheck, RedisCheck, S3Check, ServiceCheck
from fairway.domain.validation.probes import (
    AuthCheck,
    BurstCheck,
    CompressionCheck,
    ConditionalCheck,
    ContractCheck,
    CorsCheck,
    FlowCheck,
    GraphqlCheck,
    HeadersCheck,
    HealthCheck,
    Http2Check,
    MetricsCheck,
    Pairs,
    RateLimitCheck,
    RedirectCheck,
    ResponseTimeCheck,
    TlsCheck,
)
from fairway.domain.validation.secret import SecretSource, source_of

#: When a check runs in a rollout: before anything changes, on the candidate's own address, on the users' address after
#: the switch, after a way back, and after the restore of a database.
Moment = Literal["before", "candidate", "live", "rollback", "restore"]
AFTER: tuple[Moment, ...] = ("candidate", "live", "rollback", "restore")


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """A request whose answer must be as said.

    Attributes:
        path: with a leading slash.
        status: the status that must come.
        contains: text that the body must contain; None: any body.
    """

    path: str
    status: int = 200
    contains: str | None = None


Probe = (
    HttpCheck
    | HealthCheck
    | FlowCheck
    | AuthCheck
    | Http2Check
    | TlsCheck
    | RedirectCheck
    | GraphqlCheck
    | MetricsCheck
    | HeadersCheck
    | CorsCheck
    | RateLimitCheck
    | ResponseTimeCheck
    | BurstCheck
    | CompressionCheck
    | ConditionalCheck
    | PostgresCheck
    | RedisCheck
    | S3Check
    | ServiceCheck
    | DnsCheck
    | DatabaseCheck
    | ContractCheck
)


@dataclass(frozen=True, slots=True)
class Check:
    """A named check.

    Attributes:
        moments: when it runs in a rollout.
        required: False: what is wrong is a warning.
        url: the base address in place of the one that is validated.
        timeout: seconds for each request, in place of that of the settings.
    """

    name: str
    probe: Probe
    moments: tuple[Moment, ...] = AFTER
    required: bool = True
    url: str | None = None
    timeout: float | None = None

    @property
    def asks_base(self) -> bool:
        """It asks the address that is validated, and no other."""
        return self.url is None and not isinstance(self.probe, _ELSEWHERE)


_ELSEWHERE = (PostgresCheck, RedisCheck, S3Check, ServiceCheck, DnsCheck, DatabaseCheck)


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What all checks of an environment share.

    Attributes:
        timeout: seconds for each request, from the connection to the last byte.
        max_response_time: seconds, for checks of response times that say nothing else.
        concurrent: requests of a burst that says nothing else.
        patience: seconds until the address must answer for the first time.
        headers: sent with every request to the service.
        secrets: names of secrets.
        sources: where their values are; of a name without one, in the variable of that name.
        variables: names and values that checks may use.
        ca: path of certificates to trust, beside those of the machine.
    """

    timeout: float = 10.0
    max_response_time: float = 0.5
    concurrent: int = 10
    patience: float = 0.0
    headers: Pairs = ()
    secrets: tuple[str, ...] = ()
    sources: tuple[SecretSource, ...] = ()
    variables: Pairs = ()
    ca: str | None = None

    @property
    def needed(self) -> frozenset[str]:
        """Variables that must be there wherever the checks run."""
        return frozenset().union(*(source_of(name, self.sources).needed for name in self.secrets))


@dataclass(frozen=True, slots=True)
class Suite:
    """The checks of an environment."""

    checks: tuple[Check, ...] = ()
    settings: CheckSettings = field(default_factory=CheckSettings)

    def at(self, moment: Moment) -> tuple[Check, ...]:
        """Those that run then."""
        return tuple(check for check in self.checks if moment in check.moments)
