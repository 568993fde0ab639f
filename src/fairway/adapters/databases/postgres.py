"""A database of a PostgreSQL server as a `Database`: dumped by `pg_dump`, swapped by renaming.

Everything but reading happens on a connection to another database of the server, the maintenance database.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.adapters.databases.postgres_contents import read_contents
from fairway.adapters.databases.programs import find_program, run_program
from fairway.domain.errors import FairwayError, InvariantError, PermanentError, TransientError, UserError
from fairway.domain.recovery.backup import Contents
from fairway.domain.validation.template import mask

if TYPE_CHECKING:
    import psycopg

#: Seconds to wait for a connection.
_CONNECT = 15
#: How often a database is emptied of its users and renamed before that is given up.
_TRIES = 5
#: SQLSTATE classes and codes of what may pass: connection, resources, in use, shut down.
_PASSING = ("08", "53", "55006", "57", "40")
#: Those of pages of a table or of an index that cannot be read.
_DAMAGED = frozenset({"XX001", "XX002"})
_KNOWN = "SELECT datname FROM pg_database WHERE datname = ANY(%s)"
#: Workers of the server's own have no account. Only administrators may end those, and they make way by themselves.
_SEND_AWAY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
"""
#: How a database was made, so that the one in its place is made likewise.
_LIKE = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s
"""
#: What was set for it, and who may do what with it: a dump of a database does not hold that.
_SETTINGS = """
SELECT r.rolname, s.setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE d.datname = %s
"""
_GRANTS = """
SELECT CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = %s
"""


class PostgresDatabase:
    """A database of a server; those beside it are databases of the same server.

    Args:
        url: as libpq reads it.
        maintenance: name of the maintenance database.
        programs: folder of the programs; empty: wherever they are.
        hidden: pairs of name and value that no sentence may hold.
    """

    def __init__(
        self, url: str, *, maintenance: str = "postgres", programs: str = "", hidden: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._url = url
        self._maintenance = maintenance
        self._programs = programs
        self._hidden = hidden

    @property
    def name(self) -> str:
        """See the port."""
        named = self._options["PGDATABASE"]
        if named == self._maintenance:
            sentence = f"{named!r} is the maintenance database itself, which cannot be renamed while it is used"
            raise UserError("data-address", sentence, "name another one under maintenance of the database")
        return named

    def dump(self, path: str) -> Contents:
        """See the port. Rows are counted in the very snapshot that is dumped."""
        if not self._list_known(self.name):
            raise UserError("data-missing", f"the server has no database {self.name!r}", "look at its url")
        with self._connect(self.name) as connection:
            program = find_program("pg_dump", _major(connection), self._programs)
            connection.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
            arguments: list[str | Path] = [program, "--format=custom", "--no-password", f"--snapshot={snapshot}"]
            # Reading first: what is damaged is known by its code here, and by the program's words only there.
            contents = read_contents(connection)
            with Path(path).open("wb") as file:
                run_program(arguments, self._options, self._mask, write=file)
            return contents

    def load(self, path: str, name: str) -> None:
        """See the port. Under another name until it is complete."""
        beside, draft = self._beside(name), _draft_of(name)
        with self._connect(self._maintenance) as connection:
            program = find_program("pg_restore", _major(connection), self._programs)
            self._remove(connection, draft)
            self._make_like_own(connection, draft)
        try:
            self._fill(draft, program, Path(path))
            with self._connect(self._maintenance) as connection:
                self._remove(connection, beside)
                self._rename(connection, [(draft, beside)])
                self._open_up(connection, beside)
        except BaseException:
            with suppress(FairwayError):
                self.drop(name)
            raise

    def _fill(self, name: str, program: Path, path: Path) -> None:
        arguments: list[str | Path] = [program, "--exit-on-error", "--no-password", f"--dbname={name}"]
        with path.open("rb") as file:
            run_program(arguments, self._options, self._mask, read=file)
        with self._connect(name) as connection:
            # The planner knows nothing of rows that were just loaded.
            connection.execute("ANALYZE")

    def inspect(self, name: str = "") -> Contents | None:
        """See the port."""
        wanted = self._beside(name) if name else self.name
        if not self._list_known(wanted):
            return None
        try:
            with self._connect(wanted) as connection:
                connection.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                return read_contents(connection)
        except PermanentError as error:
            if error.code != "data-damaged":
                raise
            return Contents(damage=(error.message,))

    def exchange(self, name: str, aside: str) -> None:
        """See the port. Both renames are one transaction."""
        own, new, old = self.name, self._beside(name), self._beside(aside)
        with self._connect(self._maintenance) as connection:
            known = self._known(connection, own, new, old)
            if new not in known and own not in known:
                raise PermanentError("data-lost", f"the server has neither {own!r} nor {new!r} any more")
            if new not in known:
                # A crash may have come between the names and this.
                for each in (own, old):
                    self._open_up(connection, each)
                return
            if own in known and old in known:
                sentence = f"the server has a database {old!r} already, beside {own!r}"
                raise PermanentError("data-there", sentence, f"rename or drop {old}")
            self._rename(connection, [(own, old), (new, own)] if own in known else [(new, own)])
            for each in (own, old):
                self._open_up(connection, each)

    def drop(self, name: str) -> None:
        """See the port."""
        with self._connect(self._maintenance) as connection:
            for each in (_draft_of(name), self._beside(name)):
                self._remove(connection, each)

    def _rename(self, connection: "psycopg.Connection[Any]", pairs: list[tuple[str, str]]) -> None:
        """Sends everybody away, and renames before they are back."""
        import psycopg  # noqa: PLC0415 -- an extra

        for number in range(_TRIES):
            for name, _ in pairs:
                connection.execute(_sql("ALTER DATABASE {} ALLOW_CONNECTIONS false", name))
                connection.execute(_SEND_AWAY, (name,))
            try:
                with connection.transaction():
                    for name, wanted in pairs:
                        connection.execute(_sql("ALTER DATABASE {} RENAME TO {}", name, wanted))
            except psycopg.errors.ObjectInUse as error:
                if number + 1 == _TRIES:
                    self._open_up(connection, pairs[0][0])
                    sentence = f"the database {pairs[0][0]!r} is in use: {self._mask(str(error).splitlines()[0])}"
                    raise TransientError("data-in-use", sentence, "end the sessions that stay") from error
            else:
                return

    def _open_up(self, connection: "psycopg.Connection[Any]", name: str) -> None:
        if self._known(connection, name):
            connection.execute(_sql("ALTER DATABASE {} ALLOW_CONNECTIONS true", name))

    def _remove(self, connection: "psycopg.Connection[Any]", name: str) -> None:
        """Also where what an earlier attempt has left is still at work in it."""
        if self._known(connection, name):
            connection.execute(_sql("ALTER DATABASE {} ALLOW_CONNECTIONS false", name))
            connection.execute(_SEND_AWAY, (name,))
            connection.execute(_sql("DROP DATABASE {}", name))

    def _make_like_own(self, connection: "psycopg.Connection[Any]", name: str) -> None:
        """An empty database with the encoding, the owner, the settings and the rights of the own one, if there is."""
        like = connection.execute(_LIKE, (self.name,)).fetchone()
        if like is None:
            connection.execute(_sql("CREATE DATABASE {} TEMPLATE template0", name))
            return
        encoding, collate, ctype, owner = like
        made = "CREATE DATABASE {} TEMPLATE template0 ENCODING %s LC_COLLATE %s LC_CTYPE %s OWNER {}"
        connection.execute(_literals(connection, _sql(made, name, owner), (encoding, collate, ctype)))
        for role, settings in connection.execute(_SETTINGS, (self.name,)).fetchall():
            for setting in settings:
                connection.execute(_setting(name, role, setting))
        grants = connection.execute(_GRANTS, (self.name,)).fetchall()
        if grants:
            connection.execute(_sql("REVOKE ALL ON DATABASE {} FROM PUBLIC", name))
        for grantee, right, grantable in grants:
            connection.execute(_grant(name, grantee, right, grantable=grantable))

    def _beside(self, name: str) -> str:
        if not name or name == self.name:
            raise InvariantError("own-name", f"{name!r} is not the name of a database beside {self.name!r}")
        if name in {self._maintenance, "postgres", "template0", "template1"}:
            raise UserError("data-name", f"{name!r} is a database of the server's own", "choose another name")
        return name

    def _list_known(self, *names: str) -> set[str]:
        with self._connect(self._maintenance) as connection:
            return self._known(connection, *names)

    def _known(self, connection: "psycopg.Connection[Any]", *names: str) -> set[str]:
        return {row[0] for row in connection.execute(_KNOWN, (list(names),)).fetchall()}

    @cached_property
    def _options(self) -> Mapping[str, str]:
        """The variables by which libpq connects as the URL says; arguments of a process are for all to see."""
        try:
            from psycopg import Error, pq  # noqa: PLC0415 -- an extra
        except ImportError as error:
            sentence = "backups of PostgreSQL need the package psycopg"
            raise UserError("package-missing", sentence, "pip install 'fairway[postgres]'") from error
        try:
            given = [one for one in pq.Conninfo.parse(self._url.encode()) if one.val is not None]
        except Error:
            # The library's words would quote what may be a secret.
            given = []
        found = {one.envvar.decode(): one.val.decode() for one in given if one.envvar and one.val is not None}
        if not found.get("PGDATABASE"):
            raise UserError("data-address", "the url of the database names none", "postgresql://USER@HOST/NAME")
        return found | {"PGAPPNAME": "fairway backup", "PGCONNECT_TIMEOUT": str(_CONNECT)}

    @contextmanager
    def _connect(self, name: str) -> "Iterator[psycopg.Connection[Any]]":
        """A connection to one database of the server, on which each statement is a transaction.

        Raises:
            TransientError, PermanentError: what the server says of it, without secrets.
        """
        options = self._options
        import psycopg  # noqa: PLC0415 -- an extra

        try:
            with psycopg.connect(
                self._url,
                dbname=name,
                autocommit=True,
                connect_timeout=_CONNECT,
                application_name=options["PGAPPNAME"],
            ) as connection:
                for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    connection.execute(f"SET {limit} = 0")
                yield connection
        except psycopg.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: "psycopg.Error") -> Exception:
        said = self._mask(" ".join(str(error).split()))[:400]
        if error.sqlstate is None or error.sqlstate.startswith(_PASSING):
            return TransientError("data-trouble", f"PostgreSQL: {said}", "try again when that is mended")
        if error.sqlstate in _DAMAGED:
            return PermanentError("data-damaged", f"PostgreSQL: {said}")
        return PermanentError("data-refused", f"PostgreSQL refuses: {said} (SQLSTATE {error.sqlstate})")

    def _mask(self, text: str) -> str:
        return mask(text, self._hidden)


def _draft_of(name: str) -> str:
    """What a database is called until it is complete: a name that nobody else gives to anything."""
    return f"fairway_draft_{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _major(connection: "psycopg.Connection[Any]") -> int:
    return int(connection.info.server_version // 10000)


def _sql(statement: str, *names: str) -> Any:
    """A statement with names in it, as data."""
    from psycopg import sql  # noqa: PLC0415 -- an extra

    return sql.SQL(statement).format(*(sql.Identifier(name) for name in names))


def _literals(connection: "psycopg.Connection[Any]", statement: Any, values: tuple[str, ...]) -> Any:
    """A statement of those that take no parameters, with the values written into it."""
    from psycopg import sql  # noqa: PLC0415 -- an extra

    parts = statement.as_string(connection).split("%s")
    written = [sql.Literal(value).as_string(connection) for value in values]
    return "".join(part + (written[number] if number < len(written) else "") for number, part in enumerate(parts))


def _setting(name: str, role: str | None, setting: str) -> Any:
    from psycopg import sql  # noqa: PLC0415 -- an extra

    key, _, value = setting.partition("=")
    of_role = sql.SQL("ROLE {} IN DATABASE").format(sql.Identifier(role)) if role else sql.SQL("DATABASE")
    # Lists of names are kept as they were written, with their quotes.
    written = sql.SQL(value) if key in _LISTS else sql.Literal(value)
    parts = key.split(".")
    return sql.SQL("ALTER {} {} SET {} TO {}").format(of_role, sql.Identifier(name), sql.Identifier(*parts), written)


_LISTS = frozenset({"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"})


def _grant(name: str, grantee: str | None, right: str, *, grantable: bool) -> Any:
    from psycopg import sql  # noqa: PLC0415 -- an extra

    to = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
    words = "GRANT {} ON DATABASE {} TO {}" + (" WITH GRANT OPTION" if grantable and grantee else "")
    return sql.SQL(words).format(sql.SQL(right), sql.Identifier(name), to)
