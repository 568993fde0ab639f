"""Two runs in one process that take turns, so short that whatever else the machine does meets both alike.

First, second, second, first, and so on. A turn ends when all of its requests are answered, so that neither waits for
the other. Connections stay open from turn to turn.
"""

import math
from collections.abc import Sequence

from fairway.adapters.load.generator import Generator
from fairway.adapters.load.plan import LoadPlan
from fairway.adapters.load.report import Report

#: A turn that took this part of the time for a request longer than it should: the other's would come too late.
_HUNG = 0.9


class Turns:
    """The runs of two plans alike.

    Args:
        plans: what to send to each.
        length: seconds of a turn; it is made shorter so that turns fill the duration of the plans.
    """

    def __init__(self, plans: Sequence[LoadPlan], length: float) -> None:
        self._plans = plans
        self._runs = [Generator(plan, lambda _: None) for plan in plans]
        # An even number: then each is as often the first of its pair of turns as the second one.
        self._count = 2 * max(1, round(plans[0].duration / length / 2))

    def stop(self) -> None:
        """Sends nothing more; may be called from a signal handler."""
        for run in self._runs:
            run.stop()

    def run(self) -> tuple[Report, ...]:
        """All turns, and a report of each run. Where requests are not answered in time no further turn begins."""
        for run, plan in zip(self._runs, self._plans, strict=True):
            run.open(0 if plan.stop_on_eof else None)
        try:
            if self._plans[0].warmup:
                for run, plan in zip(self._runs, self._plans, strict=True):
                    run.take_turn(plan.warmup)
            for run in self._runs:
                run.count_from_now()
            self._take_turns()
            return tuple(run.report() for run in self._runs)
        finally:
            for run in self._runs:
                run.close()

    def _take_turns(self) -> None:
        length = self._plans[0].duration / self._count
        for number in range(self._count):
            order = (0, 1) if number % 2 == 0 else (1, 0)
            late = [self._runs[which].take_turn(length) / self._plans[which].timeout for which in order]
            if max(late) > _HUNG:
                return


def longest(plan: LoadPlan) -> float:
    """Seconds of a turn in which a request is sent, whatever the rate, and not much more."""
    return max(TURN, 1.0 / plan.rate) if plan.rate and math.isfinite(plan.rate) else TURN


#: Seconds of a turn. The shorter, the more alike is what both meet; the longer, the more a turn is like steady load.
TURN = 0.1
