"""Checks of what a service needs: databases, caches, other services. Each with the real client."""

from urllib.parse import urlsplit

from fairway.adapters.checks.asking import Asker
from fairway.adapters.checks.jsonpath import find
from fairway.adapters.checks.latency import timed
from fairway.adapters.checks.postgres import connect, explain_refusal
from fairway.domain.validation.assertions import judge_answer
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, failed
from fairway.domain.validation.needs import PostgresCheck, RedisCheck, ServiceCheck


def ask_postgres(check: PostgresCheck, asker: Asker) -> tuple[Finding, ...]:
    """Logs in and asks for nothing but an answer."""
    import psycopg  # noqa: PLC0415 -- an extra

    url = asker.address(check.url)
    subject = f"PostgreSQL {_place(url, 5432)}"

    def ask() -> str | Finding:
        try:
            with connect(url, asker.timeout) as connection:
                row = connection.execute("SELECT current_setting('server_version'), current_user").fetchone()
        except psycopg.Error as error:
            return explain_refusal(error, url, subject, asker.timeout)
        return f"PostgreSQL {row[0]} lets {row[1]} in" if row else "no row"

    return (timed(subject, check.seconds, ask),)


def ask_redis(check: RedisCheck, asker: Asker) -> tuple[Finding, ...]:
    """Logs in and asks for PONG."""
    import redis  # noqa: PLC0415 -- an extra
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    url = asker.address(check.url)
    subject = f"Redis {_place(url, 6379)}"

    def ask() -> str | Finding:  # noqa: PLR0911 -- one return a finding
        limits = {"socket_timeout": asker.timeout, "socket_connect_timeout": asker.timeout}
        client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **limits)
        expected = "PONG"
        try:
            client.ping()
        except redis.exceptions.AuthenticationError as error:
            return failed("dependency-credentials", subject, expected, f"refused: {error}")
        except redis.exceptions.NoPermissionError as error:
            return failed("dependency-rights", subject, expected, f"refused: {error}")
        except redis.exceptions.TimeoutError:
            return failed("dependency-timeout", subject, expected, f"no answer within {asker.timeout:g} s")
        except redis.exceptions.BusyLoadingError as error:
            return failed("dependency-refused", subject, expected, f"refused: {error}")
        except redis.exceptions.ConnectionError as error:
            return failed("dependency-unreachable", subject, expected, str(error))
        except redis.exceptions.RedisError as error:
            return failed("dependency-refused", subject, expected, f"{type(error).__name__}: {error}")
        finally:
            client.close()
        return "PONG"

    return (timed(subject, check.seconds, ask),)


_SERVICE_CODES = {
    "status-401": "dependency-credentials",
    "status-403": "dependency-rights",
    "timeout": "dependency-timeout",
}


def ask_service(check: ServiceCheck, asker: Asker) -> tuple[Finding, ...]:
    """One GET; the headers that the checks of the own service share do not go to a stranger."""
    url = asker.address(check.url)
    subject = f"GET {url.partition('?')[0]}"

    def ask() -> str | Finding:
        answer = asker.client(shared=False).send("GET", url, headers=asker.pairs(check.headers))
        if isinstance(answer, Exchange):
            found = judge_answer(answer, subject, check.expect, find)
            if found.outcome == "passed":
                return found.came
            return failed(_SERVICE_CODES.get(found.code, "dependency-refused"), subject, found.expected, found.came)
        code = _SERVICE_CODES.get(answer.code, "dependency-unreachable")
        return failed(code, subject, "an answer", answer.sentence)

    return (timed(subject, check.seconds, ask),)


def _place(url: str, port: int) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'local socket'}:{parts.port or port}{parts.path}"
