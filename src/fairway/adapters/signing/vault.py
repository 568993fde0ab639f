"""Private halves that lie in a vault: commands of the user's own read and store them.

What passes between the command and this process goes through pipes only: never through a file, an argument, a variable
or a log. The command inherits the variables of whoever runs it, for that is where the address and the token of a vault
are, without our own secrets.
"""

from collections.abc import Mapping

from fairway.domain.errors import TransientError, UserError
from fairway.ports.secrets import LONGEST, NotStarted, SecretCommand, SecretCommands

#: Seconds until it must have ended.
_PATIENCE = 60.0
#: How a private half begins as it is, and encrypted.
PLAIN, _ENCRYPTED = b"-----BEGIN PRIVATE KEY-----", (b"-----BEGIN AGE ENCRYPTED FILE-----", b"age-encryption.org/")
_ALONE = "run it by hand: it must print the private half and nothing else"
_OWN = ("FAIRWAY_KEY_PASSPHRASE", "FAIRWAY_AGE_IDENTITY", "FAIRWAY_SIGNING_KEY")


class Vault:
    """A vault behind commands.

    Args:
        commands: runs them.
        environment: where variables are.
    """

    def __init__(self, commands: SecretCommands, environment: Mapping[str, str]) -> None:
        self._commands = commands
        self._environment = environment

    def read_private(self, line: str) -> bytes:
        """What the command prints; its complaints are shown to nobody, for they may hold parts of it.

        Args:
            line: an argument line; no shell runs.

        Raises:
            UserError: there is no such program, or it prints no key, or more than one.
            TransientError: it failed, or did not end within a minute.
        """
        content = self._run(line).strip()
        if not content.startswith((PLAIN, *_ENCRYPTED)):
            sentence = f"{_named(line)} printed {'no key' if content else 'nothing'}"
            raise UserError("vault-command", sentence, _ALONE)
        return content

    def store_private(self, line: str, private: bytes) -> None:
        """Gives the command the private half on its standard input.

        Raises:
            UserError: there is no such program.
            TransientError: it failed, or did not end within a minute.
        """
        self._run(line, private)

    def _run(self, line: str, given: bytes | None = None) -> bytes:
        """What the command prints; nothing where it is given something, for then nobody listens to it."""
        variables = {name: value for name, value in self._environment.items() if name not in _OWN}
        printed = self._commands.run(SecretCommand(line, variables), given, patience=_PATIENCE)
        if isinstance(printed, NotStarted):
            sentence = f"{_named(line)} cannot be run: {printed.reason}"
            raise UserError("vault-command", sentence, "compare the program's name and PATH")
        if printed.is_too_long:
            raise UserError("vault-command", f"{_named(line)} printed more than {LONGEST >> 10} KiB", _ALONE)
        if printed.status is None:
            sentence = f"{_named(line)} did not end within {_PATIENCE:g} s"
            raise TransientError("vault-command", sentence, "run it by hand")
        if printed.status != 0:
            sentence = f"{_named(line)} ended with status {printed.status}"
            raise TransientError("vault-command", sentence, "run it by hand: what it says is not shown here")
        return printed.content


def _named(line: str) -> str:
    """The program alone: its arguments may hold a token."""
    return f"the command of the vault, {line.split(' ', maxsplit=1)[0][:60]!r},"
