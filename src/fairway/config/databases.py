"""The section `databases` of an environment: what is backed up and restored."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, model_validator

from fairway.config.section import Section
from fairway.config.types import FilePath, Name, PositiveDuration, refuse
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.validation.secret import SecretSource
from fairway.domain.validation.template import names_in

_DATABASE_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}$"
_SCHEME = re.compile(r"postgres(ql)?(\+psycopg)?://.|\{\{")
_WORD = "write {{NAME}} in its place, and under secrets where its value is"


class DatabaseSection(Section):
    """A database that is backed up and restored: a SQLite file, or one of a PostgreSQL server."""

    kind: Literal["sqlite", "postgresql"] = Field(description="What it is.", examples=["sqlite"])
    path: FilePath | None = Field(
        default=None, description="Of `sqlite`: the file, absolute or beside this one.", examples=["data/shop.db"]
    )
    url: str | None = Field(
        default=None,
        description="Of `postgresql`: where it is. A password is a secret, `{{NAME}}`; the URL as a whole may be one.",
        examples=["postgresql://shop:{{DB_PASSWORD}}@db.internal/shop"],
    )
    keep: PositiveDuration = Field(
        default=30 * 86_400.0,
        description="How long backups are kept. The next backup removes older ones; the latest good one stays.",
        examples=["30d"],
    )
    maintenance: Annotated[str, Field(pattern=_DATABASE_NAME)] | None = Field(
        default=None,
        description="Of `postgresql`: another database of the server to connect to, because none can be renamed from "
        "within; `postgres`.",
        examples=["postgres"],
    )
    programs: FilePath | None = Field(
        default=None,
        description="Of `postgresql`: folder of `pg_dump` and `pg_restore`, which must not be older than the server. "
        "By default the oldest ones that fit in PATH and in `/usr/lib/postgresql`.",
        examples=["/usr/lib/postgresql/17/bin"],
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "DatabaseSection":
        wanted, foreign = ("path", ("url", "maintenance", "programs")) if self.kind == "sqlite" else ("url", ("path",))
        if getattr(self, wanted) is None:
            raise refuse(f"a database of kind {self.kind} needs {wanted}", f"for example {wanted}: {_EXAMPLES[wanted]}")
        for name in foreign:
            if getattr(self, name) is not None:
                raise refuse(f"{name} does not belong to a database of kind {self.kind}", "remove it")
        if self.url is not None:
            _check_url(self.url)
        return self


_EXAMPLES = {"path": "data/shop.db", "url": "postgresql://shop:{{DB_PASSWORD}}@db.internal/shop"}

Databases = dict[Name, DatabaseSection]


def _check_url(url: str) -> None:
    # It may hold a password: nothing of it is quoted.
    if not _SCHEME.match(url):
        raise refuse("this is not the URL of a PostgreSQL database", f"write {_EXAMPLES['url']}")
    try:
        parts = urlsplit(url)
        given = [parts.password, *(value for key, value in parse_qsl(parts.query) if key == "password")]
    except ValueError as error:
        raise refuse("this is not the URL of a PostgreSQL database", f"write {_EXAMPLES['url']}") from error
    if any(one and not names_in(one) for one in given):
        raise refuse("the URL holds a password, which would be written into every plan", _WORD)


def to_databases(
    sections: Mapping[str, DatabaseSection],
    variables: Mapping[str, str],
    sources: tuple[SecretSource, ...],
    folder: Path,
) -> tuple[DatabaseSpec, ...]:
    """The section in the words of the domain.

    Args:
        sections: by name, valid.
        variables: of the environment.
        sources: of the environment's secrets.
        folder: of the file, absolute.
    """
    return tuple(_database(name, one, variables, sources, folder) for name, one in sections.items())


def _database(
    name: str, one: DatabaseSection, variables: Mapping[str, str], sources: tuple[SecretSource, ...], folder: Path
) -> DatabaseSpec:
    if one.kind == "sqlite":
        return DatabaseSpec(name, "sqlite", str(folder / (one.path or "")), one.keep)
    url = one.url or ""
    used = names_in(url)
    return DatabaseSpec(
        name,
        "postgresql",
        url,
        one.keep,
        sources=tuple(source for source in sources if source.name in used),
        variables=tuple(sorted((key, value) for key, value in variables.items() if key in used)),
        maintenance=one.maintenance or "postgres",
        programs="" if one.programs is None else str(folder / one.programs),
    )
