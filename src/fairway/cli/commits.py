"""commits."""

import json
import sys
from typing import Any, Literal

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.message import Change, Message, parse_message
from fairway.domain.versioning.policy import Policy


def commits(action: Literal["parse"], /, *, options: Options = DEFAULTS) -> int:
    """Read commit messages, separated by NUL, from standard input; one JSON object a line comes out.

    Args:
        action: `parse`.
    """
    del action, options  # the output is JSON either way
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    messages = text.split("\0")
    if messages and not messages[-1].strip("\n"):
        messages.pop()
    write = sys.stdout.write
    for one in messages:
        write(json.dumps(describe(parse_message(one)), ensure_ascii=False) + "\n")
    return Exit.YES


def describe(message: Message) -> dict[str, Any]:
    """A message as the JSON output has it: the subject's own change on top, those of a squashed one in `changes`."""
    own, levels = message.changes[0], Policy().levels
    top = max(
        (Level.MAJOR if one.breaking else levels.get(one.type, Level.NONE) for one in message.changes),
        default=Level.NONE,
    )
    revert = message.revert
    return {
        "conventional": bool(own.type),
        **_change(own),
        "breaking": any(one.breaking for one in message.changes),
        "subject": message.subject,
        "body": message.body,
        "footers": [{"token": token, "value": value} for token, value in message.footers],
        "bump": top.word if top else None,
        "changes": [_change(one) for one in message.changes],
        "pull_requests": list(message.references.requests),
        "issues": list(message.references.issues),
        "reverts": None if revert is None else {"commits": list(revert.commits), "subject": revert.subject},
        "release_as": message.release_as or None,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "type": change.type or None,
        "scope": change.scope or None,
        "description": change.description,
        "breaking": change.breaking,
        "notes": list(change.notes),
    }
