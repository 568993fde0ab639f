"""Judging what health endpoints say."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, failed, passed, quoted
from fairway.domain.validation.status import describe_status, status_code

Kind = Literal["basic", "ready", "live"]

_STATUS: dict[Kind, str] = {"basic": "ok", "ready": "ready", "live": "alive"}
_EXPECTED: dict[Kind, str] = {
    "basic": 'status "ok", a version and a timestamp',
    "ready": 'status "ready" and every check "ok"',
    "live": 'status "alive" and an uptime',
}


def judge_health(kind: Kind, exchange: Exchange, subject: str, *, version: str | None = None) -> Finding:
    """Whether an endpoint says that all is well, in the body that it should have.

    Args:
        kind: which endpoint.
        exchange: what came.
        subject: as it was asked.
        version: the version that `basic` must tell; None: any.
    """
    expected = _EXPECTED[kind]
    if version and kind == "basic":
        expected = expected.replace("a version", f"version {version}")
    try:
        body = exchange.json()
    except ValueError:
        if exchange.status != 200:
            return failed(status_code(exchange.status), subject, expected, describe_status(exchange))
        return failed("body-not-json", subject, expected, quoted(exchange.text))
    if not isinstance(body, dict):
        return failed("health-shape", subject, expected, f"{type(body).__name__} {quoted(exchange.text)}")
    code, wrong = next(_wrong(kind, exchange, body, version), ("", ""))
    if code:
        return failed(code, subject, expected, wrong)
    return passed(subject, expected, _summary(kind, body))


def _wrong(kind: Kind, exchange: Exchange, body: dict[str, Any], version: str | None) -> Iterator[tuple[str, str]]:
    """What is wrong, the most telling first."""
    if kind == "ready":
        bad = [f"{name} is {state!r}" for name, state in _checks(body) if not _is_ok(state)]
        if bad:
            yield "health-dependency", ", ".join(bad)
    if exchange.status != 200:
        yield status_code(exchange.status), describe_status(exchange)
    if "status" not in body:
        yield "health-shape", f"no status in {quoted(exchange.text)}"
    elif body["status"] != _STATUS[kind]:
        yield "health-not-ok", f"status {body['status']!r} in {quoted(exchange.text)}"
    yield from _wrong_shape(kind, body, exchange)
    if kind == "basic" and version is not None and _plain(body.get("version")) != _plain(version):
        yield "health-version", f"version {body.get('version')!r}"


def _wrong_shape(kind: Kind, body: dict[str, Any], exchange: Exchange) -> Iterator[tuple[str, str]]:
    came = f"in {quoted(exchange.text)}"
    if kind == "basic":
        if not isinstance(body.get("version"), str):
            yield "health-shape", f"no version {came}"
        if not _is_time(body.get("timestamp")):
            yield "health-shape", f"no timestamp of ISO 8601 {came}"
    elif kind == "ready":
        if not isinstance(body.get("checks"), dict):
            yield "health-shape", f"no checks {came}"
    elif not isinstance(body.get("uptime"), (int, float)) or isinstance(body["uptime"], bool):
        yield "health-shape", f"no uptime {came}"


def _checks(body: dict[str, Any]) -> list[tuple[str, Any]]:
    checks = body.get("checks")
    return [(str(name), state) for name, state in checks.items()] if isinstance(checks, dict) else []


def _is_ok(state: Any) -> bool:
    """A word, or an object that has it as its status."""
    return (state.get("status") if isinstance(state, dict) else state) in ("ok", True)


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _plain(version: Any) -> str:
    return str(version).removeprefix("v")


def _summary(kind: Kind, body: dict[str, Any]) -> str:
    if kind == "basic":
        return f"ok, version {body['version']}"
    if kind == "ready":
        return "ready: " + (", ".join(f"{name} ok" for name, _ in _checks(body)) or "no checks listed")
    return f"alive for {body['uptime']:g} s"
