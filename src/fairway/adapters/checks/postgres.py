"""Connections of checks to PostgreSQL, bounded in time, and what its refusals mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fairway.adapters.checks.postgres_state import refusal_state
from fairway.domain.validation.findings import Finding, failed

if TYPE_CHECKING:
    import psycopg

#: SQLSTATE of a refusal, and the finding that it makes.
_STATES = {
    "28P01": "dependency-credentials",
    "28000": "dependency-credentials",
    "3D000": "dependency-missing",
    "42501": "dependency-rights",
    "53300": "dependency-full",
    "57P03": "dependency-refused",
    "57014": "dependency-timeout",
    "57P01": "dependency-refused",
}


@contextmanager
def connect(url: str, timeout: float) -> "Iterator[psycopg.Connection[Any]]":
    """A connection that reads only, and on which nothing takes longer than the time of the check.

    Raises:
        psycopg.Error: there is none.
    """
    import psycopg  # noqa: PLC0415 -- an extra

    limit = max(1, round(timeout))  # whole seconds, and the library waits for 2 at least
    milliseconds = max(1, round(timeout * 1000))
    options = f"-c statement_timeout={milliseconds} -c default_transaction_read_only=on -c lock_timeout={milliseconds}"
    written = _plain(url)
    with psycopg.connect(
        written,
        connect_timeout=limit,
        options=options,
        autocommit=True,
        application_name="fairway validate",
        tcp_user_timeout=milliseconds,
    ) as connection:
        yield connection


def explain_refusal(error: "psycopg.Error", url: str, subject: str, timeout: float) -> Finding:
    """Why there was no connection, or no answer on it: unreachable, slow, wrong credentials, or refused."""
    import psycopg  # noqa: PLC0415 -- an extra

    said = " ".join(str(error).split())[:240]
    expected = "a connection"
    late = isinstance(error, psycopg.errors.ConnectionTimeout)
    state = error.sqlstate or (None if late else refusal_state(_plain(url), timeout))
    if late or state == "57014":
        return failed("dependency-timeout", subject, expected, f"no answer within {timeout:g} s: {said}")
    if state is None:
        return failed("dependency-unreachable", subject, expected, said)
    return failed(_STATES.get(state, "dependency-refused"), subject, expected, f"{said} (SQLSTATE {state})")


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
