"""The commands, and what becomes of errors."""

import sys
import traceback

from cyclopts import App, CycloptsError

from fairway import __version__
from fairway.cli.output import Exit, complain, note
from fairway.domain.errors import FairwayError, UserError

app = App(
    name="fairway",
    version=__version__,
    help="Takes a commit to production, watches it, and takes it back when it is bad.",
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
)

#: Name, where it is, and the line of the overview; the modules are loaded when they are called.
COMMANDS = (
    ("init", "project:init", "Write a fairway.yaml that fits this repository."),
    ("check", "project:check", "Report every mistake in fairway.yaml."),
    ("doctor", "project:doctor", "Check this machine."),
    ("demo", "demo:demo", "Show good and bad releases under live traffic."),
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
    ("up", "machine:up", "Bring back everything that should run."),
    ("down", "machine:down", "Stop everything, keeping what should run."),
    ("serve", "machine:serve", "Run the controller in the foreground."),
)

for _name, _place, _help in COMMANDS:
    app.command(f"fairway.cli.{_place}", name=_name, help=_help)


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit status."""
    try:
        result = app(arguments)
    except KeyboardInterrupt:
        note("\nfairway: stopped watching; what was started goes on")
        return Exit.UNKNOWN
    except BrokenPipeError:
        sys.stderr.close()
        return Exit.UNKNOWN
    except Exception as error:  # noqa: BLE001 -- Python's own status for it is 1, which says that the answer is no
        return _tell(error, as_json="--json" in arguments)
    return int(result) if isinstance(result, int) else Exit.YES


def _tell(error: Exception, *, as_json: bool) -> int:
    """Says what was wrong and gives the exit status."""
    match error:
        case CycloptsError():
            complain("usage", str(error), "fairway --help lists the commands", as_json=as_json)
        case FairwayError():
            complain(error.code, error.message, error.hint, as_json=as_json)
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            hint = "fairway doctor examines this machine"
            complain("system", f"{where}{error.strerror or error}", hint, as_json=as_json)
        case _:
            traceback.print_exception(error)
            complain("fault", f"{type(error).__name__}: {error}", "this is a fault in Fairway", as_json=as_json)
    return Exit.WRONG_INPUT if isinstance(error, (CycloptsError, UserError)) else Exit.UNKNOWN
