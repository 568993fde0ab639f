"""The port `SecretReader`: variables, files and commands of this machine.

Values stay in memory, for a moment: a rotated one is seen soon, and a vault is not asked for each request.
"""

import os
import time
from collections.abc import Callable, Mapping

from fairway.adapters.secrets.commands import run_for_value
from fairway.adapters.secrets.files import read_file
from fairway.domain.errors import UserError
from fairway.domain.validation.secret import SHORTEST, SecretSource
from fairway.ports.secrets import SecretCommands

#: Seconds for which a value is not read again.
_REMEMBERED = 30.0


class LocalSecrets:
    """Reads secrets; safe to use from several threads at once.

    Args:
        commands: runs those that print a secret.
        environment: where variables are.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        commands: SecretCommands,
        environment: Mapping[str, str] = os.environ,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._commands = commands
        self._environment = environment
        self._clock = clock
        self._read: dict[SecretSource, tuple[float, str]] = {}

    def read(self, source: SecretSource) -> str:
        """See the port."""
        known = self._read.get(source)
        if known is not None and self._clock() < known[0]:
            return known[1]
        value = self._find(source)
        if len(value) < SHORTEST:
            sentence = f"secret {source.name}: the value of {source.title} has fewer than {SHORTEST} characters"
            raise UserError("secret-short", sentence, "no output could be kept free of it: choose a longer one")
        self._read[source] = (self._clock() + _REMEMBERED, value)
        return value

    def _find(self, source: SecretSource) -> str:
        if source.kind == "file":
            return read_file(source, self._environment)
        if source.kind == "command":
            return run_for_value(source, self._environment, self._commands)
        value = self._environment.get(source.place)
        if not value:
            sentence = f"secret {source.name}: the variable {source.place} is not set"
            raise UserError("secret-missing", sentence, "set it for the command that reads it")
        return value
