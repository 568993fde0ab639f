"""Whatever is counted, in whatever order: no exception, no loss of what must hold."""

import json
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.domain import codec
from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.lane import Reading, Step
from fairway.domain.analysis.margin import Margin, best_bet, log_e_value
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

COUNT = st.one_of(st.integers(0, 50), st.integers(0, 10**15))
TIME = st.floats(-1e9, 1e10, allow_nan=False)
WEIGHT = st.sampled_from([0.0, 0.01, 1.0, 10.0, 50.0, 99.99, 100.0])
POLICY = st.builds(
    AnalysisPolicy,
    ratio_margin=st.sampled_from([1.0, 1.25, 2.0]),
    absolute_margin=st.sampled_from([0.0, 0.0001, 0.5]),
    reference=st.sampled_from([0.0, 0.01, 1.0]),
    warmup=st.sampled_from([0.0, 3.0]),
    block=st.sampled_from([0.5, 10.0]),
)


@st.composite
def revision(draw, name):
    numbers = [draw(COUNT) for _ in range(4)]
    instances = (InstanceTraffic(f"{name}-1", 0, 0, ejected=draw(st.booleans())),)
    return RevisionTraffic(name, numbers[0], numbers[1], (), instances, numbers[2], numbers[3])


SNAPSHOT = st.builds(
    TrafficSnapshot,
    TIME,
    st.sampled_from(["one", "two"]),
    st.one_of(st.just(()), st.tuples(revision("c")), st.tuples(revision("c"), revision("s"))),
)
HEALTH = st.lists(
    st.builds(
        InstanceHealth,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["c", "s"]),
        st.booleans(),
        st.integers(0, 3),
        st.booleans(),
        st.booleans(),
        st.just(""),
    ),
    max_size=3,
).map(tuple)
EVENT = st.one_of(
    st.tuples(st.just("enter"), WEIGHT, st.booleans(), st.sampled_from([0.0, 1.0, 300.0])),
    st.tuples(st.just("observe"), st.one_of(st.none(), SNAPSHOT), HEALTH, TIME, st.booleans()),
)


@settings(max_examples=150, deadline=None)
@given(POLICY, st.sampled_from(["s", None]), st.lists(EVENT, max_size=25))
def test_any_sequence_of_readings_gives_an_assessment_and_a_rejection_is_final(policy, stable, events):
    analysis = Analysis(policy, candidate="c", stable=stable)
    rejected = False
    for event in events:
        watched = analysis.watched
        if event[0] == "enter":
            analysis.enter_step(event[1], at=0.0, scaled_up=event[2], bake=event[3])
        else:
            analysis.observe(event[1], event[2], at=event[3], counting=event[4])
            assert watched <= analysis.watched <= watched + 2.0
        assessment = analysis.assess(at=0.0)
        assert isfinite(assessment.evidence.e_value)
        assert assessment.evidence.e_value >= 0.0
        assert not rejected or assessment.decision == "roll-back"
        rejected = assessment.decision == "roll-back"
        assert assessment.sentence.count("e-value") == 1
        json.dumps(codec.to_json(assessment), allow_nan=False)
        restored = Analysis.from_json(json.loads(json.dumps(analysis.to_json(), allow_nan=False)))
        assert restored.assess(at=0.0) == assessment


@given(
    n_c=st.integers(1, 1000),
    n_s=st.integers(1, 1000),
    failures=st.tuples(st.integers(0, 1000), st.integers(0, 1000)),
    alternative=st.floats(0.0, 1.0),
    guess=st.floats(1e-6, 1.0),
    margin=st.builds(Margin, st.floats(0.0, 5.0), st.floats(0.0, 0.9)),
)
def test_more_failures_of_the_candidate_never_lower_and_more_of_stable_never_raise_the_e_value(
    n_c, n_s, failures, alternative, guess, margin
):
    balance = n_c / n_s
    bet = best_bet(alternative, stable=guess, balance=balance, margin=margin)
    x_c, x_s = min(failures[0], n_c - 1), min(failures[1], n_s - 1)

    def gain(c, s):
        return log_e_value(bet, candidate=(n_c, c), stable_failed=s, balance=balance, margin=margin)

    assert isfinite(gain(x_c, x_s))
    assert gain(x_c + 1, x_s) >= gain(x_c, x_s) >= gain(x_c, x_s + 1)


@given(st.lists(st.tuples(*[st.integers(0, 40)] * 2), min_size=1, max_size=20))
def test_a_reading_cut_into_pieces_without_requests_between_gives_the_same_evidence(blocks):
    """Empty readings inside a block and the number of readings in a block do not matter."""
    whole, pieces = begin_lanes(AnalysisPolicy()), begin_lanes(AnalysisPolicy())
    for lane in (*whole, *pieces):
        lane.enter_step(Step(50.0, False, 0.0))
    for x_c, x_s in blocks:
        for lane in whole:
            length = 0.25 if lane.name == "hard-lane" else 10.0
            lane.observe(Reading(length, Tally(50, x_c, 60, x_s), warming=False, incident=False))
        for lane in pieces:
            length = 0.25 if lane.name == "hard-lane" else 10.0
            parts = (Tally(20, min(x_c, 20), 10, 0), Tally(), Tally(30, x_c - min(x_c, 20), 50, x_s), Tally())
            for part in parts:
                lane.observe(Reading(length / 4.0, part, warming=False, incident=False))
    assert [lane.e_value() for lane in pieces] == [lane.e_value() for lane in whole]
