"""Values of secrets, at the moment when they are needed; and the commands of the user's that print or take them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fairway.domain.validation.secret import SecretSource

#: Bytes of the longest value that a command may print.
LONGEST = 64 * 1024


class SecretReader(Protocol):
    """Reads secrets. Values are for requests only: no error and no log holds one."""

    def read(self, source: SecretSource) -> str:
        """The value, at least four characters, without the end of its last line.

        A second call may answer with what was read a moment ago.

        Raises:
            UserError: there is no such value, others may read the file, or it cannot be opened.
            TransientError: a command failed, or did not end in time.
        """
        ...


@dataclass(frozen=True, slots=True)
class SecretCommand:
    """A command of the user's, such as that of a vault.

    Attributes:
        line: an argument line; no shell runs.
        variables: all those that it sees.
        folder: in which it runs; empty: the one of this process.
    """

    line: str
    variables: Mapping[str, str]
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed, and how it ended.

    Attributes:
        content: of what printed too much, the beginning; nothing where it was given something.
        status: its exit status; None: it was stopped, for it had no end or printed too much.
    """

    content: bytes
    status: int | None

    @property
    def is_too_long(self) -> bool:
        """It printed more than the longest value has."""
        return len(self.content) > LONGEST


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Nothing ran.

    Attributes:
        reason: what the system says to it.
    """

    reason: str


class SecretCommands(Protocol):
    """Runs commands that print or take secrets, and shows to nobody what they say."""

    def run(self, command: SecretCommand, given: bytes | None = None, *, patience: float) -> Printed | NotStarted:
        """Runs the command to its end; each call runs it anew.

        Args:
            command: nobody answers its questions, and nobody hears its complaints.
            given: what it gets on its standard input; nobody listens to what it prints then. None: it gets nothing.
            patience: seconds until it is stopped with all that it started.
        """
        ...
