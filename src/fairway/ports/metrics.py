"""Metrics from elsewhere, and conditions over them."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

Series = tuple[str, float]
"""What tells a series from the others of the same answer, and its number, which may be NaN."""

Verdict = Literal["true", "false", "no-data", "error"]


class MetricSource(Protocol):
    """Answers queries in a language of its own."""

    def read(self, query: str, *, at: float) -> tuple[Series, ...]:
        """What the query gives at that time.

        Queries with the same time are answered from the same moment: nothing that arrives between them shows.

        Args:
            query: with all placeholders replaced.
            at: seconds since the epoch, UTC.

        Returns:
            The series, ordered by what tells them apart; none is an answer too.

        Raises:
            TransientError: the source could not be reached, or not answer in time.
            PermanentError: it refuses the query, or gives something else than numbers.
        """
        ...


class Condition(Protocol):
    """A condition over named numbers."""

    def ask(self, values: Mapping[str, Any]) -> tuple[Verdict, str]:
        """What the condition says of these numbers, and why if it says nothing.

        A number that is missing is no data, unless the others decide alone, as in `a || b` with `a` true. It never
        counts as zero, as true or as false.

        Args:
            values: numbers by name; `candidate` and `stable` hold theirs in a mapping.
        """
        ...


class Conditions(Protocol):
    """A language of conditions."""

    def compile(self, text: str) -> Condition:
        """Reads a condition.

        Raises:
            UserError: it is none; the sentence says why.
        """
        ...
