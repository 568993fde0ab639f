"""What a cumulative latency histogram answers: how many were slower than an edge, and where the quantiles lie.

Cells come from the data plane as they are; where its edges lie is not assumed. A cell counts as slower than an edge if
it begins there or above, so that an edge between two cells means the next one up.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import log

from fairway.domain.analysis.latency import Cell

ROUNDING = 1.0 - 1e-9
"""A product that should be an edge may miss it by the last digit."""


class Distribution:
    """One histogram, indexed when first asked.

    Args:
        cells: `(lower edge, width, count)` by lower edge, in microseconds.
    """

    __slots__ = ("_above", "_lowers", "cells")

    def __init__(self, cells: Sequence[Cell] = ()) -> None:
        self.cells = cells
        self._lowers: tuple[float, ...] | None = None
        self._above: list[int] = [0]

    @property
    def total(self) -> int:
        """How many there are."""
        self._index()
        return self._above[0]

    def slower(self, edge: float) -> int:
        """How many lie in cells that begin at the edge or above."""
        lowers = self._index()
        return self._above[bisect_left(lowers, edge * ROUNDING)]

    def edges(self, shares: Sequence[float]) -> tuple[tuple[float, float], ...]:
        """For each wanted tail share the edge whose share is nearest, with that share.

        Shares are kept away from 0 and 1 by half a request: an edge that nobody was slower than may be passed by the
        next one. Empty when there is no request.
        """
        lowers, total = self._index(), self.total
        if not total:
            return ()
        found = []
        last, width, _ = self.cells[-1]
        places = [*lowers, last + width]
        for wanted in shares:
            # The counts above the edges fall from all to none; the nearest one is beside where the wanted one belongs.
            after = bisect_left(self._above, -wanted * total, key=lambda count: -count)
            near = [place for place in (after - 1, after) if 0 < place < len(places)] or [len(places) - 1]
            tails = [(max(0.5, min(total - 0.5, self._above[place])) / total, place) for place in near]
            share, place = min(tails, key=lambda tail: abs(log(tail[0] / wanted)))
            found.append((places[place], share))
        return tuple(found)

    def _index(self) -> tuple[float, ...]:
        if self._lowers is None:
            self._lowers, counts = (), ()
            if self.cells:
                self._lowers, _, counts = zip(*self.cells, strict=True)
            self._above = list(accumulate(counts[::-1], initial=0))
            self._above.reverse()
        return self._lowers


NO_DISTRIBUTION = Distribution()
