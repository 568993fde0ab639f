"""`validate`: the checks of an environment, or the usual ones, against an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from fairway.domain.errors import UserError
from fairway.domain.validation.checks import Check, CheckSettings, HttpCheck, Moment, Suite
from fairway.domain.validation.defaults import default_checks
from fairway.domain.validation.findings import Finding, Report
from fairway.ports.checks import Checker, Place

#: The variables that say what the command line and the configuration do not.
VARIABLES = ("BASE_URL", "TIMEOUT_SECS", "CONCURRENT_REQUESTS", "MAX_RESPONSE_TIME_MS", "VERBOSE")
#: Seconds between two tries of an address that does not answer yet.
LOOK_AGAIN = 0.25
#: Codes of an address at which nobody is, or not yet.
_ABSENT = frozenset({"refused", "unreachable", "unresolved"})


@dataclass(frozen=True, slots=True)
class Validation:
    """What is to be validated, and how that is told.

    Attributes:
        clock: monotonic seconds.
        pause: waits so many seconds.
        tell: number, count and check, before each one; and its findings after it.
    """

    checker: Checker
    place: Place
    checks: tuple[Check | HttpCheck, ...]
    clock: Callable[[], float]
    pause: Callable[[float], None]
    tell: Callable[[int, int, str, tuple[Finding, ...] | None], None]

    def run(self) -> Report:
        """Performs the checks one after the other, once the address answers at all."""
        begin = self.clock()
        absent = self._await_address()
        if absent is not None:
            return Report(self.place.base, (absent,), self.clock() - begin)
        checks = self.checks or self._usual()
        findings: list[Finding] = []
        for number, check in enumerate(checks, 1):
            name = check.name if isinstance(check, Check) else check.path
            self.tell(number, len(checks), name, None)
            found = self.checker.check(check, self.place)
            self.tell(number, len(checks), name, found)
            findings += found
        return Report(self.place.base, tuple(findings), self.clock() - begin)

    def _await_address(self) -> Finding | None:
        """Why nobody answers; None as soon as somebody does. Checks with addresses of their own do not wait."""
        if self.checks and all(isinstance(one, Check) and not one.asks_base for one in self.checks):
            return None
        until = self.clock() + self.place.settings.patience
        while True:
            (found, *_) = self.checker.check(Check("address", HttpCheck("/")), self.place)
            if found.code == "bad-url":
                raise UserError("bad-url", found.came, "write http://HOST:PORT or https://HOST")
            if found.code not in _ABSENT:
                return None
            if self.clock() >= until:
                return found
            self.pause(LOOK_AGAIN)

    def _usual(self) -> tuple[Check, ...]:
        (found, *_) = self.checker.check(Check("path", HttpCheck("/health")), self.place)
        path = "/health" if found.outcome == "passed" else "/"
        return default_checks(path=path, secure=urlsplit(self.place.base).scheme == "https")


def choose_checks(suite: Suite, *, moment: Moment | None, only: tuple[str, ...]) -> tuple[Check, ...]:
    """The checks of a suite that are asked for.

    Raises:
        UserError: a name is none of a check, or no check is left.
    """
    names = [check.name for check in suite.checks]
    strange = next((name for name in only if name not in names), None)
    if strange is not None:
        raise UserError(
            "unknown-check", f"there is no check {strange[:60]!r}", f"known are {', '.join(names) or 'none'}"
        )
    chosen = suite.checks if moment is None else suite.at(moment)
    chosen = tuple(check for check in chosen if not only or check.name in only)
    if suite.checks and not chosen:
        raise UserError("no-checks", f"no check runs at the moment {moment}", "see `moments` of the checks")
    return chosen


def with_variables(settings: CheckSettings, values: Mapping[str, str]) -> CheckSettings:
    """The settings as the variables have them.

    Args:
        settings: as configured.
        values: of `VARIABLES`; those that are not set are missing.

    Raises:
        UserError: a value is not a positive number.
    """
    if "TIMEOUT_SECS" in values:
        seconds = _number(values, "TIMEOUT_SECS")
        settings = replace(settings, timeout=seconds, patience=seconds)
    if "CONCURRENT_REQUESTS" in values:
        count = _number(values, "CONCURRENT_REQUESTS")
        if count != int(count) or count > MOST_CONCURRENT:
            hint = f"write a whole number from 1 to {MOST_CONCURRENT}"
            raise UserError("variable", f"CONCURRENT_REQUESTS={values['CONCURRENT_REQUESTS'][:40]} is none", hint)
        settings = replace(settings, concurrent=int(count))
    if "MAX_RESPONSE_TIME_MS" in values:
        settings = replace(settings, max_response_time=_number(values, "MAX_RESPONSE_TIME_MS") / 1000)
    return settings


#: Requests of one burst: each takes a thread and a connection.
MOST_CONCURRENT = 1000


def _number(values: Mapping[str, str], name: str) -> float:
    try:
        number = float(values[name])
    except ValueError:
        number = 0.0
    if not 0.0 < number < 1e6:
        raise UserError("variable", f"{name}={values[name][:40]} is not a positive number", f"write {name}=10")
    return number


def is_verbose(values: Mapping[str, str]) -> bool:
    """Whether VERBOSE is set to something that means yes."""
    return values.get("VERBOSE", "").strip().lower() in ("true", "1", "yes", "on")
