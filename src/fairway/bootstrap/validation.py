"""Putting a validation together: whose checks, at which address, with which secrets."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fairway.bootstrap.ambient import pause
from fairway.domain.errors import UserError
from fairway.domain.validation.checks import Moment, Suite
from fairway.domain.validation.findings import Finding
from fairway.ports.checks import Place
from fairway.usecases.validate import VARIABLES, Validation, choose_checks, is_verbose, with_variables

Tell = Callable[[int, int, str, tuple[Finding, ...] | None], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A validation that can be run.

    Attributes:
        verbose: VERBOSE asks for more words.
    """

    validation: Validation
    verbose: bool


def open_validation(
    url: str | None,
    environment: str | None,
    config: Path | None,
    *,
    only: tuple[str, ...],
    moment: Moment | None,
    tell: Tell,
) -> Wanted:
    """The validation that a command line and the variables ask for.

    Raises:
        UserError: there is no address, or no such environment or check.
    """
    from fairway.adapters.checks import LocalChecker

    values = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    base = url or values.get("BASE_URL")
    suite, address, stable = _configured(environment, config, base)
    if base is None and address is None:
        hint = "fairway validate http://HOST:PORT, or set BASE_URL, or name an environment with --env"
        raise UserError("no-address", "there is no address to validate", hint)
    settings = with_variables(suite.settings, values)
    place = Place(_complete(base or address or ""), settings, stable)
    checks = choose_checks(suite, moment=moment, only=only)
    validation = Validation(LocalChecker(), place, checks, time.monotonic, pause, tell)
    return Wanted(validation, is_verbose(values))


def _configured(name: str | None, config: Path | None, base: str | None) -> tuple[Suite, str | None, str | None]:
    """The checks, the address and the address to compare with; nothing where nothing is configured."""
    return Suite(), None, None


def _complete(address: str) -> str:
    """An address with its scheme."""
    return (address if "://" in address else f"http://{address}").rstrip("/")
