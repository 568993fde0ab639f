"""A git that kills whoever called it, with signal 9, before or after one of the calls that change something."""

import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

_SCRIPT = """\
#!/bin/sh
case " $* " in
  *" worktree add "*|*" worktree remove "*|*" revert "*|*" merge "*) ;;
  *" branch --no-track "*|*" update-ref "*|*" push "*) ;;
  *) exec {git} "$@" ;;
esac
echo call >> "$KILLING_CALLS"
number=$(wc -l < "$KILLING_CALLS")
if [ "$number" = "$KILLING_BEFORE" ]; then kill -9 $PPID; exit 1; fi
{git} "$@"
status=$?
if [ "$number" = "$KILLING_AFTER" ]; then kill -9 $PPID; fi
exit $status
"""


class KillingGit:
    """The program, in a folder of its own that comes first in PATH."""

    def __init__(self, folder: Path, path: str) -> None:
        self._folder = folder
        self._path = path
        folder.mkdir()
        program = folder / "git"
        program.write_text(_SCRIPT.format(git=shutil.which("git")))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def variables(self, *, before: int = 0, after: int = 0) -> Mapping[str, str]:
        """What the command to be killed gets: the number of the call, from 1."""
        calls = self._folder / "calls"
        calls.unlink(missing_ok=True)
        return {
            "PATH": f"{self._folder}:{self._path}",
            "KILLING_CALLS": str(calls),
            "KILLING_BEFORE": str(before),
            "KILLING_AFTER": str(after),
        }

    def count(self, run: Callable[[Mapping[str, str]], object]) -> int:
        """How many calls that change something a command makes."""
        run(self.variables())
        return len((self._folder / "calls").read_text().splitlines())
