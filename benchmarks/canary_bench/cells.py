"""A histogram that grows from tick to tick, as a proxy shows it: put together only when somebody reads it.

Most readings of a rollout lie within a block, and nobody looks at their latencies. To show all of them anyway took half
of the benchmark's time.
"""

from collections.abc import Iterator, Sequence
from typing import cast, overload

import numpy as np

from benchmarks.canary_bench.latency import LOWER, WIDTH, Histogram
from fairway.domain.analysis.latency import Cell

Cells = tuple[Cell, ...]


class Growth:
    """The cumulative histograms of one revision.

    Args:
        histogram: what is answered in each tick.
    """

    def __init__(self, histogram: Histogram) -> None:
        self._new = histogram.counts
        self._lower, self._width = LOWER[histogram.cells], WIDTH[histogram.cells]
        self._counted = np.zeros(self._new.shape[1:], dtype=np.int64)
        self._ticks = 0
        self._empty = not len(histogram.cells)

    def at(self, tick: int, instance: int | None) -> Cells:
        """All cells with something in them at the end of a tick, by lower edge.

        Args:
            tick: which.
            instance: which; None: all together.
        """
        return () if self._empty else cast("Cells", _Unread(self, tick, instance))

    def read(self, tick: int, instance: int | None) -> Cells:
        """What `at` stands for."""
        if tick + 1 < self._ticks:
            self._counted[:], self._ticks = 0, 0
        if tick + 1 > self._ticks:
            self._counted += self._new[self._ticks : tick + 1].sum(axis=0)
            self._ticks = tick + 1
        counts = self._counted.sum(axis=0) if instance is None else self._counted[instance]
        used = np.flatnonzero(counts)
        return tuple(zip(self._lower[used].tolist(), self._width[used].tolist(), counts[used].tolist(), strict=True))


class _Unread(Sequence[Cell]):
    """Cells that are put together at the first look."""

    __slots__ = ("_cells", "_growth", "_instance", "_tick")

    def __init__(self, growth: Growth, tick: int, instance: int | None) -> None:
        self._growth, self._tick, self._instance = growth, tick, instance
        self._cells: Cells | None = None

    @overload
    def __getitem__(self, place: int) -> Cell: ...
    @overload
    def __getitem__(self, place: slice) -> Cells: ...
    def __getitem__(self, place: int | slice) -> Cell | Cells:
        return self._read()[place]

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._read())

    def __reversed__(self) -> Iterator[Cell]:
        return reversed(self._read())

    def _read(self) -> Cells:
        if self._cells is None:
            self._cells = self._growth.read(self._tick, self._instance)
        return self._cells
