"""Applications to check, running in this process, and one check of them."""

import contextlib
import importlib.util
from pathlib import Path

from fairway.adapters.checks import LocalChecker
from fairway.adapters.commands.confidential import LocalSecretCommands
from fairway.adapters.secrets import LocalSecrets
from fairway.domain.validation.checks import Check, CheckSettings
from fairway.ports.checks import Place
from servers import serving

APPS = Path(__file__).parents[1] / "apps"


def load_app(name):
    spec = importlib.util.spec_from_file_location(f"app_{name}", APPS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ACCOUNTS = load_app("accounts")


@contextlib.contextmanager
def accounts(*options):
    """The URL of the application of accounts."""
    server = ACCOUNTS.Server(ACCOUNTS.arguments(list(options)))
    with contextlib.closing(server.accounts.database), serving(server) as url:
        yield url


def check(probe, base="http://127.0.0.1:1", *, secrets=(), stable=None, version=None, timeout=5.0, **settings):
    """The findings of one check."""
    place = Place(base, CheckSettings(timeout=timeout, secrets=tuple(dict(secrets)), **settings), stable, version)
    return LocalChecker(LocalSecrets(LocalSecretCommands(), dict(secrets))).check(Check("one", probe), place)


def codes(findings):
    """Outcome and code of each."""
    return [(finding.outcome, finding.code) for finding in findings]


PASSED = [("passed", "ok")]
