"""The five kinds of exceptions that callers treat differently.

An expected "no" is a value, never an exception. Each error carries a stable code, one sentence that quotes the
offending value, and a hint that says what to do. Adapters translate library exceptions into these; nothing else
crosses a port.
"""


class FairwayError(Exception):
    """An error with a stable code, one sentence and a hint.

    Args:
        code: stable identifier in kebab-case, for programs.
        message: one sentence that quotes the offending value and says where it stands.
        hint: what to do about it; may be empty where there is nothing to do.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class UserError(FairwayError):
    """The input is wrong: fix it. Exit status 2."""


class TransientError(FairwayError):
    """Could not be done now; the same call may succeed later."""


class PermanentError(FairwayError):
    """The platform refuses; trying again without a change is useless."""


class AmbiguousError(FairwayError):
    """Sent, but no answer came: observe before doing anything else."""


class InvariantError(FairwayError):
    """A fault in Fairway itself: this run stops and waits for a person."""
