"""Evidence that the candidate keeps an objective of the user's: a greatest share of requests that fail, or are slow.

The test of `errors` against an absolute limit. Stable's share is what is bet on, because a candidate like stable is
what one hopes for; where stable itself is near the limit, many requests are needed.
"""

from dataclasses import dataclass, field
from math import inf

from fairway.domain.analysis.lanes.lane import Reading
from fairway.domain.analysis.lanes.objective import ObjectiveTest
from fairway.domain.analysis.lanes.tail_window import TailWindow
from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.within import ErrorEvidence


@dataclass(slots=True)
class ObjectiveEvidence:
    """Evidence for one objective.

    Attributes:
        name: of the lane that looks for the opposite.
        words: the objective in words.
        limit: greatest share of requests that may count against the candidate.
        slower: microseconds; a request that took longer counts, a failed one as well; None: only failed ones do.
        seconds: age of the open block.
        open: what it has counted; not used where slow requests count.
        window: the open block where slow requests count.
        dispersion: by which the open block will be tempered, as known when it began.
    """

    name: str
    words: str
    limit: float
    slower: float | None
    seconds: float = 0.0
    open: Tally = field(default_factory=Tally)
    window: TailWindow = field(default_factory=TailWindow)
    known: ErrorEvidence = field(default_factory=ErrorEvidence)
    dispersion: float = 1.0

    @classmethod
    def of(cls, name: str, test: ObjectiveTest) -> "ObjectiveEvidence":
        """Nothing shown yet of what a lane tests."""
        return cls(name, test.words, test.limit, test.slower)

    @property
    def margin(self) -> Margin:
        """What has to be refuted that the candidate is beyond."""
        return Margin(0.0, self.limit)

    def discard(self) -> None:
        """Discards the open block: another stretch begins."""
        self.seconds, self.open = 0.0, Tally()
        self.window.close()

    def observe(self, reading: Reading, *, length: float) -> bool:
        """Adds a reading; closes the block when its time has come.

        Returns:
            Whether a block was closed.
        """
        left_out = reading.warming or reading.incident
        if self.slower is not None and self.window.series != reading.histograms.series:
            self._open(reading, left_out=left_out)
            return False
        if self.seconds == 0.0:
            if left_out and not self.window.is_open:
                return False
            self.dispersion = reading.dispersion
        self.seconds += reading.seconds
        self.open.add(reading.tally)
        self.window.add(reading.tally)
        if self.seconds + reading.half < length:
            return False  # the next reading is as near to the block's end as this one, or nearer
        block = self._counts(reading)
        if not block.candidate_finished or not block.stable_finished:
            return False
        self.known.grow(block, self.margin, dispersion=self.dispersion)
        self._open(reading, left_out=left_out)
        return True

    def rest(self, length: float, *, left_out: bool) -> float:
        """Seconds until the open block, of that length, may close; 0 where one may begin with the next reading."""
        if left_out and not (self.seconds or self.window.is_open):
            return inf
        return 0.0 if self.slower is not None and not self.window.is_open else length - self.seconds

    def _open(self, reading: Reading, *, left_out: bool) -> None:
        """Begins a block at the end of a reading, where one may begin."""
        self.discard()
        if self.slower is not None and not left_out:
            self.window.open(reading.histograms, [self.slower], [self.slower])

    def _counts(self, reading: Reading) -> Tally:
        """The open block, with slow requests in the place of failed ones where they count."""
        if self.slower is None:
            return self.open
        (n_c, (slow_c,)), (n_s, (slow_s,)) = self.window.counts(reading.histograms)
        return Tally(n_c, slow_c, n_s, slow_s)
