"""Reads a file and parses it into a `Document`, or says why it cannot."""

import io
import os
import stat
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from fairway.config.compose import Composer
from fairway.config.document import LARGEST_FILE, Document
from fairway.config.problems import ConfigError, Problem, as_text, quote
from fairway.domain.errors import UserError


def read(path: Path) -> str:
    """The file's text.

    Raises:
        UserError: there is no such file, or it may not be read.
        ConfigError: it is not text in UTF-8, or too large for a configuration.
    """
    named = as_text(os.path.normpath(path)[:300])
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise UserError("config-unreadable", f"{named} is {what}", "name the fairway.yaml itself")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        hint = "fairway init looks at the repository and writes one"
        raise UserError("config-missing", f"there is no configuration file {named}", hint) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        message = f"the configuration file {named} cannot be read: {reason}"
        raise UserError("config-unreadable", message, "make it readable for this user") from error
    return _decode(str(path), content)


def parse(file: str, text: str) -> Document:
    """Parses the text of a file.

    Raises:
        ConfigError: it is not valid YAML, not a single mapping, or beyond the limits of depth and size.
    """
    composer = Composer(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            composer.take(event)
    except MarkedYAMLError as error:
        raise ConfigError([_syntax_problem(file, text, error)]) from error
    except ReaderError as error:
        raise ConfigError([_character_problem(file, text)]) from error
    return composer.finish()


def _decode(file: str, content: bytes) -> str:
    if len(content) > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE // 1024} kB, which no configuration needs"
        raise ConfigError([Problem(file, 1, 1, "", message)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte 0x{content[error.start]:02x} is not valid UTF-8"
        problem = Problem(file, before.count(b"\n") + 1, column, "", message, "save the file as UTF-8")
        raise ConfigError([problem]) from error


def _syntax_problem(file: str, text: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    # What stands at the mark says more than the parser's sentence, which speaks of tokens.
    rest = lines[line][column:] if line < len(lines) else ""
    hint = ""
    if rest.startswith("\t"):
        message = "a tab is used to indent, which YAML does not allow"
        hint = "use spaces"
    elif rest.startswith(":"):
        message = "a value holds a colon followed by a space, so that it looks like a key"
        hint = "put the value in quotes"
    elif rest[:1] in ("@", "`", "%"):
        message = f"a value begins with {quote(rest[0])}, which YAML keeps for itself"
        hint = "put the value in quotes"
    else:
        message = f"not valid YAML: {error.problem or 'cannot be parsed'}"
        if error.context and error.context_mark:
            message += f", {error.context} that begins in line {error.context_mark.line + 1}"
    return Problem(file, line + 1, column + 1, "", message, hint)


def _character_problem(file: str, text: str) -> Problem:
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line, 1):
            if not (character.isprintable() or character in "\t\r\x85\xa0\ufeff"):
                message = f"the character U+{ord(character):04X} may not stand in a YAML file"
                return Problem(file, number, column, "", message)
    return Problem(file, 1, 1, "", "the file holds a character that may not stand in a YAML file")
