"""next."""

import gc
from collections.abc import Sequence
from typing import Any, Literal

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, note, print_json, say
from fairway.cli.rules import DEFAULT_RULES, Rules, open_by
from fairway.domain.versioning.decision import Asked, Decision
from fairway.domain.versioning.level import LEVELS, Level
from fairway.domain.versioning.weighing import Weighed
from fairway.usecases.versioning.next_version import Answer, Question, next_version

_SHOWN = 20
_SHORT = 12


def next_release(
    *,
    bump: Literal["major", "minor", "patch", "hotfix"] | None = None,
    pre: str | None = None,
    channel: str | None = None,
    release_as: str = "",
    build: str = "",
    rules: Rules = DEFAULT_RULES,
    options: Options = DEFAULTS,
) -> int:
    """Say what the next version is, and why. The version goes to stdout, the reasons to stderr.

    Reads the commits since the last release of the branch. Where nothing is to be released, stdout stays empty.

    Args:
        bump: in place of what the commits say; `hotfix` is `patch` on a released version.
        pre: token of a pre-release, such as rc; an empty one asks for a stable release.
        channel: a channel of the configuration, in place of the branch's own; without channels, a token.
        release_as: exactly this version.
        build: build metadata to put behind it.
    """
    # Thousands of tags stay until the end: looking for garbage among them is for nothing.
    gc.disable()
    project = open_by(rules, options)
    level = None if bump is None else LEVELS["patch" if bump == "hotfix" else bump]
    question = Question(Asked(level, release_as, build), pre, channel)
    answer = next_version(project.history, project.spec.policy, question, project.today)
    decision = answer.decision
    if options.json:
        print_json(describe(answer, kind=bump))
    elif decision.version is not None:
        say(str(decision.version))
    if decision.refusal:
        complain(decision.refusal, decision.sentence, decision.hint, as_json=False)
        return Exit.NO
    if not options.json:
        _explain(answer)
    return Exit.YES


def describe(answer: Answer, *, kind: str | None = None) -> dict[str, Any]:
    """The answer as the JSON output has it."""
    decision, previous = answer.decision, answer.decision.previous
    described: dict[str, Any] = {
        "version": None if decision.version is None else str(decision.version),
        "tag": decision.tag or None,
        "previous": str(previous.version) if previous else None,
        "previous_tag": previous.name if previous else None,
        "bump": _bump(decision, kind),
        "sentence": decision.sentence,
        "reasons": [_reason(one, decision) for one in decision.weighed],
        "channel": answer.line.channel,
        "prerelease": answer.line.pre or None,
        "branch": answer.place.branch,
        "head": answer.place.head,
        "base": answer.situation.base.name if answer.situation.base else None,
        "foreign_tags": len(answer.situation.releases.foreign),
    }
    if decision.refusal:
        described["error"] = {"code": decision.refusal, "message": decision.sentence, "hint": decision.hint}
    return described


def _bump(decision: Decision, kind: str | None) -> str | None:
    if decision.version is None:
        return None
    return kind or (decision.level.word if decision.level else "none")


def _reason(one: Weighed, decision: Decision) -> dict[str, Any]:
    return {
        "commit": one.commit.id,
        "subject": one.commit.message.subject,
        "bump": one.level.word if one.level else None,
        "rule": one.rule,
        "counted": one.level is not Level.NONE,
        "decides": one.commit.id == decision.deciding,
    }


def _explain(answer: Answer) -> None:
    """What decided, and what did not count and why, for people."""
    decision = answer.decision
    note(decision.sentence)
    base = answer.situation.base
    where = f" on {answer.place.branch}" if answer.place.branch else ""
    count = len(decision.weighed)
    commits = f"{count} commit{'s' if count != 1 else ''}"
    note(f"{commits} since {base.name}{where}" if base else f"{commits}{where}, no release yet")
    _list([one for one in decision.weighed if one.level], "counted")
    _list([one for one in decision.weighed if not one.level], "not counted")


def _list(weighed: Sequence[Weighed], title: str) -> None:
    if weighed:
        note(f"{title}:")
    for one in weighed[:_SHOWN]:
        level = f"{one.level.word}, " if one.level else ""
        note(f"  {one.commit.id[:_SHORT]} {one.commit.message.subject[:80]}  ({level}{one.rule})")
    if len(weighed) > _SHOWN:
        note(f"  and {len(weighed) - _SHOWN} more; --json lists all")
