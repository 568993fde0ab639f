"""The benchmark of real rollouts: its faults, what it promises of them, and one that is played."""

import sys
from math import exp, log
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.live_canary.__main__ import HEADER, main
from benchmarks.live_canary.faults import TRIALS, elsewhere, promise
from benchmarks.live_canary.series import RULES, Reading, opinions

from fairway.domain.analysis.planning.premises import Traffic
from fairway.domain.analysis.policy import PRESETS
from fairway.domain.analysis.traffic import RevisionTraffic

FAULTS = {
    "errors 1 %",
    "errors 5 %",
    "errors 100 %",
    "P99 +20 %",
    "2 × slower",
    "hang",
    "crash loop",
    "memory leak",
    "connection resets",
}


def latency():
    """Twenty thousand answers like those of the application: median 5 ms, P99 20 ms."""
    random, counts = Random(1), {}
    for _ in range(20_000):
        place = int(log(5000.0 * exp(random.gauss(0.0, 0.6))) / log(1.02))
        counts[place] = counts.get(place, 0) + 1
    return tuple((1.02**place, 1.02**place * 0.02, counts[place]) for place in sorted(counts))


def readings(ratio: float):
    """Forty requests a second, read each second, of which a share fails from the tenth second on."""
    counted = [(at, 40 * at, round(40 * max(0, at - 10) * ratio)) for at in range(31)]
    return [Reading(1000.0 + at, RevisionTraffic("candidate", done, failed)) for at, done, failed in counted]


def test_every_fault_is_played():
    assert set(TRIALS) == FAULTS


@pytest.mark.parametrize("name", sorted(FAULTS - {"hang", "crash loop", "memory leak"}))
def test_each_fault_that_evidence_finds_is_played_at_a_traffic_at_which_it_is_found(name):
    trial = TRIALS[name]
    told = promise(trial, PRESETS[trial.margins], Traffic(trial.rate, 0.0, latency()), patience=240.0)
    assert told is not None
    assert told.half is not None
    assert told.nine is not None
    assert told.half <= told.nine <= 240.0


def test_a_longer_tail_is_not_promised_at_forty_requests_a_second():
    trial = elsewhere(TRIALS["P99 +20 %"], rate=200.0, weight=20.0, margins="balanced")
    told = promise(trial, PRESETS["balanced"], Traffic(200.0, 0.0, latency()), patience=240.0)
    assert told is not None
    assert told.half is None


def test_the_rules_of_others_judge_what_was_recorded_as_if_it_went_on():
    total = opinions(readings(1.0), fault=1010.0, taken_back=1030.0)
    assert set(total) == set(RULES)
    argo, flagger = total["Argo 1m/.99/0"], total["Flagger 1m/99/5"]
    assert argo.after is not None
    assert flagger.after is not None
    assert 0.0 < argo.after <= 60.0
    assert 240.0 <= flagger.after <= 420.0
    assert argo.failed == pytest.approx(40.0 * argo.after, abs=80.0)
    good = opinions(readings(0.0), fault=1010.0, taken_back=1030.0)
    assert all(one.after is None for one in good.values())


def test_a_candidate_that_fails_in_mid_flight_is_taken_back_and_reported(capsys):
    assert main(["--quick", "--fault", "errors 100 %"]) == 0
    header, line, *_ = capsys.readouterr().out.splitlines()
    told = dict(zip(header.split(" | "), line.split(" | "), strict=True))
    assert tuple(told) == HEADER
    assert told["fault"] == "errors 100 %"
    assert float(told["found after"].removesuffix(" s")) < 10.0
    assert told["by"] in {"ejected", "hard-lane"}
    assert int(told["failed there"]) > 0
    assert told["failed for users"].startswith("0 of ")
