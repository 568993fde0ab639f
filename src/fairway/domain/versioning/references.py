"""The pull requests and issues that a message names, in the words of the forges.

A pull request is named where the forge put it: at the end of the subject, or in the message of a merge. An issue is
what a closing word names (`Closes #12`, `fixes: ABC-7, ABC-8`), or a footer `Refs:`.
"""

import re
from typing import NamedTuple

from fairway.domain.versioning.pattern import pattern

_TAIL = pattern(r"\((?:pull request )?([#!]\d+)\)$")
_MERGES = (
    pattern(r"Merge pull request (#\d+) "),  # GitHub, Gitea
    pattern(r"Merged PR (\d+):"),  # Azure DevOps
)
_GITLAB = pattern(r"^See merge request (?:[\w./-]+)?(!\d+)[ \t]*$", re.MULTILINE)
_NAME = r"(?:[\w.-]+/[\w.-]+)?#\d+|[A-Z][A-Z0-9]+-\d+"
_NAMES = pattern(_NAME, re.IGNORECASE)
_WORDS = r"(?:clos(?:e|es|ed|ing)|fix(?:es|ed|ing)?|resolv(?:e|es|ed|ing)|implement(?:s|ed|ing)?)"
_CLOSING = pattern(
    rf"(?:\b{_WORDS}:?|^(?:refs?|see|relates-to):)[ \t]+(?P<names>(?:{_NAME})(?:(?:,? and|,|;|&|/)? *(?:{_NAME}))*)",
    re.IGNORECASE,
)
_KEY = pattern(r"-\d", re.ASCII)


class References(NamedTuple):
    """What a message refers to, each once, in the order of the message.

    Attributes:
        requests: pull requests as `#12`, merge requests as `!12`.
        issues: `#12`, `owner/name#12`, `ABC-12`.
    """

    requests: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()


def cut_request(subject: str) -> tuple[str, str]:
    """The subject without the number that a forge puts behind it when it merges, and that number; empty if none."""
    if subject[-1:] == ")" and (tail := _TAIL.match(subject, subject.rfind("("))):
        return subject[: tail.start()].rstrip(), tail[1]
    return subject, ""


def find_requests(subject: str, body: str) -> tuple[str, ...]:
    """The pull requests that the message names, each once: what a changelog asks of nearly every commit."""
    bare, request = cut_request(subject)
    if subject[:5] == "Merge":
        return _requests(bare, request, body)
    return (request,) if request else ()


def find_issues(subject: str, body: str) -> tuple[str, ...]:
    """The issues that the message names, each once."""
    issues: list[str] = []
    if "#" in subject or ("-" in subject and _KEY.search(subject)):
        issues += _issues(cut_request(subject)[0])
    if body and ("#" in body or _KEY.search(body)):
        for line in body.split("\n"):
            if "#" in line or _KEY.search(line):
                issues += _issues(line)
    return tuple(dict.fromkeys(issues)) if issues else ()


def lines_with_references(text: str) -> str:
    """The lines of a text below a subject that may name something."""
    if "#" not in text and "!" not in text and not ("-" in text and _KEY.search(text)):
        return ""
    lines = text.split("\n")
    return "\n".join([one for one in lines if "#" in one or "!" in one or ("-" in one and _KEY.search(one))])


def _requests(subject: str, request: str, body: str) -> tuple[str, ...]:
    """What the message of a merge names."""
    found = [f"#{match[1].lstrip('#')}" for one in _MERGES if (match := one.match(subject))]
    found += [match[1] for match in [_GITLAB.search(body)] if match]
    return tuple(dict.fromkeys([*found, request] if request else found))


def _issues(line: str) -> list[str]:
    return [
        name if "#" in name else name.upper()
        for match in _CLOSING.finditer(line)
        for name in _NAMES.findall(match["names"])
    ]
