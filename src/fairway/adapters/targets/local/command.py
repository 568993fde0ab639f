"""From a revision's command line and variables to the unit that the supervisor runs."""

import os
import shlex
import shutil
from pathlib import Path

from fairway.adapters.targets.local.records import InstanceRecord
from fairway.domain.errors import PermanentError, UserError
from fairway.domain.rollout.revision import Revision
from fairway.ports.supervisor import Unit

#: By which every process of an instance, and every child of one, can be told.
INSTANCE_VARIABLE = "FAIRWAY_INSTANCE"
# All that a process gets from the environment of whoever starts it.
_INHERITED = ("HOME", "LANG", "PATH", "TZ")


def inherited_variables() -> tuple[tuple[str, str], ...]:
    """What an instance started now gets from this process's environment, sorted by name."""
    return tuple((name, os.environ[name]) for name in _INHERITED if name in os.environ)


def make_unit(unit: str, revision: Revision, instance: InstanceRecord) -> Unit:
    """The unit that runs the instance; the same arguments give the same unit.

    Raises:
        UserError: the command is empty or its quotes do not match.
        PermanentError: the artifact's folder or the program does not exist, or may not be executed.
    """
    folder = Path(revision.artifact.location)
    if not folder.is_dir():
        raise PermanentError(
            "artifact-missing",
            f"The folder {str(folder)!r} of release {revision.version} of {revision.service} does not exist.",
            "Build the release again.",
        )
    where = _place(instance)
    values = {f"{{{name.lower()}}}": value for name, value in where.items()}
    words = [_fill(word, values) for word in split_command(revision.run.command)]
    configured = {name: _fill(text, values) for name, text in revision.run.variables}
    # Artifacts are sealed: Python could not keep its bytecode there, and trying costs time. Configuration goes before
    # that, but where to listen and what runs is for us to say: a PORT of the user's would be the same for all.
    first = {"PYTHONDONTWRITEBYTECODE": "1", **dict(instance.inherited)}
    variables = {**first, **configured, **where, **_identity(revision), INSTANCE_VARIABLE: instance.id}
    live = revision.run.health.live
    return Unit(
        id=unit,
        argv=(_find_program(words[0], folder, variables.get("PATH", os.defpath)), *words[1:]),
        folder=str(folder),
        variables=tuple(sorted(variables.items())),
        grace=revision.run.grace,
        live=(instance.socket or instance.host, instance.port, live) if live else None,
        socket=instance.socket or None,
    )


def _identity(revision: Revision) -> dict[str, str]:
    """What runs, by the names of variables."""
    return {
        "FAIRWAY_SERVICE": revision.service,
        "FAIRWAY_ENVIRONMENT": revision.environment,
        "FAIRWAY_VERSION": revision.version,
        "FAIRWAY_COMMIT": revision.artifact.commit,
        "FAIRWAY_REVISION": revision.id,
    }


def _place(instance: InstanceRecord) -> dict[str, str]:
    """Where the instance shall listen, by the names of variables; in small letters they are those of placeholders."""
    return {"SOCKET": instance.socket} if instance.socket else {"PORT": str(instance.port), "HOST": instance.host}


def split_command(command: str) -> list[str]:
    """The words of the command line, split like a shell would.

    Raises:
        UserError: there is none, or the quotes do not match.
    """
    try:
        words = shlex.split(command)
    except ValueError as problem:
        raise UserError(
            "command-quotes",
            f"The command {command!r} cannot be split: {problem}.",
            "Close every quote in run.command.",
        ) from problem
    if not words or not words[0]:
        raise UserError(
            "command-empty", f"The command {command!r} names no program.", "Say in run.command what to run."
        )
    return words


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _find_program(name: str, folder: Path, places: str) -> str:
    own = folder / name  # an absolute name stays as it is
    if own.is_file():
        if os.access(own, os.X_OK):
            return str(own)
        raise PermanentError(
            "program-not-executable",
            f"The program {str(own)!r} may not be executed.",
            "Set its executable bit in the repository, or name its interpreter in run.command.",
        )
    found = None if "/" in name else shutil.which(name, path=places)
    if found:
        return str(Path(found).absolute())
    where = str(own) if "/" in name else f"{folder} and PATH ({places})"
    raise PermanentError(
        "program-missing",
        f"The program {name!r} does not exist: looked for it in {where}.",
        "Correct run.command, or let build.steps install the program.",
    )
