"""Sustained thresholds: a condition that is true at every look for long enough.

Rules:
- Time between two looks counts if the condition was true at both of them; the first true look counts nothing.
- One look at which it is false begins anew.
- A look without an answer counts as neither: the time stands still. After `patience` seconds without an answer what
  was gathered is forgotten, because nobody knows what happened meanwhile.
- Once a rule that takes the candidate back was fulfilled it stays so; one that holds lets go when its condition is
  false.
"""

from dataclasses import dataclass
from typing import Literal

Answer = Literal["true", "false", "no-data", "error"]


@dataclass(slots=True)
class Sustained:
    """How long a condition has been true.

    Attributes:
        seconds: for which it has been true, without the times at which nobody knew.
        true: it was true when it was last known.
        answer: what came of the last look; None before the first.
        unknown: seconds since there was an answer.
        why: why there was none, half a sentence.
    """

    seconds: float = 0.0
    true: bool = False
    answer: Answer | None = None
    unknown: float = 0.0
    why: str = ""

    def observe(self, answer: Answer, seconds: float, *, patience: float, why: str = "") -> None:
        """Adds a look.

        Args:
            answer: what the condition says now.
            seconds: since the look before, as far as they were watched.
            patience: seconds without an answer after which nothing is left of what was gathered.
            why: why there is no answer.
        """
        before, self.answer, self.why = self.answer, answer, why
        if answer == "true":
            self.seconds += seconds if before == "true" else 0.0
            self.true, self.unknown = True, 0.0
        elif answer == "false":
            self.seconds, self.true, self.unknown = 0.0, False, 0.0
        else:
            self.unknown += seconds
            if self.unknown >= patience:
                self.seconds, self.true = 0.0, False

    def fulfilled(self, lasting: float) -> bool:
        """It is true and has been for so many seconds."""
        return self.answer == "true" and self.seconds >= lasting - 1e-9
