"""What a commit message says: https://www.conventionalcommits.org/en/v1.0.0/ and what people write beside it.

The policy where the specification is silent or tools disagree:

- A header is `type(scope)!: description`; the type is letters, digits, `-` and `_`, its case does not matter; the
  scope holds no bracket; a colon and a blank must follow. Anything else is a plain message, which is no error.
- `BREAKING CHANGE:` or `BREAKING-CHANGE:` in capitals at the beginning of a line, in a body, a footer or in place of
  the type, makes the change a breaking one, also below a plain subject: nobody writes that by accident.
- Footers are the last paragraph, if it begins with `Token: value` or `Token #value`; values may go on in further
  lines.
- A byte order mark, leading blank lines and carriage returns are not part of the message.
"""

import re
from typing import NamedTuple

from fairway.domain.versioning.pattern import pattern
from fairway.domain.versioning.references import References, cut_request, find_issues, find_requests
from fairway.domain.versioning.squash import may_be_squashed, split_squash

HEADER = pattern(
    r"(?P<type>[A-Za-z][\w-]*)(?:\((?P<scope>[^()\n]*)\))?(?P<bang>!)?:[ \t]+(?P<description>\S.*)", re.ASCII
)
_TYPE = pattern(r"([A-Za-z][\w-]*)(?:\([^()\n]*\))?(!)?:[ \t]+(\S)", re.ASCII)
_BREAKING_HEADER = pattern(r"BREAKING[ -]CHANGE!?:[ \t]+(?P<description>\S.*)")
_BREAKING = pattern(
    r"^(?:[ \t]*[*-][ \t]+)?BREAKING[ -]CHANGE:[ \t]*"
    r"(?P<text>.*(?:\n(?![ \t]*\n|[A-Za-z][\w-]*(?:: | #)|[ \t]*[*-] ).+)*)",
    re.MULTILINE,
)
_FOOTER = pattern(r"(?P<token>[A-Za-z][A-Za-z0-9-]*|BREAKING CHANGE)(?:: +|(?= #))(?P<value>.*)")
_REVERTED = pattern(r"[Tt]his reverts commit ([0-9a-f]{7,64})")
_REVERT_SUBJECT = pattern(r'(?P<word>Revert|Reapply) "(?P<subject>.*)"(?P<rest>.*)', re.DOTALL)
_REVERTS_REQUEST = pattern(r"^Reverts (?:[\w.-]+/[\w.-]+)?([#!]\d+)[ \t]*$", re.MULTILINE)
_RELEASE_AS = pattern(r"^release-as: *v?(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_REFERENCE = pattern(r"[0-9a-f]{7,64}")
#: Without the constructors, which only put arguments in order: a long history has tens of thousands of messages.
_make = tuple.__new__


class Change(NamedTuple):
    """One change that a message tells of; a squashed commit tells of several.

    Attributes:
        type: in lower case, such as `feat`; empty for a plain message.
        description: what was done, without the number of a pull request at its end.
        notes: what breaks, in the author's words.
    """

    type: str
    scope: str
    description: str
    breaking: bool = False
    notes: tuple[str, ...] = ()


class Revert(NamedTuple):
    """What a message takes back.

    Attributes:
        commits: (abbreviated) object names, as the message gives them.
        subject: the subject of what is taken back.
        request: number of the pull request that is taken back.
        restores: the message says that it brings back what a revert took away.
    """

    commits: tuple[str, ...] = ()
    subject: str = ""
    request: str = ""
    restores: bool = False


class Message(NamedTuple):
    """A commit message, read.

    Attributes:
        subject: its first line.
        changes: the first is the subject's own.
        revert: None if it takes nothing back.
        release_as: the version that a footer asks for.
        rest: everything below the subject.
    """

    subject: str
    changes: tuple[Change, ...]
    revert: Revert | None = None
    release_as: str = ""
    rest: str = ""

    @property
    def is_conventional(self) -> bool:
        """At least one change has a type."""
        return any(change.type for change in self.changes)

    @property
    def references(self) -> References:
        """Pull requests and issues."""
        return References(self.requests, self.issues)

    @property
    def requests(self) -> tuple[str, ...]:
        """Pull requests; found when they are asked for, as issues are, which is not for most commits."""
        return find_requests(self.subject, self.rest)

    @property
    def issues(self) -> tuple[str, ...]:
        """What the message closes or refers to."""
        return find_issues(self.subject, self.rest)

    @property
    def body(self) -> str:
        """The text between the subject and the footers."""
        return _footers(self.rest)[0]

    @property
    def footers(self) -> tuple[tuple[str, str], ...]:
        """Token and value of each, in order."""
        return _footers(self.rest)[1]


def parse_message(text: str) -> Message:
    """What the message says; never fails, whatever it holds."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not text[:1].isalpha():
        text = text.lstrip("\ufeff\n \t")
    subject, _, rest = text.partition("\n")
    subject = subject.rstrip()
    if rest:
        rest = rest.strip("\n").rstrip()
    bare = cut_request(subject)[0] if subject[-1:] == ")" else subject
    # Most messages are plain: what is dear to look for is looked for only where a word of it stands.
    revert = _revert(subject, rest) if "evert" in text or subject.startswith("Reapply") else None
    if not rest:
        return _make(Message, (subject, (_change(bare, ""),), revert, "", ""))
    if revert is None and may_be_squashed(subject, rest):
        own, squashed = split_squash(subject, rest)
        first = _change(bare, own)
        changes: tuple[Change, ...] = (first, *_others(first, squashed))
    else:
        changes = (_change(bare, rest),)
    release_as = _RELEASE_AS.search(rest) if "elease-" in rest or "ELEASE-" in rest else None
    return _make(Message, (subject, changes, revert, release_as[1] if release_as else "", rest))


def parse_plain(text: str) -> tuple[str, str, str] | None:
    """Type, subject, and the text below it, of a message of which nothing is special; else None.

    As much as most of the messages of a long history are ever asked for, in a third of the time; `plain_change` says
    the rest of the few whose subjects are looked at.
    """
    if "evert" in text or "BREAKING" in text or "\r" in text:
        return None
    header = _TYPE.match(text)
    if header is None:
        kind = ""
        if not text[:1].isalpha() or text[:7] == "Reapply":
            return None
    else:
        kind, bang, first = header.groups("")
        # A number of a pull request may be all that there is; a blank may be one that ends the line.
        if bang or first == "(" or first.isspace():
            return None
    subject, _, rest = text.partition("\n")
    if rest:
        rest = rest.strip("\n").rstrip()
        if rest and ("elease-" in rest or "ELEASE-" in rest or may_be_squashed(subject.rstrip(), rest)):
            return None
    return kind.lower(), subject.rstrip(), rest


def plain_change(subject: str) -> Change:
    """The change that the subject of a plain message tells of."""
    return _change(cut_request(subject)[0] if subject[-1:] == ")" else subject, "")


def _change(bare: str, body: str) -> Change:
    """The change that a subject without the number of its pull request tells of."""
    notes: tuple[str, ...] = ()
    if "BREAKING" in body:
        notes = tuple([match["text"].strip() for match in _BREAKING.finditer(body)])
    header = HEADER.fullmatch(bare)
    if header is None:
        plain = _BREAKING_HEADER.fullmatch(bare) if bare[:8] == "BREAKING" else None
        if plain:
            return Change("", "", plain["description"], True, (plain["description"], *notes))
        return _make(Change, ("", "", bare, bool(notes), notes))
    kind, scope, bang, description = header.groups("")
    return _make(Change, (kind.lower(), scope.strip(), description, bool(bang or notes), notes))


def _others(first: Change, squashed: tuple[tuple[str, str], ...]) -> list[Change]:
    """The changes of a squashed body, without those that the subject or an earlier one says already."""
    told, others = {(first.type, first.scope, first.description.lower())}, []
    for subject, body in squashed:
        change = _change(cut_request(subject)[0], body)
        key = (change.type, change.scope, change.description.lower())
        if (change.type or change.breaking) and (key not in told or change.breaking > first.breaking):
            told.add(key)
            others.append(change)
    return others


def without_request(description: str) -> str:
    """The description without the number that a forge puts behind it when it merges."""
    return cut_request(description)[0] or description


def _revert(subject: str, body: str) -> Revert | None:
    match, header = _REVERT_SUBJECT.match(subject), HEADER.fullmatch(subject)
    commits = tuple(_REVERTED.findall(body))
    request = _REVERTS_REQUEST.search(body)
    if match is None and header is not None and (header["description"].startswith(('Revert "', 'Reapply "'))):
        match = _REVERT_SUBJECT.match(header["description"])
    if header is not None and header["type"].lower() == "revert":
        named = match["subject"] if match else without_request(header["description"])
        references = re.search(r"^refs?: (.*)$", body, re.IGNORECASE | re.MULTILINE)
        commits = commits or tuple(_REFERENCE.findall(references[1] if references else ""))
        return Revert(commits, named, request[1] if request else "")
    if match is None and not (commits and header is None):
        return None
    named = match["subject"] if match else ""
    if match and match["word"] == "Reapply":
        named = f'Revert "{named}"'
    restores = named.startswith('Revert "')
    return Revert(commits, named, request[1] if request else "", restores)


def _footers(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    before, _, last = text.rpartition("\n\n")
    lines = last.split("\n")
    if not _FOOTER.match(lines[0]):
        return text, ()
    footers: list[tuple[str, list[str]]] = []
    for line in lines:
        match = _FOOTER.match(line)
        if match:
            footers.append((match["token"], [match["value"].strip()]))
        else:
            footers[-1][1].append(line)
    return before.strip("\n"), tuple([(token, "\n".join(values)) for token, values in footers])
