"""How much more the failures of equal instances vary than independent failures would.

Failures that come in clusters on one instance (a node that hiccups, a client that hammers) look like a fault of the
candidate to every test that counts requests. How clustered they usually are shows between the instances of one
revision: in blocks of 30 s, Pearson's dispersion of the counts given the block's total, 1 for independent failures. The
logarithms of e-values are divided by it, which costs nothing at 1 and is the quasi-likelihood correction (Wedderburn
1974; McCullagh and Nelder 1989, section 4.5) otherwise. It is no theorem for heavy clusters: the cap per block is there
as well.

It is believed after ten minutes, and shrunk towards 1.5 as if that had been seen with 20 degrees of freedom. Only
closed blocks count, so that the correction of a block is known before it. What an environment's live revision showed at
the end of its own rollout counts at the beginning of the next.
"""

from dataclasses import dataclass, field

from fairway.domain.analysis.traffic import InstanceTraffic

BLOCK = 30.0
ENOUGH = 600.0
USUAL, WORTH = 1.5, 20.0


@dataclass(slots=True)
class Dispersion:
    """The failures of one revision's instances.

    Attributes:
        seconds: in closed blocks.
        pearson: sum of Pearson's statistic over the blocks in which something failed.
        freedom: its degrees of freedom.
        age: seconds of the open block.
        series: of the counts at its beginning; -1 before the first.
        counts: finished and failed attempts of each instance at its beginning.
    """

    seconds: float = 0.0
    pearson: float = 0.0
    freedom: int = 0
    age: float = 0.0
    series: int = -1
    counts: dict[str, list[int]] = field(default_factory=dict)

    def observe(self, seconds: float, instances: tuple[InstanceTraffic, ...], *, series: int, shared: bool) -> None:
        """Adds a reading.

        Args:
            seconds: since the last.
            instances: cumulative counts, all of one reading.
            series: number of times that counting began again.
            shared: an incident hit everyone; the block that it falls into says nothing.
        """
        if series != self.series or shared:
            self._begin(instances, series)
            return
        self.age += seconds
        if self.age >= BLOCK:
            self._close(instances)
            self._begin(instances, series)

    @property
    def rest(self) -> float:
        """Seconds until the open block closes."""
        return BLOCK - self.age

    @property
    def factor(self) -> float:
        """What logarithms of e-values are divided by: 1 or more."""
        if self.seconds < ENOUGH:
            return 1.0
        return max(1.0, (USUAL * WORTH + self.pearson) / (WORTH + self.freedom))

    @property
    def calm(self) -> bool:
        """It is known that failures come nearly independently."""
        return self.seconds >= ENOUGH and self.factor < USUAL

    def taken_over(self) -> "Dispersion":
        """What is known, for another rollout with other counters."""
        return Dispersion(self.seconds, self.pearson, self.freedom)

    def _begin(self, instances: tuple[InstanceTraffic, ...], series: int) -> None:
        self.age, self.series = 0.0, series
        self.counts = {one.instance: [one.finished, one.failed] for one in instances}

    def _close(self, instances: tuple[InstanceTraffic, ...]) -> None:
        pairs = []
        for one in instances:
            finished, failed = self.counts.get(one.instance, [0, 0])
            pairs.append((one.finished - finished, one.failed - failed))
        pairs = [(n, x) for n, x in pairs if n > 0 and 0 <= x <= n]
        self.seconds += self.age
        total, failed = sum(n for n, _ in pairs), sum(x for _, x in pairs)
        if len(pairs) < 2 or not 0 < failed < total:
            return
        share = failed / total
        self.pearson += sum((x - n * share) ** 2 / (n * share * (1.0 - share)) for n, x in pairs)
        self.freedom += len(pairs) - 1
