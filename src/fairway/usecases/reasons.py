"""What people give as a reason: it goes into the journal for good, into lists, messages and terminals."""

from fairway.domain.errors import UserError

#: Characters of a reason.
LONGEST = 1000


def as_reason(text: str) -> str:
    """The reason in one line, without blanks around it.

    Raises:
        UserError: it is too long, or holds what a terminal or a log would act on.
    """
    line = " ".join(text.split())
    if len(line) > LONGEST:
        sentence = f"the reason {line[:40]!r}… has {len(line):,} characters, more than {LONGEST:,}"
        raise UserError("reason", sentence, "write where more is to be read, such as a ticket")
    wrong = next((each for each in line if not each.isprintable()), None)
    if wrong is not None:
        raise UserError("reason", f"the reason {line[:40]!r} holds the character {wrong!r}", "write plain text")
    return line
