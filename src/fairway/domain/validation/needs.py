"""Checks of what a service needs: databases, caches, storage, other services, names."""

from dataclasses import dataclass, field
from typing import Literal

from fairway.domain.validation.expectation import Expectation
from fairway.domain.validation.probes import Pairs


@dataclass(frozen=True, slots=True)
class PostgresCheck:
    """A PostgreSQL server lets this account in, soon enough.

    Attributes:
        url: `postgresql://…`.
        seconds: later than that is slow.
    """

    url: str
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class RedisCheck:
    """A Redis server answers PING, soon enough."""

    url: str
    seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class S3Check:
    """A bucket of S3-compatible storage can be listed, soon enough.

    Attributes:
        endpoint: URL of the storage; None: AWS.
        write: also store, read and remove a small object.
    """

    bucket: str
    endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None
    write: bool = False
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class ServiceCheck:
    """Another service answers as it should, soon enough."""

    url: str
    headers: Pairs = ()
    expect: Expectation = field(default_factory=Expectation)
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class DnsCheck:
    """A name has the addresses that it should.

    Attributes:
        kind: of the records.
        records: all of these must be among the answers; empty: any answer.
        server: who is asked, `HOST` or `HOST:PORT`; None: what this machine uses.
    """

    host: str
    kind: Literal["A", "AAAA", "CNAME", "MX", "TXT", "SRV", "NS"] = "A"
    records: tuple[str, ...] = ()
    server: str | None = None
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    """What the database of the service is like: constraints, indexes, sizes, connections, replication.

    Attributes:
        url: `postgresql://…` or `sqlite:///PATH`.
        schemas: whose tables are looked at.
        connections: greatest share of the allowed connections in use.
        lag: greatest seconds by which a standby may be behind.
        standbys: so many must be connected to a primary.
        largest: greatest size of one table in bytes; None: any.
        verify: also try every foreign key against the data, which reads the tables.
    """

    url: str
    schemas: tuple[str, ...] = ("public",)
    connections: float = 0.8
    lag: float = 30.0
    standbys: int = 0
    largest: int | None = None
    verify: bool = False
