"""The messages that a squashed commit holds.

Three makes are known: bullets of GitHub and GitLab (`* feat: …`, each in its own paragraph or line), paragraphs that
begin with a header below a subject that names a pull request (Bitbucket), and what `git merge --squash` writes
(`Squashed commit of the following:`). A bullet or paragraph counts only if it is a header with a description of more
than one word, so that a footer `fix: #12` is none. Bullets with a hyphen are lists of people and are left alone.
"""

import re

from fairway.domain.versioning.pattern import pattern

_HEADER = r"[A-Za-z][\w-]*(?:\([^()\n]*\))?!?:[ \t]+\S+[ \t]+\S"
_BULLET = pattern(rf"^\*[ \t]+(?={_HEADER})", re.MULTILINE)
_PARAGRAPH = pattern(rf"(?:\A|\n\n)(?={_HEADER}.*(?:\n\n|\Z))")
_GIT = "Squashed commit of the following:"
_GIT_COMMIT = pattern(
    r"^commit [0-9a-f]{7,64}\n(?:(?:Author|AuthorDate|Commit|CommitDate|Date|Merge):.*\n)+", re.MULTILINE
)
#: Footers that look like headers with several words.
_FOOTERS = frozenset(
    {
        "signed-off-by",
        "co-authored-by",
        "reviewed-by",
        "refs",
        "ref",
        "closes",
        "fixes",
        "resolves",
        "see",
        "notice",
        "note",
    }
)


_REQUEST = pattern(r"\((?:pull request )?[#!]\d+\)$")


def may_be_squashed(subject: str, body: str) -> bool:
    """The message is of one of the makes: cheap to ask, for most messages are not."""
    if "\n* " in body or body[:2] == "* " or body[:8] == "Squashed" or "Squashed" in subject:
        return True
    if subject[-1:] != ")" and subject[:7] != "Merged ":
        return False
    if "\n\n" not in body or ":" not in body:
        return False
    # A paragraph that begins with a header has a colon in its first line.
    if not any(":" in paragraph.partition("\n")[0] for paragraph in body.split("\n\n")):
        return False
    return subject[:7] == "Merged " or _REQUEST.search(subject) is not None


def split_squash(subject: str, body: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The part of the body that is the subject's own, and the further messages as subject and body."""
    if subject.startswith(_GIT) or body.startswith(_GIT):
        import textwrap  # noqa: PLC0415 - few messages need it

        parts = _GIT_COMMIT.split(body)
        return parts[0], tuple(_message(textwrap.dedent(part)) for part in parts[1:] if part.strip())
    sign = _BULLET if _BULLET.search(body) else _PARAGRAPH
    starts = [match for match in sign.finditer(body) if _is_type(body[match.end() :])]
    if not starts:
        return body, ()
    ends = [match.start() for match in starts[1:]] + [len(body)]
    parts = [body[match.end() : end] for match, end in zip(starts, ends, strict=True)]
    return body[: starts[0].start()].rstrip(), tuple(_message(part) for part in parts)


def _is_type(text: str) -> bool:
    return re.split(r"[(!:]", text.lstrip(), maxsplit=1)[0].lower() not in _FOOTERS


def _message(text: str) -> tuple[str, str]:
    import textwrap  # noqa: PLC0415 - as above

    subject, _, body = text.strip().partition("\n")
    return subject.strip(), textwrap.dedent(body).strip("\n")
