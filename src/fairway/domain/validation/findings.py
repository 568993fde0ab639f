"""What a check found: expected, came, the likely cause, what to do; and what all findings together say."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from fairway.domain.validation.meanings import meaning_of

Outcome = Literal["passed", "failed", "warning", "errored", "skipped"]
Verdict = Literal["passed", "failed", "errored"]

#: Characters of an answer that a finding quotes.
QUOTED = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer to one question.

    Attributes:
        subject: what was asked, such as `GET /health`.
        outcome: `failed`: the answer is no; `warning`: it is no, and nobody required a yes; `errored`: there was no
            answer; `skipped`: there was nothing to ask.
        code: stable name of what was found; `ok` where all was well.
        check: name of the check, as in the configuration.
        seconds: how long the question took; 0: it was answered together with others.
    """

    subject: str
    outcome: Outcome
    code: str
    expected: str = ""
    came: str = ""
    check: str = ""
    seconds: float = 0.0

    @property
    def cause(self) -> str:
        """The likely cause; empty where all was well."""
        return meaning_of(self.code).cause

    @property
    def advice(self) -> str:
        """What to do; empty where all was well."""
        return meaning_of(self.code).advice

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        expected = f", expected {self.expected}" if self.expected else ""
        return f"{self.subject}: {self.came}{expected}"


def passed(subject: str, expected: str, came: str) -> Finding:
    """The answer is yes."""
    return Finding(subject, "passed", "ok", expected, came)


def failed(code: str, subject: str, expected: str, came: str) -> Finding:
    """The answer is no."""
    return Finding(subject, "failed", code, expected, came)


def errored(code: str, subject: str, expected: str, came: str) -> Finding:
    """There was no answer."""
    return Finding(subject, "errored", code, expected, came)


def skipped(code: str, subject: str, came: str) -> Finding:
    """There was nothing to ask."""
    return Finding(subject, "skipped", code, "", came)


def lenient(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of a check that nobody requires: what failed is a warning."""
    return tuple(replace(one, outcome="warning") if one.outcome == "failed" else one for one in findings)


def quoted(text: str) -> str:
    """The beginning of an answer, on one line."""
    line = " ".join(text.split())
    return repr(line if len(line) <= QUOTED else line[:QUOTED] + "…")


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one validation.

    Attributes:
        target: what was validated.
        seconds: how long it took.
    """

    target: str
    findings: tuple[Finding, ...]
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """A no outweighs a question without an answer; nothing that passed is no answer either."""
        if self.count("failed"):
            return "failed"
        return "errored" if self.count("errored") or not self.count("passed") else "passed"

    def count(self, outcome: Outcome) -> int:
        """How many findings ended so."""
        return sum(finding.outcome == outcome for finding in self.findings)

    @property
    def summary(self) -> str:
        """The counts in words, those of zero left out."""
        outcomes: tuple[Outcome, ...] = ("passed", "failed", "warning", "errored", "skipped")
        words = {"warning": "with a warning", "errored": "without an answer"}
        counts = [f"{self.count(one)} {words.get(one, one)}" for one in outcomes if self.count(one)]
        return ", ".join(counts) or "nothing was checked"

    @property
    def worst(self) -> Finding | None:
        """The first finding that decided, if the verdict is not passed."""
        return next((one for kind in ("failed", "errored") for one in self.findings if one.outcome == kind), None)
