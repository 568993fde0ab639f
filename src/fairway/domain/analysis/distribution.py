"""What a cumulative latency histogram answers: how many were slower than an edge, and where the quantiles lie.

Cells come from the data plane as they are; where its edges lie is not assumed. A cell counts as slower than an edge if
it begins there or above, so that an edge between two cells means the next one up.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import log
from operator import itemgetter

from fairway.domain.analysis.latency import Cell

_COUNT = itemgetter(2)

ROUNDING = 1.0 - 1e-9
"""A product that should be an edge may miss it by the last digit."""


class Distribution:
    """One histogram, indexed when first asked.

    Args:
        cells: `(lower edge, width, count)` by lower edge, in microseconds.
    """

    __slots__ = ("_above", "cells")

    def __init__(self, cells: Sequence[Cell] = ()) -> None:
        self.cells = cells
        self._above: list[int] | None = None

    @property
    def total(self) -> int:
        """How many there are."""
        return self._index()[-1]

    def slower(self, edge: float) -> int:
        """How many lie in cells that begin at the edge or above."""
        return self._index()[len(self.cells) - bisect_left(self.cells, (edge * ROUNDING,))]

    def tails(self, edges: Sequence[float]) -> list[int]:
        """How many there are, then how many are slower than each edge."""
        last, cells, size = self._index(), self.cells, len(self.cells)
        return [last[-1]] + [last[size - bisect_left(cells, (edge * ROUNDING,))] for edge in edges]

    def edges(self, shares: Sequence[float]) -> tuple[tuple[float, float], ...]:
        """For each wanted tail share the edge whose share is nearest, with that share.

        Shares are kept away from 0 and 1 by half a request: an edge that nobody was slower than may be passed by the
        next one. Empty when there is no request.
        """
        above = self._index()[::-1]
        total = above[0]
        if not total:
            return ()
        found = []
        last, width, _ = self.cells[-1]
        places = [*(cell[0] for cell in self.cells), last + width]
        for wanted in shares:
            # The counts above the edges fall from all to none; the nearest one is beside where the wanted one belongs.
            after = bisect_left(above, -wanted * total, key=lambda count: -count)
            near = [place for place in (after - 1, after) if 0 < place < len(places)] or [len(places) - 1]
            tails = [(max(0.5, min(total - 0.5, above[place])) / total, place) for place in near]
            share, place = min(tails, key=lambda tail: abs(log(tail[0] / wanted)))
            found.append((places[place], share))
        return tuple(found)

    def _index(self) -> list[int]:
        """How many lie in the last cells: in none, in the last one, in the last two, …."""
        if self._above is None:
            self._above = list(accumulate(map(_COUNT, reversed(self.cells)), initial=0))
        return self._above


NO_DISTRIBUTION = Distribution()
