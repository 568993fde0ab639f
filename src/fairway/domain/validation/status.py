"""Judging the status of an answer."""

import re

from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, failed, passed, quoted

_KNOWN = {401: "status-401", 403: "status-403", 404: "status-404", 429: "status-429"}


def judge_status(exchange: Exchange, subject: str, wanted: tuple[int, ...]) -> Finding:
    """Whether the status is one of those wanted."""
    expected = "status " + " or ".join(map(str, wanted))
    if exchange.status in wanted:
        return passed(subject, expected, f"status {exchange.status}")
    return failed(status_code(exchange.status), subject, expected, describe_status(exchange))


def status_code(status: int) -> str:
    """The finding that a status which was not wanted makes."""
    if status in (502, 504):
        return "status-502"
    if status >= 500:
        return "status-5xx"
    return "status-3xx" if 300 <= status < 400 else _KNOWN.get(status, "status")


def describe_status(exchange: Exchange) -> str:
    """The status, and where it leads or what the server says to it."""
    if 300 <= exchange.status < 400 and exchange.header("location"):
        return f"status {exchange.status} to {exchange.header('location')}"
    if not exchange.body:
        return f"status {exchange.status}"
    return f"status {exchange.status}: {_title(exchange) or quoted(exchange.text)}"


def _title(exchange: Exchange) -> str:
    """The title of a page for people, whose first words say nothing else."""
    found = re.search(r"<title[^>]*>([^<]{1,200})", exchange.text[:4000], re.IGNORECASE)
    return f"a page with the title {quoted(found[1])}" if found else ""
