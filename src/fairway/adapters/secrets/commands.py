"""Values that a command prints, such as that of a vault. What it prints is shown to nobody, its errors included."""

from collections.abc import Mapping

from fairway.domain.errors import TransientError, UserError
from fairway.domain.validation.secret import SecretSource
from fairway.ports.secrets import LONGEST, NotStarted, Printed, SecretCommand, SecretCommands

#: Seconds until it must have ended.
_PATIENCE = 30.0
_INHERITED = ("PATH", "HOME", "LANG", "TZ")


def run_for_value(source: SecretSource, environment: Mapping[str, str], commands: SecretCommands) -> str:
    """What a command prints, without the end of the last line. No shell runs, and nothing is to be read from a person.

    Raises:
        UserError: there is no such program, or what it prints is no text.
        TransientError: it failed, did not end in time, or printed too much.
    """
    missing = next((name for name in source.variables if name not in environment), None)
    if missing is not None:
        sentence = f"secret {source.name}: the variable {missing} that its command needs is not set"
        raise UserError("secret-missing", sentence, "set it for the command that reads it")
    names = [name for name in (*_INHERITED, *source.variables) if name in environment]
    command = SecretCommand(source.place, {name: environment[name] for name in names}, source.folder)
    printed = commands.run(command, patience=_PATIENCE)
    if isinstance(printed, NotStarted):
        sentence = f"secret {source.name}: {source.title} cannot be run: {printed.reason}"
        raise UserError("secret-command", sentence, "compare the program's name and PATH")
    return _value(source, printed)


def _value(source: SecretSource, printed: Printed) -> str:
    hint = f"run it by hand in {source.folder or 'the working folder'}; what it prints is not shown here"
    if printed.is_too_long:
        sentence = f"secret {source.name}: {source.title} printed more than {LONGEST >> 10} KiB"
        raise TransientError("secret-command", sentence, hint)
    if printed.status != 0:
        is_stopped = printed.status is None
        how = f"did not end within {_PATIENCE:g} s" if is_stopped else f"ended with status {printed.status}"
        raise TransientError("secret-command", f"secret {source.name}: {source.title} {how}", hint)
    try:
        return printed.content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        sentence = f"secret {source.name}: {source.title} printed no text in UTF-8"
        raise UserError("secret-command", sentence, hint) from None
