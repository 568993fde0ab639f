"""versions."""

import datetime
from functools import cmp_to_key
from typing import Any, Literal

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say
from fairway.cli.rules import DEFAULT_STEPS, Steps
from fairway.domain.errors import UserError
from fairway.domain.versioning.bump import Bump, bump_local
from fairway.domain.versioning.bump import bump as raise_by
from fairway.domain.versioning.calver import check_format
from fairway.domain.versioning.increments import INCREMENTS, increment
from fairway.domain.versioning.layout import DEFAULT_FORMAT
from fairway.domain.versioning.level import LEVELS
from fairway.domain.versioning.mapping import mapped
from fairway.domain.versioning.scheme import Scheme, Version, find_scheme
from fairway.domain.versioning.shown import describe_version

SchemeName = Literal["semver", "pep440", "calver"]


def versions(
    action: Literal["parse", "compare", "bump"],
    /,
    *texts: str,
    scheme: SchemeName = "semver",
    calver: str = DEFAULT_FORMAT,
    steps: Steps = DEFAULT_STEPS,
    options: Options = DEFAULTS,
) -> int:
    """Read, compare or raise versions, without any repository.

    `parse` says what each version consists of, and what it is in the other schemes; with status 1 where one is none.
    `compare` says how the first stands to the second, or sorts several. `bump` raises one.

    Args:
        action: `parse`, `compare` or `bump`.
        texts: the versions.
        scheme: semver, pep440 or calver.
        calver: how calendar versions are written.
    """
    if not texts:
        raise UserError("no-version", "there is no version on the command line", f"fairway versions {action} 1.2.3")
    known = find_scheme(scheme, check_format(calver))
    if action == "parse":
        return _parse(known, texts, as_json=options.json)
    if action == "compare":
        return _compare(known, texts, as_json=options.json)
    if len(texts) > 1:
        raise UserError("one-version", f"{len(texts)} versions cannot be raised at once", "give one")
    given = known.parse(texts[0])
    raised = _raised(known, given, steps)
    _say(raised, {"version": str(raised), "previous": str(given), "scheme": scheme}, as_json=options.json)
    return Exit.YES


def _raised(scheme: Scheme, version: Version, steps: Steps) -> Version:
    if steps.bump in INCREMENTS:
        return increment(version, steps.bump, steps.pre, steps.pre_from)
    level = LEVELS["patch" if steps.bump == "hotfix" else steps.bump]
    wanted = Bump(level, steps.pre, _number(steps.pre_from), steps.dev, steps.exact, _day(steps.date))
    return bump_local(scheme, version, wanted) if steps.local else raise_by(scheme, version, wanted)


def _parse(scheme: Scheme, texts: tuple[str, ...], *, as_json: bool) -> int:
    answers: list[dict[str, Any]] = []
    complaints: list[UserError] = []
    for text in texts:
        try:
            version = scheme.parse(text)
        except UserError as error:
            complaints.append(error)
            problem = {"code": error.code, "message": error.message, "hint": error.hint}
            answers.append({"input": text, "valid": False, "version": None, "scheme": scheme.name, "error": problem})
        else:
            answers.append({"input": text, "valid": True, **describe_version(version, scheme), "as": mapped(version)})
    if as_json:
        print_json(answers[0] if len(answers) == 1 else {"valid": not complaints, "versions": answers})
    else:
        for answer in answers:
            if answer["valid"]:
                others = ", ".join(f"{name} {other}" for name, other in answer["as"].items() if other)
                say(f"{answer['version']}  ({others})")
        for complaint in complaints:
            note(f"fairway: {complaint.message}\n  {complaint.hint}")
    return Exit.NO if complaints else Exit.YES


def _compare(scheme: Scheme, texts: tuple[str, ...], *, as_json: bool) -> int:
    if len(texts) < 2:
        raise UserError("two-versions", "there is only one version to compare", "give two or more")
    parsed = [scheme.parse(text) for text in texts]
    if len(parsed) == 2:
        order = _order(*parsed)
        sign = {-1: "<", 0: "=", 1: ">"}[order]
        result = {"versions": [str(one) for one in parsed], "order": order, "sign": sign}
        _say(f"{parsed[0]} {sign} {parsed[1]}", result, as_json=as_json)
        return Exit.YES
    ordered = [str(one) for one in sorted(parsed, key=cmp_to_key(_order))]
    _say("\n".join(ordered), {"versions": [str(one) for one in parsed], "sorted": ordered}, as_json=as_json)
    return Exit.YES


def _order(first: Version, second: Version) -> int:
    return (first.order > second.order) - (first.order < second.order)


def _day(date: str | None) -> datetime.date:
    if date is None:
        from fairway.bootstrap.ambient import today

        return today("UTC")
    try:
        return datetime.date.fromisoformat(date)
    except ValueError as error:
        raise UserError("date", f"{date[:40]!r} is not a day", "write it like 2024-09-01") from error


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UserError("pre-from", f"{text[:40]!r} is not a number from 0", "such as 1")
    return int(text)


def _say(text: object, result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        say(str(text))
