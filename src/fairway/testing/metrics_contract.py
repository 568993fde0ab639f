"""What every source of metrics must keep: subclass, say how to prepare it, and run."""

import math
from abc import ABC, abstractmethod

import pytest

from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.metrics import MetricSource


class MetricSourceContract(ABC):
    """Subclasses offer a source over four known queries, and a time at which they have their answers."""

    @abstractmethod
    def source(self) -> MetricSource:
        """The source under test."""

    @abstractmethod
    def unreachable(self) -> MetricSource:
        """One of the same kind that nobody answers for."""

    @property
    @abstractmethod
    def at(self) -> float:
        """When the queries have their answers, seconds since the epoch, UTC."""

    #: Queries: one number, 7; two series, 1 and 2; no series; not a number; what the source must refuse.
    seven: str
    two: str
    nothing: str
    nan: str
    wrong: str

    def test_a_number_is_given_as_it_is(self) -> None:
        """One series, one number."""
        assert [value for _, value in self.source().read(self.seven, at=self.at)] == [7.0]

    def test_series_are_told_apart_and_keep_their_names(self) -> None:
        """Two calls tell them apart alike."""
        first = self.source().read(self.two, at=self.at)
        assert sorted(value for _, value in first) == [1.0, 2.0]
        assert len({name for name, _ in first}) == 2
        assert self.source().read(self.two, at=self.at) == first

    def test_no_series_is_an_answer_and_no_zero(self) -> None:
        """Nothing is nothing."""
        assert self.source().read(self.nothing, at=self.at) == ()

    def test_what_is_not_a_number_is_passed_on_as_such(self) -> None:
        """What it means is for others to say."""
        ((_, value),) = self.source().read(self.nan, at=self.at)
        assert math.isnan(value)

    def test_a_query_that_is_wrong_is_refused_for_good(self) -> None:
        """Trying again would be useless."""
        with pytest.raises(PermanentError) as refused:
            self.source().read(self.wrong, at=self.at)
        assert refused.value.message

    def test_nobody_there_may_pass(self) -> None:
        """It may be there again later."""
        with pytest.raises(TransientError) as missed:
            self.unreachable().read(self.seven, at=self.at)
        assert missed.value.message
