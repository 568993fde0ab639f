"""Secrets that checks use."""

from fairway.domain.validation.findings import Finding, errored


class NoSecret(Exception):  # noqa: N818 -- it is what happened
    """A secret has no value.

    Args:
        name: of the secret.
        why: a sentence, without anything that is secret.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name = name
        self.why = why

    def finding(self, subject: str) -> Finding:
        """What it means for a question."""
        return errored("no-secret", subject, f"a value for {self.name}", self.why)
