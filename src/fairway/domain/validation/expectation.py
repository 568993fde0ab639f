"""What is expected of an answer: status, time, headers, text, and values within a JSON body."""

from dataclasses import dataclass, field
from typing import Any, Literal

Operator = Literal["equals", "not", "exists", "matches", "contains", "at_least", "at_most", "length", "type"]


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a value must be.

    Attributes:
        path: a JSON path, or the name of a header.
        operator: how it is compared.
        value: with what.
    """

    path: str
    operator: Operator
    value: Any

    def describe(self) -> str:
        """In words."""
        words = {"equals": "", "not": "not ", "at_least": "at least ", "at_most": "at most ", "matches": "matching "}
        if self.operator == "exists":
            return f"{self.path} {'present' if self.value else 'absent'}"
        return f"{self.path} {words.get(self.operator, self.operator + ' ')}{self.value!r}".replace("  ", " ")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer must be like. Everything given must hold.

    Attributes:
        status: the statuses allowed; empty: any 2xx.
        contains: texts that the body must contain.
        seconds: the longest time; None: any.
        headers: about values of headers.
        body: about values within a JSON body.
    """

    status: tuple[int, ...] = ()
    contains: tuple[str, ...] = ()
    seconds: float | None = None
    headers: tuple[Assertion, ...] = ()
    body: tuple[Assertion, ...] = field(default=())
