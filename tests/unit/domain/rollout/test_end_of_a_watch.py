"""When a watch is over, by time and by evidence."""

from dataclasses import replace

import pytest

from fairway.domain.analysis.evidence import Assessment, Counts, Evidence, Promotion
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.watching import end_of, outlook

BAKE, SETTLE = Watch(60.0, 10.0, "bake"), Watch(60.0, 10.0, "settle")
ON_EVIDENCE = Watch(60.0, 10.0, "bake", least=20.0)


def promotion(errors, latency=None, *, missing=(600, 250)):
    tests = [Promotion("errors", errors, 20.0, missing[0], "at most twice stable's")]
    if latency is not None:
        tests.append(Promotion("latency", latency, 20.0, missing[1], "at most 20 % slower"))
    return tuple(tests)


def known(watched, *, decision="continue", sufficient=True, tests=()):
    evidence = Evidence(0.5, 100.0, 0.0, 10.0, Counts(31, 0), Counts(280, 0), (), tests)
    return Assessment(decision, sufficient, "watching", "No sign of harm.", watched, 0.0, evidence)


def answer(step, assessment):
    ending = end_of(step, assessment)
    return None if ending is None else ending.answer


@pytest.mark.parametrize("step", [BAKE, SETTLE, ON_EVIDENCE])
def test_a_watch_that_cannot_judge_does_not_end(step):
    assert answer(step, known(90.0, decision="hold", tests=promotion(99.0))) is None


@pytest.mark.parametrize("step", [BAKE, SETTLE, ON_EVIDENCE])
def test_a_candidate_that_will_never_answer_is_no_answer_at_any_time(step):
    assert answer(step, known(5.0, decision="inconclusive")) == "inconclusive"


def test_by_time_a_watch_ends_with_its_time_and_not_before_whatever_is_shown():
    assert answer(BAKE, known(59.9, tests=promotion(1e9))) is None
    assert answer(BAKE, known(60.0)) == "passed"


def test_by_time_a_bake_without_requests_has_no_answer_and_other_watches_need_none():
    assert answer(BAKE, known(60.0, sufficient=False)) == "inconclusive"
    assert answer(SETTLE, known(60.0, sufficient=False)) == "passed"


@pytest.mark.parametrize(
    ("watched", "tests", "expected"),
    [
        (19.9, promotion(1e9, 1e9), None),
        (20.0, promotion(20.0, 20.0), "passed"),
        (20.0, promotion(20.0), "passed"),
        (59.9, promotion(19.9, 1e9), None),
        (59.9, promotion(1e9, 19.9), None),
        (60.0, promotion(1e9, 19.9), "inconclusive"),
        (60.0, promotion(20.0, 20.0), "passed"),
        (60.0, (), "inconclusive"),
    ],
)
def test_by_evidence_every_test_must_have_shown_it_between_the_least_time_and_the_deadline(watched, tests, expected):
    assert answer(ON_EVIDENCE, known(watched, tests=tests)) == expected


def test_a_least_time_beyond_the_deadline_is_the_deadline():
    step = replace(ON_EVIDENCE, least=90.0)
    assert answer(step, known(60.0, tests=promotion(20.0))) == "passed"


def test_without_an_answer_the_sentence_names_the_requests_that_are_missing():
    sentence = end_of(ON_EVIDENCE, known(60.0, tests=promotion(3.0, 40.0))).sentence
    assert sentence == (
        "Inconclusive after 60 s at 10 %: it is not shown that the candidate is good enough (errors e-value 3 of 20, "
        "at most twice stable's). It needs about 600 more canary requests if it is as good as stable: raise the "
        "weight, bake longer, or decide yourself. No sign of harm."
    )


def test_of_several_tests_the_one_that_needs_most_is_named_to_two_digits():
    sentence = end_of(ON_EVIDENCE, known(60.0, tests=promotion(3.0, 2.0, missing=(612, 14_872)))).sentence
    assert "about 15,000 more canary requests" in sentence


def test_no_number_is_named_where_none_would_do():
    sentence = end_of(ON_EVIDENCE, known(60.0, tests=promotion(3.0, 2.0, missing=(600, None)))).sentence
    assert "more canary requests" not in sentence
    assert "there is nothing to compare with" in end_of(ON_EVIDENCE, known(60.0)).sentence


def test_an_early_end_says_what_was_shown():
    sentence = end_of(ON_EVIDENCE, known(30.0, tests=promotion(24.0, 250.0))).sentence
    assert sentence == (
        "Good enough to go on after 30 s at 10 %: errors e-value 24 of 20, at most twice stable's; latency e-value 250 "
        "of 20, at most 20 % slower. No sign of harm."
    )


def test_while_it_goes_on_it_is_said_how_many_requests_are_missing_and_how_long_they_take_at_the_present_pace():
    # 31 requests in 31 seconds.
    assert outlook(replace(ON_EVIDENCE, seconds=900.0), known(31.0, tests=promotion(3.0, 4.0))) == (
        "Enough evidence to go on takes about 600 more requests of the candidate, at the present pace 10 min."
    )
    assert outlook(ON_EVIDENCE, known(31.0, tests=promotion(3.0, 99.0, missing=(20, 0)))).endswith("pace 20 s.")


def test_what_comes_too_late_is_said_to_do_so_before_the_deadline():
    assert outlook(ON_EVIDENCE, known(31.0, tests=promotion(3.0))).endswith("no answer at its deadline in 29 s.")
    assert outlook(ON_EVIDENCE, known(31.0, tests=promotion(3.0, missing=(None,)))).startswith("No number of requests")


def test_what_is_shown_before_the_least_time_waits_for_that():
    shown = known(12.0, tests=promotion(99.0))
    assert outlook(ON_EVIDENCE, shown) == "It is shown to be good, and goes on in 8 s."
    assert outlook(ON_EVIDENCE, replace(shown, watched=25.0)) == ""


@pytest.mark.parametrize("step", [BAKE, SETTLE])
def test_where_time_decides_nothing_is_foretold(step):
    assert outlook(step, known(12.0, tests=promotion(1.0))) == ""
    assert outlook(ON_EVIDENCE, known(12.0, decision="hold", tests=promotion(1.0))) == ""
