"""Judging what a server lets other origins do in browsers."""

from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, failed, passed


def judge_allowed(exchange: Exchange, subject: str, origin: str, method: str, credentials: bool | None) -> Finding:
    """Whether a preflight request of this origin got leave.

    Args:
        exchange: the answer to OPTIONS.
        subject: as it was asked.
        origin: that must be let in.
        method: that must be allowed.
        credentials: whether cookies must be allowed, or must not; None: either.
    """
    expected = f"leave for {origin} to send {method}"
    allowed = exchange.header("access-control-allow-origin")
    if allowed not in (origin, "*"):
        return failed("cors-refused", subject, expected, f"Access-Control-Allow-Origin: {allowed or 'absent'}")
    if not 200 <= exchange.status < 300:
        return failed("cors-refused", subject, expected, f"status {exchange.status}")
    methods = {one.strip().upper() for one in (exchange.header("access-control-allow-methods") or "").split(",")}
    simple = method in ("GET", "HEAD", "POST")
    if not simple and not methods & {method, "*"}:
        came = exchange.header("access-control-allow-methods") or "absent"
        return failed("cors-refused", subject, expected, f"Access-Control-Allow-Methods: {came}")
    given = exchange.header("access-control-allow-credentials") == "true"
    if given and allowed == "*":
        return failed("cors-open", subject, expected, "cookies from every origin: * together with credentials")
    if credentials is not None and given != credentials:
        code = "cors-open" if given else "cors-refused"
        came = f"Access-Control-Allow-Credentials {'true' if given else 'absent'}"
        return failed(code, subject, f"{expected} {'with' if credentials else 'without'} cookies", came)
    return passed(subject, expected, f"Access-Control-Allow-Origin: {allowed}")


def judge_refused(exchange: Exchange, subject: str, origin: str) -> Finding:
    """Whether a strange origin was kept out."""
    expected = f"no leave for {origin}"
    allowed = exchange.header("access-control-allow-origin")
    if allowed in (origin, "*", "null"):
        cookies = " with cookies" if exchange.header("access-control-allow-credentials") == "true" else ""
        return failed("cors-open", subject, expected, f"Access-Control-Allow-Origin: {allowed}{cookies}")
    return passed(subject, expected, f"Access-Control-Allow-Origin: {allowed or 'absent'}")
