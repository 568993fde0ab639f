"""What every store of measurements must keep: subclass, say how to open it, and run."""

from abc import ABC, abstractmethod
from dataclasses import replace

from fairway.domain.insight.comparison import Comparison, ComparisonPolicy, compare
from fairway.ports.baselines import Baselines
from fairway.testing.baselines import in_turn, sample_baseline


class BaselinesContract(ABC):
    """Subclasses open the same store again and again."""

    @abstractmethod
    def open_baselines(self) -> Baselines:
        """The store under test, as somebody else sees it."""

    def test_a_measurement_comes_back_as_it_was_kept(self) -> None:
        """Every round, every figure."""
        kept = sample_baseline("v1", 9.5, 10.25)
        self.open_baselines().save_baselines(kept)
        assert self.open_baselines().find_baseline("shop", "v1") == kept

    def test_of_one_name_the_latest_counts_and_none_is_lost(self) -> None:
        """Newest first in the list."""
        first, second = sample_baseline("v1", 10.0), sample_baseline("v1", 11.0)
        store = self.open_baselines()
        store.save_baselines(first)
        store.save_baselines(second)
        assert store.find_baseline("shop", "v1") == second
        assert store.list_baselines("shop") == (second, first)
        assert store.list_baselines("shop", limit=1) == (second,)

    def test_services_know_nothing_of_each_other(self) -> None:
        """Neither by name nor in lists."""
        store = self.open_baselines()
        store.save_baselines(sample_baseline("v1"))
        store.save_comparison(replace(_comparison(), service="shop"))
        assert store.find_baseline("other", "v1") is None
        assert store.list_baselines("other") == ()
        assert store.list_comparisons("other") == ()

    def test_a_name_may_hold_anything(self) -> None:
        """People type all sorts of names."""
        name = "https://127.0.0.1:1/ä'\"\x00;--"
        store = self.open_baselines()
        store.save_baselines(sample_baseline(name))
        found = store.find_baseline("shop", name)
        assert found is not None
        assert found.name == name

    def test_a_comparison_comes_back_as_it_was_kept(self) -> None:
        """Intervals without an end too."""
        store = self.open_baselines()
        short = compare(*in_turn(sample_baseline("a", 1.0), sample_baseline("b", 2.0)), ComparisonPolicy(), made=2.0)
        store.save_comparison(_comparison())
        store.save_comparison(short)
        assert self.open_baselines().list_comparisons("shop") == (short, _comparison())


def _comparison() -> Comparison:
    return compare(*in_turn(sample_baseline("a"), sample_baseline("b")), ComparisonPolicy(), made=1.0)
