"""Options by which somebody passes windows and freezes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairway.domain.cadence.policy import Passage


@dataclass(frozen=True, slots=True)
class Passing:
    """Why it begins although it may not be the time for it.

    Attributes:
        emergency: why windows and freezes are passed, for the record.
        security: the same, for the repair of a weakness.
    """

    emergency: str | None = None
    security: str | None = None

    @property
    def passage(self) -> "Passage | None":
        """As the use cases take it.

        Raises:
            UserError: both are given, or without a reason.
        """
        if self.emergency is None and self.security is None:
            return None
        from fairway.usecases.cadence.gate import passage_of

        return passage_of(self.emergency, self.security)


NO_PASSING = Passing()
