"""Putting a validation together: whose checks, at which address, with which secrets."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fairway.bootstrap.ambient import pause
from fairway.bootstrap.project import find_config, open_project
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
    from fairway.adapters.commands.confidential import LocalSecretCommands
    from fairway.adapters.secrets import LocalSecrets

    values = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    base = url or values.get("BASE_URL")
    found = _configured(environment, config, base)
    address = base or found.address
    if address is None:
        hint = "fairway validate http://HOST:PORT, or set BASE_URL, or name an environment with --env"
        raise UserError("no-address", "there is no address to validate", hint)
    place = Place(_complete(address), with_variables(found.suite.settings, values), version=found.version)
    checks = choose_checks(found.suite, moment=moment, only=only)
    checker = LocalChecker(LocalSecrets(LocalSecretCommands()))
    validation = Validation(checker, place, checks, time.monotonic, pause, tell)
    return Wanted(validation, is_verbose(values))


@dataclass(frozen=True, slots=True)
class _Configured:
    """What is configured, and what is live there."""

    suite: Suite
    address: str | None = None
    version: str | None = None


def _configured(name: str | None, config: Path | None, base: str | None) -> _Configured:
    """The checks, the address and the release of an environment; nothing where nothing is configured.

    Raises:
        UserError: the configuration is wrong, or leaves open which environment is meant.
    """
    from fairway.usecases.deploy import find_environment

    if name is None and config is None and not _has_config():
        return _Configured(Suite())
    project = open_project(config)
    known = project.spec.environments
    if name is None and len(known) > 1:
        if base is not None and not any(one.suite.checks for one in known):
            return _Configured(Suite())
        names = ", ".join(one.name for one in known)
        raise UserError("no-environment", "it is open which environment's checks are meant", f"--env one of {names}")
    spec = find_environment(project.spec, name or known[0].name)
    if base is not None:
        return _Configured(spec.suite)
    live = project.store.environment(project.spec.service, spec.name).live
    address = project.router_of(project.spec.service, spec.name, spec.router).observe().address
    return _Configured(spec.suite, address, live.version if live else None)


def _has_config() -> bool:
    try:
        find_config(None)
    except UserError:
        return False
    return True


def _complete(address: str) -> str:
    """An address with its scheme.

    Raises:
        UserError: it holds a password, which the report would show.
    """
    whole = (address if "://" in address else f"http://{address}").rstrip("/")
    if "@" in whole.partition("://")[2].partition("/")[0]:
        hint = "send it by validation.headers, from a secret"
        raise UserError("address-password", "the address holds a credential, which every report would show", hint)
    return whole
