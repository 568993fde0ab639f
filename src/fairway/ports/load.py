"""Load on a service, and what it costs the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fairway.domain.insight.baseline import Load, Round


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests go.

    Attributes:
        url: `http://host:port` or https, without a path.
        socket: absolute path of a Unix socket to connect to; empty: where the URL says.
    """

    url: str
    socket: str = ""


class LoadGenerator(Protocol):
    """Sends requests at a constant rate, whatever becomes of the ones before."""

    def run(self, place: Place, load: Load) -> Round:
        """Warms up, sends for the duration of one round, and waits for the answers.

        Returns:
            What came. A service that does not answer is a round in which requests failed.

        Raises:
            UserError: the place or the load is none.
            PermanentError: the generator could not be run.
        """
        ...

    def run_in_turn(self, places: tuple[Place, Place], load: Load) -> tuple[Round, Round]:
        """Warms both up, and sends to one at a time, in turns of parts of a second, until each had one round.

        Returns:
            What came of each, in the order of the places.

        Raises:
            As `run` does.
        """
        ...


class ProcessorMeter(Protocol):
    """How much processor time processes take."""

    def read(self, processes: Sequence[int]) -> float | None:
        """Seconds that these processes and all that descend from them used so far.

        Args:
            processes: their ids.

        Returns:
            None where the system does not tell, or one of them is gone.
        """
        ...
