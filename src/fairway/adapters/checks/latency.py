"""How long something took, and what that says."""

import time
from collections.abc import Callable

from fairway.domain.validation.findings import Finding, failed, passed


def timed(subject: str, limit: float, ask: Callable[[], str | Finding]) -> Finding:
    """Asks, and judges how long that took.

    Args:
        subject: what is asked.
        limit: seconds; later is slow.
        ask: gives what came, in words, or a finding of its own.
    """
    begin = time.monotonic()
    came = ask()
    if isinstance(came, Finding):
        return came
    spent = time.monotonic() - begin
    expected = f"an answer within {limit * 1000:g} ms"
    if spent > limit:
        return failed("dependency-slow", subject, expected, f"{came}, after {spent * 1000:.0f} ms")
    return passed(subject, expected, f"{came}, after {spent * 1000:.0f} ms")
