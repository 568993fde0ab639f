"""The kinds of checks of what a service needs."""

from typing import Literal

from pydantic import Field

from fairway.config.check_values import CheckSection, Expect, ExpectSection, Headers
from fairway.config.types import Percentage, PositiveDuration


class PostgresSection(CheckSection):
    """A PostgreSQL server lets this account in, soon enough."""

    url: str = Field(
        description="Of the database; the password is best a secret.",
        examples=["postgresql://shop:{{DB_PASSWORD}}@db.internal/shop"],
    )
    max_time: PositiveDuration = Field(default=1.0, description="A later answer is slow.", examples=["1s"])


class RedisSection(CheckSection):
    """A Redis server answers PING, soon enough."""

    url: str = Field(description="Of the server.", examples=["redis://:{{REDIS_PASSWORD}}@cache.internal:6379/0"])
    max_time: PositiveDuration = Field(default=0.5, description="A later answer is slow.", examples=["500ms"])


class S3Section(CheckSection):
    """A bucket of S3-compatible storage can be read, soon enough."""

    bucket: str = Field(description="Name of the bucket.", examples=["shop-uploads"], min_length=1)
    endpoint: str | None = Field(
        default=None, description="URL of the storage; by default AWS.", examples=["http://minio.internal:9000"]
    )
    region: str = Field(default="us-east-1", description="Region of the bucket.", examples=["eu-central-1"])
    access_key: str | None = Field(
        default=None, description="By default what the machine has.", examples=["{{S3_ACCESS_KEY}}"]
    )
    secret_key: str | None = Field(
        default=None, description="By default what the machine has.", examples=["{{S3_SECRET_KEY}}"]
    )
    write: bool = Field(default=False, description="Also store, read and remove a small object.", examples=[True])
    max_time: PositiveDuration = Field(default=2.0, description="A later answer is slow.", examples=["2s"])


class ServiceSection(CheckSection):
    """Another service answers as it should, soon enough."""

    url: str = Field(description="Of the request.", examples=["https://api.external-service.com/health"])
    headers: Headers = Field(
        default_factory=dict, description="Headers of the request.", examples=[{"X-API-KEY": "{{PARTNER_KEY}}"}]
    )
    expect: Expect = Field(default=ExpectSection(), description="What must come back.", examples=[200])
    max_time: PositiveDuration = Field(default=1.0, description="A later answer is slow.", examples=["1s"])


class DnsSection(CheckSection):
    """A name has the records that it should."""

    host: str = Field(description="The name.", examples=["shop.example"], min_length=1)
    type: Literal["A", "AAAA", "CNAME", "MX", "TXT", "SRV", "NS"] = Field(
        default="A", description="Type of the records.", examples=["A"]
    )
    records: list[str] = Field(
        default_factory=list,
        description="All of these must be among the answers; by default any answer will do.",
        examples=[["192.0.2.10"]],
    )
    server: str | None = Field(
        default=None,
        description="`HOST` or `HOST:PORT` to ask; by default what the machine asks.",
        examples=["1.1.1.1"],
    )
    max_time: PositiveDuration = Field(default=1.0, description="A later answer is slow.", examples=["1s"])


class DatabaseSection(CheckSection):
    """What the service's database is like: constraints, indexes, sizes, connections, replication."""

    url: str = Field(
        description="`postgresql://…` or `sqlite:///PATH`.",
        examples=["postgresql://shop:{{DB_PASSWORD}}@db.internal/shop"],
    )
    schemas: list[str] = Field(
        default=["public"], description="Whose tables are looked at.", examples=[["public"]], min_length=1
    )
    connections: Percentage = Field(
        default=0.8, description="Greatest share of the allowed connections in use.", examples=["80%"]
    )
    lag: PositiveDuration = Field(
        default=30.0, description="Greatest time by which a standby may be behind.", examples=["30s"]
    )
    standbys: int = Field(
        default=0, description="So many standbys must be connected to a primary.", examples=[1], ge=0, le=100
    )
    largest: int | None = Field(
        default=None, description="Greatest size of one table in bytes.", examples=[10_000_000_000], ge=1
    )
    verify: bool = Field(
        default=False,
        description="Also try every foreign key against the data, which reads the tables whole.",
        examples=[True],
    )
