from fairway.domain.analysis.counters import Counters
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot


def snapshot(at, candidate, stable, *, origin="first"):
    revisions = []
    for name, counts in (("c", candidate), ("s", stable)):
        finished, failed, retried, retried_failed = (*counts, 0, 0)[:4]
        revisions.append(RevisionTraffic(name, finished, failed, retried=retried, retried_failed=retried_failed))
    return TrafficSnapshot(at, origin, tuple(revisions))


def read(counters, *args, **kwargs):
    return counters.read(snapshot(*args, **kwargs), candidate="c", stable="s")


def test_the_first_snapshot_only_says_where_counting_begins():
    counters = Counters()
    assert read(counters, 1.0, (10, 1), (90, 2)) is None
    assert read(counters, 1.25, (15, 2), (95, 2)) == (0.25, Tally(5, 1, 5, 0))


def test_second_tries_are_kept_apart_on_both_sides():
    counters = Counters()
    read(counters, 1.0, (0, 0), (0, 0))
    assert read(counters, 2.0, (10, 4, 2, 1), (30, 5, 6, 2)) == (1.0, Tally(8, 3, 24, 3, 6, 2))


def test_counters_that_began_again_lose_that_stretch_and_nothing_else():
    counters = Counters()
    read(counters, 1.0, (100, 50), (900, 2))
    assert read(counters, 2.0, (500, 300), (1900, 4), origin="second") is None
    assert read(counters, 3.0, (501, 300), (1909, 4), origin="second") == (1.0, Tally(1, 0, 9, 0))
    assert read(counters, 4.0, (3, 3), (1950, 4), origin="second") is None
    assert read(counters, 5.0, (4, 3), (1951, 4), origin="second") == (1.0, Tally(1, 0, 1, 0))


def test_a_jump_of_the_clock_adds_two_seconds_at_most_and_never_less_than_none():
    counters = Counters()
    read(counters, 5000.0, (0, 0), (0, 0))
    assert read(counters, 8600.0, (7, 0), (0, 0)) == (2.0, Tally(7, 0, 0, 0))
    assert read(counters, 5000.0, (9, 0), (0, 0)) == (0.0, Tally(2, 0, 0, 0))


def test_a_revision_that_never_served_counts_as_zero_and_no_stable_counts_as_nothing():
    counters = Counters()
    only = TrafficSnapshot(1.0, "o", (RevisionTraffic("c", 5, 0),))
    counters.read(only, candidate="c", stable=None)
    later = TrafficSnapshot(2.0, "o", (RevisionTraffic("c", 8, 1), RevisionTraffic("s", 50, 50)))
    assert counters.read(later, candidate="c", stable=None) == (1.0, Tally(3, 1, 0, 0))


def test_more_failures_than_requests_are_made_to_fit():
    counters = Counters()
    read(counters, 1.0, (0, 0), (0, 0))
    assert read(counters, 2.0, (3, 9), (4, 1, 9, 9)) == (1.0, Tally(3, 3, 0, 0, 4, 4))
