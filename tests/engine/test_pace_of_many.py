"""A controller of a thousand rollouts: what is quiet is read and saved less often, what is not as ever."""

from dataclasses import replace
from itertools import pairwise

import pytest
from engine_world import Controller, drive_until
from scripts import DEAD

from fairway.domain.analysis import pace
from fairway.domain.analysis.metrics.policy import Metric, MetricsPolicy
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.rollout.events import Held
from fairway.domain.rollout.strategy import Canary
from fairway.engine.judge import READ_EVERY
from rollout_samples import deployment

ANALYSIS = AnalysisPolicy(warmup=0.0)
LONG = deployment(Canary(steps=(10.0, 100.0), bake=180.0), analysis=ANALYSIS)


class Crowd:
    """A street whose controller believes to have so many rollouts; remembers when it was read and saved."""

    def __init__(self, street, others):
        self.street, self.controller = street, Controller(street, "only")
        judge = self.controller.engine.judge
        judge._runs |= dict.fromkeys(f"other-{number}" for number in range(others))
        read, save = judge.read, judge._evidence.save_evidence
        self.readings, self.saves = [], []

        def remember(*args, **kwargs):
            self.readings.append(street.clock())
            return read(*args, **kwargs)

        def keep(*args, **kwargs):
            self.saves.append(street.clock())
            return save(*args, **kwargs)

        judge.read, judge._evidence.save_evidence = remember, keep
        drive_until(self.controller, lambda: street.share() == 10.0)

    def pass_time(self, seconds):
        """Returns the distances between the readings, and between the saves, of that time."""
        self.readings.clear()
        self.saves.clear()
        until = self.street.clock() + seconds
        drive_until(self.controller, lambda: self.street.clock() >= until, seconds=seconds + 60.0)
        return ([b - a for a, b in pairwise(times)] for times in (self.readings, self.saves))


def test_among_a_thousand_a_quiet_one_is_read_every_second_and_saved_every_fifty(make):
    crowd = Crowd(make(LONG), 999)
    first, _ = crowd.pass_time(pace.FRESH - 1.0)
    assert set(first) == {READ_EVERY}
    crowd.pass_time(2.0)
    readings, saves = crowd.pass_time(160.0)
    assert readings == pytest.approx([1.0] * len(readings))
    assert len(saves) >= 2
    assert saves == pytest.approx([50.0] * len(saves))


def test_with_few_rollouts_nothing_is_read_or_saved_less_often(make):
    crowd = Crowd(make(LONG), 99)
    crowd.pass_time(pace.FRESH + 1.0)
    readings, saves = crowd.pass_time(20.0)
    assert set(readings) == {READ_EVERY}
    assert set(saves) == {1.0}


def test_among_a_thousand_a_dead_candidate_is_noticed_within_a_second_and_judged_at_full_pace(make):
    crowd = Crowd(make(LONG), 999)
    crowd.pass_time(pace.FRESH + 5.0)
    street = crowd.street
    street.failing.update({street.plan.candidate.id: 1.0})
    bad = street.clock()
    crowd.readings.clear()
    drive_until(crowd.controller, lambda: street.share() == 0.0)
    noticed, *later = (reading for reading in crowd.readings if reading > bad)
    assert noticed - bad <= 1.0
    assert {b - a for a, b in pairwise([noticed, *later])} <= {READ_EVERY}
    assert street.clock() - bad <= 3.5, "a second more than among few"


def test_from_its_first_request_on_a_dead_candidate_is_found_as_fast_as_among_few(make):
    street = make(LONG, failing=DEAD)
    crowd = Crowd(street, 999)
    begun = street.clock()
    drive_until(crowd.controller, lambda: street.share() == 0.0)
    assert street.clock() - begun <= 1.5


def test_among_a_thousand_evidence_against_a_candidate_is_saved_at_its_second(make):
    crowd = Crowd(make(LONG), 999)
    crowd.pass_time(pace.FRESH + 5.0)
    street = crowd.street
    street.failing.update({street.plan.candidate.id: 0.04})
    crowd.pass_time(3.0)
    readings, saves = crowd.pass_time(8.0)
    assert street.share() == 10.0, "not decided yet"
    assert set(readings) == {READ_EVERY}
    assert max(saves) <= 1.0
    saved = street.store.load_evidence(street.id)
    assert saved["at"] >= street.clock() - 1.0
    assert saved["assessment"]["evidence"]["candidate"]["failed"] > 0


def test_what_stands_still_is_read_and_saved_as_ever(make):
    crowd = Crowd(make(LONG), 999)
    crowd.pass_time(pace.FRESH + 5.0)
    crowd.street.router.silent = True
    crowd.pass_time(2.0)
    readings, saves = crowd.pass_time(5.0)
    assert [event.rule for event in crowd.street.store.list_events(crowd.street.id) if isinstance(event, Held)]
    assert set(readings) == {READ_EVERY}
    assert max(saves) <= 1.0


def test_the_users_own_metrics_are_asked_at_full_pace(make):
    metrics = MetricsPolicy(metrics=(Metric("answers", "http", path="/", interval=1.0),))
    crowd = Crowd(make(replace(LONG, analysis=replace(ANALYSIS, metrics=metrics))), 999)
    crowd.pass_time(pace.FRESH + 2.0)
    readings, _ = crowd.pass_time(5.0)
    assert set(readings) == {READ_EVERY}


def test_a_step_among_a_thousand_ends_at_the_end_of_its_bake(make):
    crowd = Crowd(make(deployment(Canary(steps=(10.0, 100.0), bake=15.4), analysis=ANALYSIS)), 999)
    begun = crowd.street.clock()
    drive_until(crowd.controller, lambda: crowd.street.share() == 100.0)
    assert 15.4 <= crowd.street.clock() - begun <= 15.4 + 4 * READ_EVERY
