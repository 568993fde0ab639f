"""A source of metrics in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fairway.domain.errors import FairwayError, PermanentError
from fairway.ports.metrics import Series

Answer = tuple[Series, ...] | FairwayError


@dataclass(slots=True)
class FakeSource:
    """Answers by query.

    Attributes:
        answers: what comes of a query, or what is raised; a function is asked each time.
        asked: what was asked, with its time, in this order.
    """

    answers: dict[str, Answer | Callable[[float], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)

    def read(self, query: str, *, at: float) -> tuple[Series, ...]:
        """See the port."""
        self.asked.append((query, at))
        if query not in self.answers:
            raise PermanentError("metrics-query", f"nobody knows the query {query!r}")
        answer = self.answers[query]
        found = answer(at) if callable(answer) else answer
        if isinstance(found, FairwayError):
            raise found
        return tuple(sorted(found))
