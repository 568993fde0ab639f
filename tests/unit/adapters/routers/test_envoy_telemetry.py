"""What counts as what, from recorded answers of the admin socket."""

import re

import pytest

from fairway.adapters.routers.envoy.admin import DROPPED_MERGES, Admin, Host
from fairway.adapters.routers.envoy.telemetry import read_traffic
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend

BACKEND = Backend("1.0", (Endpoint("1.0.1", "127.0.0.1", 9001),), (Endpoint("1.0.2", "127.0.0.1", 9002),))
USUAL = Host(checked=True, healthy=True, ejected=False, draining=False, active=3)


class Recorded(Admin):
    """An admin socket that answers what it is told."""

    def __init__(self, tmp_path, readings, *, dropped=(0,)):
        super().__init__(tmp_path)
        self.readings = list(readings)
        self.dropped = list(dropped)

    def dropped_merges(self):
        return self.dropped.pop(0)

    def used_stats(self, pattern):
        self.pattern = pattern
        return self.readings.pop(0)

    def hosts(self):
        return {"1.0": {("127.0.0.1", 9001): USUAL}}

    def origin(self):
        return "1.2"


def counter(code, flags, number="1", value=1, instance="1%2E0%2E1"):
    name = f"attempts.ended.revision.1%2E0.instance.{instance}.code.{code}.flags.{flags}.try.{number}"
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    ("code", "flags", "finished", "failed", "abandoned"),
    [
        ("200", "-", 1, 0, 0),
        ("404", "-", 1, 0, 0),
        ("500", "-", 1, 1, 0),
        ("503", "-", 1, 1, 0),
        ("0", "UF", 1, 1, 0),
        ("0", "UC", 1, 1, 0),
        ("0", "UT", 1, 1, 0),
        ("200", "UPE", 1, 1, 0),
        ("101", "UC", 1, 0, 0),
        ("0", "-", 0, 0, 1),
        ("0", "DC", 0, 0, 1),
        ("200", "DC", 1, 0, 0),
    ],
)
def test_attempts_are_finished_failed_or_abandoned(tmp_path, code, flags, finished, failed, abandoned):
    traffic = read_traffic(Recorded(tmp_path, [[counter(code, flags)]]), (BACKEND,), at=1.0).of("1.0")
    assert (traffic.finished, traffic.failed, traffic.abandoned) == (finished, failed, abandoned)


def test_tries_after_the_first_are_told_apart(tmp_path):
    reading = [counter("200", "-", "1", 5), counter("200", "-", "2", 3), counter("500", "-", "2", 2)]
    traffic = read_traffic(Recorded(tmp_path, [reading]), (BACKEND,), at=1.0).of("1.0")
    assert (traffic.finished, traffic.failed, traffic.retried, traffic.retried_failed) == (10, 2, 5, 2)


def test_instances_that_are_gone_still_count(tmp_path):
    reading = [counter("200", "-", value=5), counter("500", "-", instance="gone", value=2)]
    snapshot = read_traffic(Recorded(tmp_path, [reading]), (BACKEND,), at=12.5)
    assert (snapshot.at, snapshot.origin) == (12.5, "1.2")
    found = {one.instance: (one.finished, one.failed, one.healthy, one.active) for one in snapshot.of("1.0").instances}
    assert found == {"1.0.1": (5, 0, True, 3), "1.0.2": (0, 0, False, 0), "gone": (2, 2, False, 0)}


def test_a_reading_during_a_merge_is_made_again(tmp_path):
    early = [counter("200", "-"), {"name": DROPPED_MERGES, "value": 8}]
    totals = [{"lower_bound": 100, "width": 10, "count": 2}]
    details = {"histograms": {"details": [histogram("1%2E0%2E1", totals)]}}
    late = [counter("200", "-", value=2), {"name": DROPPED_MERGES, "value": 8}, details]
    traffic = read_traffic(Recorded(tmp_path, [early, late], dropped=(7,)), (BACKEND,), at=1.0).of("1.0")
    assert (traffic.finished, traffic.latency) == (2, ((100.0, 10.0, 2),))


def test_the_latency_of_a_revision_is_that_of_all_its_instances(tmp_path):
    first = [{"lower_bound": 100, "width": 10, "count": 2}, {"lower_bound": 120, "width": 10, "count": 1}]
    second = [{"lower_bound": 110, "width": 10, "count": 5}, {"lower_bound": 120, "width": 10, "count": 4}]
    details = {"histograms": {"details": [histogram("1%2E0%2E1", first), histogram("gone", second)]}}
    traffic = read_traffic(Recorded(tmp_path, [[details]]), (BACKEND,), at=1.0).of("1.0")
    assert traffic.latency == ((100.0, 10.0, 2), (110.0, 10.0, 5), (120.0, 10.0, 5))
    found = {one.instance: sum(count for _, _, count in one.latency) for one in traffic.instances}
    assert found == {"1.0.1": 3, "1.0.2": 0, "gone": 9}


def histogram(instance, totals):
    return {"name": f"attempts.time.revision.1%2E0.instance.{instance}", "totals": totals}


def test_only_instances_that_serve_or_served_in_this_run_are_read(tmp_path):
    """Envoy keeps the counters of all that ever were: each release that is brought back would make them more."""
    admin = Recorded(tmp_path, [[]])
    read_traffic(admin, (BACKEND,), at=1.0, left=(("1.0", "1.0.0"),))
    names = [counter("200", "-", instance=f"1%2E0%2E{number}")["name"] for number in (0, 1, 2, 3, 11)]
    assert [bool(re.search(admin.pattern, name)) for name in names] == [True, True, True, False, False]
    times = [histogram(f"1%2E0%2E{number}", [])["name"] for number in (0, 1, 2, 3, 11)]
    assert [bool(re.search(admin.pattern, name)) for name in times] == [True, True, True, False, False]
    assert re.search(admin.pattern, DROPPED_MERGES)


def test_workers_are_awaited_through_a_whole_merge(tmp_path):
    admin = Recorded(tmp_path, [], dropped=(5, 6, 7, 7, 8, 8, 99))
    admin.await_workers(patience=5)
    # Asked at 5; 6 and 7 were dropped by a merge of before; the two that count are the equal ones.
    assert admin.dropped == [99]
