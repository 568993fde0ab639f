"""Values of secrets, at the moment when they are needed."""

from typing import Protocol

from fairway.domain.validation.secret import SecretSource


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
