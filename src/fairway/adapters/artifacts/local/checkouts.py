"""Clean checkouts for the jobs of a release, and commands in them; implements `Checkouts`.

Commands run as those of an artifact's build do: without a shell, without input, in a session of their own. The values
of secrets are replaced in everything that they print before it is written or passed on.
"""

import os
from collections.abc import Callable
from pathlib import Path

from fairway.adapters.artifacts.local.copying import remove_tree
from fairway.adapters.artifacts.local.environment import build_variables
from fairway.adapters.artifacts.local.leftovers import end_processes_of
from fairway.adapters.artifacts.local.output import BuildLog
from fairway.adapters.artifacts.local.steps import StepRunner, split_steps
from fairway.domain.errors import PermanentError
from fairway.ports.artifacts import Source
from fairway.ports.pipeline import Broken, Checkouts, Execution, Log

_HIDDEN = b"***"
#: Shorter values are no secrets, and would be found everywhere.
_SHORTEST = 4
_LONGEST_LINE = 64 << 10


class LocalCheckouts(Checkouts):
    """Checkouts of one repository.

    Args:
        source: gives the content of a commit.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def prepare(self, folder: str, commit: str, *, keep: Callable[[str], bool]) -> None:
        """Makes the folder a checkout with those files of the commit that are kept."""
        self.clear(folder)
        self._source.export(commit, folder)
        for place, _, names in os.walk(folder, topdown=False):
            for name in names:
                path = Path(place) / name
                if not keep(path.relative_to(folder).as_posix()):
                    path.unlink()
            if place != folder and not any(Path(place).iterdir()):
                Path(place).rmdir()

    def run(self, execution: Execution, *, receive: Log) -> Broken | None:
        """Runs the commands one after the other; None if all succeeded."""
        split_steps(execution.steps)
        folder = Path(execution.folder)
        variables = build_variables(folder, execution.commit)
        if not execution.versioned:
            variables = {name: value for name, value in variables.items() if name not in _VERSIONED}
        with _DiscreetLog(Path(execution.log), receive, execution.secrets) as output:
            runner = StepRunner(
                folder, {**variables, **execution.variables}, timeout=execution.timeout, log=output, called="step"
            )
            try:
                runner.run(execution.steps)
            except PermanentError as error:
                return Broken(error.message, error.hint)
        return None

    def clear(self, folder: str) -> None:
        """Ends what still runs in the folder, and removes it."""
        end_processes_of(Path(folder))
        remove_tree(Path(folder))


_VERSIONED = ("FAIRWAY_VERSION", "FAIRWAY_COMMIT")


class _DiscreetLog(BuildLog):
    """Output in which secrets are replaced. Lines are held back until they are whole, so that none is cut in two."""

    def __init__(self, path: Path, receive: Callable[[str], None], secrets: tuple[str, ...]) -> None:
        super().__init__(path, receive)
        lines = {line.strip() for secret in secrets for line in secret.splitlines()}
        self._secrets = sorted((one.encode() for one in lines if len(one) >= _SHORTEST), key=len, reverse=True)
        self._held = b""

    def write(self, chunk: bytes) -> None:
        """Adds output as it was read."""
        if not self._secrets:
            super().write(chunk)
            return
        self._held += chunk
        whole, newline, self._held = self._held.rpartition(b"\n")
        if newline:
            super().write(self._hide(whole) + newline)
        if len(self._held) > _LONGEST_LINE:
            self._flush()

    def end_line(self) -> None:
        """Passes on a line that has not been ended, if there is one."""
        self._flush()
        super().end_line()

    def _flush(self) -> None:
        held, self._held = getattr(self, "_held", b""), b""
        if held:
            super().write(self._hide(held))

    def _hide(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text
