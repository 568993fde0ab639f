"""The databases of an environment, as the user configured them."""

from dataclasses import dataclass
from typing import Literal

from fairway.domain.validation.secret import SecretSource, source_of
from fairway.domain.validation.template import names_in

Kind = Literal["sqlite", "postgresql"]

#: Seconds for which backups are kept where nothing else is said.
KEEP = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """One database of an environment. It goes into plans, and so holds the names of secrets, never a value.

    Attributes:
        name: by which the configuration calls it.
        place: absolute path of a SQLite file, or URL of a PostgreSQL database with `{{NAME}}` for its secrets.
        keep: seconds after which a backup may go.
        sources: where the values of the secrets are; of a name without one, in the variable of that name.
        variables: names and values that the URL may use as well.
        maintenance: name of the database of a server that one connects to in order to rename others.
        programs: folder of `pg_dump` and `pg_restore`; empty: wherever the machine has them.
    """

    name: str
    kind: Kind
    place: str
    keep: float = KEEP
    sources: tuple[SecretSource, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    maintenance: str = "postgres"
    programs: str = ""

    @property
    def secrets(self) -> tuple[SecretSource, ...]:
        """The secrets that the URL names, sorted by name."""
        plain = {name for name, _ in self.variables}
        sourced = {one.name for one in self.sources}
        return tuple(source_of(name, self.sources) for name in sorted(names_in(self.place) - (plain - sourced)))

    @property
    def needed(self) -> frozenset[str]:
        """Variables that must be there wherever it is backed up or restored."""
        return frozenset().union(*(one.needed for one in self.secrets))
