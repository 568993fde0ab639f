"""The commands, and what becomes of errors."""

import os
import sys
from contextlib import suppress

from fairway.cli.output import Exit, complain, note
from fairway.domain.errors import FairwayError, InvariantError, TransientError, UserError

#: Characters of a file's name in a sentence.
_LONGEST = 300

#: The line of the overview for each group of commands.
GROUPS = {
    "backup": "Take backups of databases, and prove them.",
    "bench": "Measure under load, and compare.",
    "hotfix": "Repair a release on a branch of its own.",
}

#: Name, after that of its group if it is in one, where it is, and the line of the overview; the modules are loaded when
#: they are called.
COMMANDS = (
    ("init", "project:init", "Write a fairway.yaml that fits this repository."),
    ("check", "project:check", "Report every mistake in fairway.yaml."),
    ("doctor", "project:doctor", "Check this machine."),
    ("demo", "demo:demo", "Show good and bad releases under live traffic."),
    ("next", "next:next_release", "Say the next version, and why."),
    ("changelog", "changelog:changelog", "Write the changelog, or the notes of a release."),
    ("versions", "versions:versions", "Read, compare or raise versions."),
    ("commits", "commits:commits", "Read commit messages."),
    ("release", "release:release", "Build, test, sign and publish a version."),
    ("hotfix start", "hotfix:start", "Make a branch on a release, to repair it."),
    ("hotfix finish", "hotfix:finish", "Merge a hotfix into the branches that go on."),
    ("revert", "revert:revert", "Make a branch that takes commits or pull requests back."),
    ("release-branch", "release_branch:release_branch", "Make a branch that holds a release without some of it."),
    ("cadence", "cadence:cadence", "Say whether it is the time to release, and when trains leave."),
    ("train", "cadence:train", "Start the releases of trains that are due."),
    ("keys", "keys:keys", "Make and list the keys that sign releases."),
    ("verify", "verify:verify", "Check that something is what was released."),
    ("image", "image:image", "Look at images in registries, and copy them."),
    ("plan", "deploy:plan", "Say what a deployment would do."),
    ("deploy", "deploy:deploy", "Take a release to an environment."),
    ("status", "status:status", "Say what runs where."),
    ("watch", "status:watch", "Follow a run."),
    ("history", "status:history", "List the runs of an environment."),
    ("logs", "logs:logs", "Show what instances wrote."),
    ("pause", "steer:pause", "Stop the progress of a run."),
    ("resume", "steer:resume", "Let a paused run go on."),
    ("promote", "steer:promote", "Skip the rest of a run's present watch."),
    ("abort", "steer:abort", "Take a run's candidate back."),
    ("approve", "steer:approve", "Approve a run."),
    ("rollback", "rollback:rollback", "Go back to an earlier release."),
    ("backup create", "backup:create", "Back up the databases of an environment."),
    ("backup list", "backup:list_", "List the backups that are kept."),
    ("backup show", "backup:show", "Show what is recorded of a backup."),
    ("backup prove", "backup:prove", "Restore a backup as a trial, and compare."),
    ("restore", "restore:restore", "Restore a database from a backup, in place or as a new one."),
    ("validate", "validate:validate", "Check that what runs does what it should."),
    ("bench run", "bench:run", "Measure a release or an address under load, and keep it under a name."),
    ("bench list", "bench:list_", "List what was measured."),
    ("bench compare", "bench:compare", "Say whether one is slower than the other."),
    ("bench report", "bench:report", "Write everything measured into one page."),
    ("bench indicators", "bench:indicators", "Show the table of indicators of an environment."),
    ("up", "machine:up", "Bring back everything that should run."),
    ("down", "machine:down", "Stop everything, keeping what should run."),
    ("serve", "machine:serve", "Run the controller in the foreground."),
)


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit status."""
    try:
        result = _call(arguments)
        # Now, and not when Python ends: what cannot be written then is a trace and status 120.
        with suppress(BrokenPipeError):
            sys.stdout.flush()
    except KeyboardInterrupt:
        note("\nfairway: stopped watching; what was started goes on")
        return Exit.UNKNOWN
    except BrokenPipeError:
        return Exit.UNKNOWN
    except Exception as error:  # noqa: BLE001 -- Python's own status for it is 1, which says that the answer is no
        return _tell(error, as_json="--json" in arguments)
    finally:
        _drop_output()
    return int(result) if isinstance(result, int) else Exit.YES


def _call(arguments: list[str]) -> object:
    """Runs the command, without the parser where a plain line needs none."""
    if arguments[:1] in (["next"], ["changelog"]):
        from fairway.cli.quick import find_call

        found = find_call(arguments)
        if found is not None:
            return found()
    from fairway.cli import parser

    return parser.call(arguments)


def _drop_output() -> None:
    """Gives up what cannot be written, as to a reader that is gone, so that it is not tried again when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: Exception, *, as_json: bool) -> int:
    """Says what was wrong and gives the exit status."""
    known = error if isinstance(error, FairwayError) else _in_our_words(error)
    with suppress(OSError):
        complain(known.code, known.message, known.hint, as_json=as_json)
    return Exit.WRONG_INPUT if isinstance(known, UserError) else Exit.UNKNOWN


def _in_our_words(error: Exception) -> FairwayError:
    """What no command foresaw: the system refused something, or it is a fault of ours and its trace is of use."""
    if isinstance(error, OSError):
        # The name may be one that was typed: long, or with signs that a terminal acts on.
        name = "".join(each if each.isprintable() else repr(each)[1:-1] for each in str(error.filename or ""))
        where = f"{name if len(name) <= _LONGEST else f'{name[:_LONGEST]}…'}: " if name else ""
        return TransientError("system", f"{where}{error.strerror or error}", "fairway doctor examines this machine")
    import traceback

    traceback.print_exception(error)
    return InvariantError("fault", f"{type(error).__name__}: {error}", "this is a fault in Fairway")
