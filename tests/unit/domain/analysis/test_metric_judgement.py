"""The judgement by the user's metrics beside the lanes: what decides, what holds, what is never an answer."""

from dataclasses import replace

import pytest

from fairway.domain.analysis.evidence import Assessment, Counts, Evidence
from fairway.domain.analysis.metrics.judgement import MetricsJudgement
from fairway.domain.analysis.metrics.policy import Metric, MetricsPolicy, Rule, questions
from fairway.domain.analysis.metrics.samples import Trouble

BEGIN = 1_700_000_000.0
EVIDENCE = Evidence(1.0, 100.0, BEGIN, 10.0, Counts(100, 0), Counts(900, 0), ())
FINE = Assessment("continue", True, "watching", "No sign of harm.", 5.0, BEGIN, EVIDENCE)

MEMORY = Metric("memory", "gauge", query='m{r="{{revision}}"}', interval=1.0, ratio=1.2)
QUEUE = Metric("queue", "gauge", query="sum(queue)", interval=1.0)
FULL = Rule("full", "queue > 20", ("queue",), lasting=3.0)
BUSY = Rule("busy", "queue > 5", ("queue",), lasting=1.0, severity="hold")


class Course:
    """A judgement that is looked at once a second."""

    def __init__(self, policy):
        self.judgement = MetricsJudgement(policy)
        self.judgement.enter_step(10.0, alone=False)
        self.at = BEGIN

    def second(self, given=None, answer="false", *, frozen=False, counting=True, why=""):
        self.at += 1.0
        policy = self.judgement.policy
        for metric in policy.metrics:
            if given is not None:
                self.judgement.take(metric, given, counting=counting)
        answers = {rule.name: (answer, why) for rule in policy.rules}
        self.judgement.look(answers, at=self.at, frozen=frozen)
        return self

    def seconds(self, count, *given, **options):
        for _ in range(count):
            self.second(*given, **options)
        return self

    def weigh(self, assessment=FINE, bake=60.0):
        return self.judgement.weigh(assessment, bake=bake)


def _queue(value):
    return {"": (("", float(value)),)}


def _memory(candidate, stable):
    return {"candidate": (("", float(candidate)),), "stable": (("", float(stable)),)}


def test_a_rule_that_is_true_for_long_enough_takes_the_candidate_back_and_says_why():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,)))
    assert course.seconds(3, _queue(30), "true").weigh().decision == "continue"
    verdict = course.second(_queue(31), "true").weigh()
    assert (verdict.decision, verdict.rule) == ("roll-back", "rule-full")
    assert verdict.sentence == "Roll back: the rule full has been true for 3 s: queue > 20 (queue 31)."


def test_a_verdict_stays_whatever_comes_later():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,))).seconds(4, _queue(30), "true")
    assert course.seconds(5, _queue(1), "false").weigh().decision == "roll-back"


def test_what_the_lanes_found_wins():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,))).seconds(4, _queue(30), "true")
    lanes = replace(FINE, decision="roll-back", rule="hard-lane", sentence="Roll back.")
    assert course.weigh(lanes).rule == "hard-lane"


def test_a_rule_that_holds_lets_go_when_it_is_false():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(BUSY,))).seconds(2, _queue(8), "true")
    held = course.weigh()
    assert (held.decision, held.rule) == ("hold", "rule-busy")
    assert course.judgement.holds
    assert course.second(_queue(3), "false").weigh().decision == "continue"
    assert not course.judgement.holds


def test_a_step_does_not_end_while_a_rule_is_true_but_not_for_long_enough():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,))).seconds(2, _queue(30), "true")
    assert course.weigh(bake=60.0).decision == "continue"
    pending = course.weigh(bake=5.0)
    assert (pending.decision, pending.rule) == ("hold", "rule-full")
    assert "for 1 s of 3 s" in pending.sentence
    assert course.second(_queue(1), "false").weigh(bake=5.0).decision == "continue"


@pytest.mark.parametrize(
    ("given", "rule", "said"),
    [
        ({"": ()}, "metric-no-data", "no data for queue"),
        ({"": (("", float("nan")),)}, "metric-no-data", "gives NaN"),
        ({"": (("", float("inf")),)}, "metric-no-data", "an infinite number"),
        ({"": Trouble("nobody listens")}, "metric-error", "nobody listens"),
        ({"": (("a", 1.0), ("b", 2.0))}, "metric-error", "gives 2 series"),
    ],
)
def test_no_data_and_errors_hold_after_three_readings_and_are_inconclusive_in_the_end(given, rule, said):
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,), no_data=10.0))
    course.seconds(3, given, "no-data")
    assert course.weigh().decision == "continue", "a few missed readings mean nothing"
    held = course.seconds(2, given, "no-data").weigh()
    assert (held.decision, held.rule) == ("hold", rule)
    assert said in held.sentence
    assert course.seconds(4, given, "no-data").weigh().decision == "hold"
    over = course.seconds(2, given, "no-data").weigh()
    assert (over.decision, over.rule) == ("inconclusive", rule)
    assert said in over.sentence
    assert course.second(_queue(1)).weigh().decision == "continue", "as soon as it is back"


def test_nothing_is_ever_shown_as_good_or_bad_by_missing_data():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,)))
    course.seconds(3, _queue(30), "true").seconds(3, {"": ()}, "no-data")
    assert course.weigh().decision == "continue"
    (rule,) = course.weigh().rules
    assert (rule.state, rule.seconds) == ("no-data", 2.0)


def test_a_condition_that_cannot_be_evaluated_holds_and_is_no_verdict():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,), no_data=10.0))
    course.seconds(5, _queue(1), "error", why="no such overload")
    held = course.weigh()
    assert (held.decision, held.rule) == ("hold", "rule-error")
    assert "no such overload" in held.sentence
    assert course.seconds(6, _queue(1), "error", why="no such overload").weigh().decision == "inconclusive"


def test_during_a_shared_incident_nothing_is_gathered():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(FULL,)))
    assert course.seconds(9, _queue(30), "true", frozen=True).weigh().decision == "continue"
    assert course.judgement.rules["full"].seconds == 0.0


def test_a_gauge_above_its_margin_again_and_again_takes_the_candidate_back():
    course = Course(MetricsPolicy(metrics=(MEMORY,), alpha=0.002))
    assert course.seconds(11, _memory(13, 10)).weigh().decision == "continue"
    verdict = course.second(_memory(13, 10)).weigh()
    assert (verdict.decision, verdict.rule) == ("roll-back", "metric-memory")
    assert "memory of the candidate was above 1.2 × stable's in 12 of 12 readings" in verdict.sentence


def test_within_its_margin_a_gauge_is_no_evidence():
    course = Course(MetricsPolicy(metrics=(MEMORY,), alpha=0.002)).seconds(40, _memory(12, 10))
    assert course.judgement.e_value() < 1.0
    assert course.weigh().decision == "continue"


def test_a_gauge_of_which_less_is_worse_is_compared_the_other_way():
    speed = replace(MEMORY, name="speed", worse="lower")
    assert (
        Course(MetricsPolicy(metrics=(speed,), alpha=0.002)).seconds(12, _memory(8, 10)).weigh().rule == "metric-speed"
    )
    assert Course(MetricsPolicy(metrics=(speed,), alpha=0.002)).seconds(12, _memory(99, 10)).weigh().rule == "watching"


def test_warm_up_and_steps_without_requests_to_stable_are_not_compared():
    course = Course(MetricsPolicy(metrics=(MEMORY,), alpha=0.002)).seconds(20, _memory(13, 10), counting=False)
    course.judgement.enter_step(100.0, alone=True)
    assert course.seconds(20, _memory(13, 10)).judgement.e_value() == 1.0


def test_one_number_missing_makes_no_sign():
    course = Course(MetricsPolicy(metrics=(MEMORY,), alpha=0.002))
    course.seconds(20, {"candidate": (("", 13.0),), "stable": ()})
    assert course.judgement.signs["memory"].intervals == 0
    assert "no data for memory of stable" in course.weigh().sentence


def test_the_state_survives_as_json_and_decides_the_same():
    policy = MetricsPolicy(metrics=(MEMORY, QUEUE), rules=(FULL,), alpha=0.002)
    given = _memory(13, 10) | _queue(30)
    course = Course(policy).seconds(2, given, "true")
    course.judgement = MetricsJudgement.restore(course.judgement.to_json(), policy)
    assert course.judgement.rules["full"].seconds == 1.0
    assert course.judgement.signs["memory"].intervals == 2
    assert course.seconds(2, given, "true").weigh().rule == "rule-full"


def test_readings_do_not_survive_because_they_would_be_old():
    policy = MetricsPolicy(metrics=(QUEUE,))
    course = Course(policy).second(_queue(30))
    assert MetricsJudgement.restore(course.judgement.to_json(), policy).values() == {"candidate": {}, "stable": {}}


def test_time_in_which_nobody_looked_does_not_count_as_true():
    course = Course(MetricsPolicy(metrics=(QUEUE,), rules=(replace(FULL, lasting=60.0),))).second(_queue(30), "true")
    course.at += 3600.0
    assert course.second(_queue(30), "true").judgement.rules["full"].seconds <= 2.0


def test_queries_are_asked_once_for_each_revision_they_name():
    names = {"candidate": {"revision": "new-1"}, "stable": {"revision": 'o"ld'}}
    assert questions(QUEUE, names) == {"": "sum(queue)"}
    assert questions(MEMORY, names) == {"candidate": 'm{r="new-1"}', "stable": 'm{r="o\\"ld"}'}
