"""Evidence that a candidate is good enough: right in expectation, fast, fooled by no burst, exact after a restart."""

import random
from itertools import pairwise, product
from math import comb, exp, log

import pytest

from fairway.domain import codec
from fairway.domain.analysis.lanes.lane import Reading, Step
from fairway.domain.analysis.margin import Margin, best_bet
from fairway.domain.analysis.noninferiority import BETA, CAP, NonInferiority, is_shown, promotion_margin
from fairway.domain.analysis.policy import PRESETS, AnalysisPolicy
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.within import ErrorEvidence, error_gain

MARGIN = Margin(1.25, 0.002)
POLICY = AnalysisPolicy(warmup=0.0, block=1.0)
LIMIT = 1.0 / BETA


def binomial(n, x, p):
    return comb(n, x) * p**x * (1.0 - p) ** (n - x)


def test_the_expected_e_value_is_at_most_one_for_every_candidate_at_the_margin_or_beyond():
    worst, cases = 0.0, 0
    sizes, stables, parts = ((1, 1), (1, 4), (4, 1), (3, 3)), (0.0, 0.01, 0.3, 0.7), (1.0, 1.5, 4.0)
    for ratio, points, (n_c, n_s), p_s, part in product((0.0, 1.0, 1.25), (0.002, 0.1), sizes, stables, parts):
        margin = Margin(ratio, points)
        p_c = margin.limit(p_s) * part
        if p_c > 1.0:
            continue
        for alternative in (1e-6, 0.3 * margin.limit(0.1), 0.9 * margin.limit(0.1)):
            bet = best_bet(alternative, stable=0.1, balance=n_c / n_s, margin=margin)
            expectation = sum(
                binomial(n_c, x_c, p_c)
                * binomial(n_s, x_s, p_s)
                * exp(error_gain(bet, (n_c, x_c), x_s, balance=n_c / n_s, margin=margin))
                for x_c, x_s in product(range(n_c + 1), range(n_s + 1))
            )
            worst, cases = max(worst, expectation), cases + 1
    assert cases > 400
    assert worst <= 1.0 + 1e-9
    assert worst > 0.98  # the bound is nearly reached, so the grid lies on the margin


def test_one_block_is_worth_no_more_than_a_third_of_the_proof():
    evidence = ErrorEvidence()
    evidence.grow(Tally(10**6, 0, 10**6, 10**5), MARGIN)
    assert evidence.e_value() == pytest.approx(CAP)
    evidence.grow(Tally(10**6, 0, 10**6, 10**5), MARGIN)
    assert evidence.e_value() < LIMIT
    evidence.grow(Tally(10**6, 0, 10**6, 10**5), MARGIN)
    assert evidence.e_value() == pytest.approx(LIMIT)


def test_a_burst_that_hits_stable_alone_shows_nothing():
    evidence = ErrorEvidence()
    for _ in range(50):
        evidence.grow(Tally(100, 0, 900, 1), MARGIN)
    before = evidence.e_value()
    evidence.grow(Tally(100, 0, 900, 500), MARGIN)
    assert evidence.e_value() <= before * CAP * 1.000001


def play(candidate, stable, *, blocks, per_block=(100, 900), seed=1):
    """Blocks of requests that fail with these chances; the evidence after each."""
    chance, evidence = random.Random(seed), ErrorEvidence()
    finished_c, finished_s = per_block
    for _ in range(blocks):
        failed_c = sum(chance.random() < candidate for _ in range(finished_c))
        failed_s = sum(chance.random() < stable for _ in range(finished_s))
        evidence.grow(Tally(finished_c, failed_c, finished_s, failed_s), MARGIN)
        yield evidence


def promoted(candidate, stable, *, seed, blocks=60):
    return any(one.e_value() >= LIMIT for one in play(candidate, stable, blocks=blocks, seed=seed))


def test_a_candidate_at_the_margin_is_promoted_in_few_of_many_rollouts():
    """Of 300 independent rollouts at a chance of 5 % each, more than 31 come about once in 10,000 times."""
    wrong = sum(promoted(MARGIN.limit(0.01), 0.01, seed=seed, blocks=20) for seed in range(300))
    assert wrong <= 31


def test_a_candidate_as_good_as_stable_is_shown_in_about_as_many_requests_as_was_said():
    spent, expected = [], []
    for seed in range(40):
        for number, evidence in enumerate(play(0.001, 0.001, blocks=200, seed=seed)):
            if number == 2:
                expected.append(300 + evidence.missing(MARGIN, balance=1 / 9))
            if evidence.e_value() >= LIMIT:
                spent.append(100 * (number + 1))
                break
    assert len(spent) >= 36
    median, said = sorted(spent)[len(spent) // 2], sorted(expected)[len(expected) // 2]
    assert 0.6 <= median / said <= 1.4


def test_what_is_missing_shrinks_to_nothing():
    missing = [one.missing(MARGIN, balance=1 / 9) for one in play(0.0, 0.0, blocks=40)]
    assert all(later <= earlier for earlier, later in pairwise(missing))
    assert missing[0] > 1000
    assert missing[-1] == 0


def test_nothing_is_promised_where_no_number_of_requests_would_show_it():
    evidence = ErrorEvidence()
    assert evidence.missing(Margin(1.0, 0.0), balance=1.0) is None


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_the_margin_of_promotion_is_never_below_the_margin_of_harm(preset):
    promotion = promotion_margin(preset)
    assert promotion.ratio >= preset.ratio_margin
    assert promotion.points >= preset.absolute_margin


def test_the_margin_of_promotion_by_default():
    assert promotion_margin(AnalysisPolicy()) == Margin(1.25, 0.002)


def watched(seconds, tally, *, one=None, weight=10.0, warming=False, incident=False):
    """The evidence after so many seconds in which this was counted each second."""
    one = one or entered(weight)
    for _ in range(seconds):
        one.observe(Reading(1.0, tally, warming=warming, incident=incident), POLICY)
    return one


def entered(weight, *, one=None, bake=60.0):
    one = one or NonInferiority()
    one.enter_step(Step(weight, weight >= 100.0, bake), POLICY)
    return one


GOOD = Tally(100, 0, 900, 1)


def errors(one):
    return one.shown[0]


def test_a_good_candidate_is_shown_and_the_words_say_what_was_shown():
    one = watched(60, GOOD)
    assert is_shown(one.shown)
    shown = errors(one)
    assert (shown.name, shown.threshold, shown.missing) == ("errors", LIMIT, 0)
    assert shown.margin == "at most 1.25 × stable's error ratio + 0.2 points"


@pytest.mark.parametrize(("warming", "incident"), [(True, False), (False, True)])
def test_warm_up_and_shared_incidents_show_nothing(warming, incident):
    assert errors(watched(60, GOOD, warming=warming, incident=incident)).e_value == pytest.approx(1.0)


@pytest.mark.parametrize("tally", [Tally(0, 0, 900, 1), Tally(100, 0, 0, 0), Tally()])
def test_without_requests_of_both_nothing_is_shown(tally):
    assert not is_shown(watched(120, tally).shown)


def test_where_there_is_nothing_to_compare_with_nothing_is_ever_shown():
    assert watched(60, GOOD, weight=100.0).shown == ()
    assert watched(60, GOOD, weight=0.0).shown == ()
    assert not is_shown(())


def test_a_new_weight_begins_with_nothing_shown_and_the_same_weight_goes_on():
    one = watched(60, GOOD)
    known = errors(one).e_value
    entered(10.0, one=one)
    assert errors(one).e_value >= known
    entered(25.0, one=one)
    assert errors(one).e_value == pytest.approx(1.0)
    assert errors(one).missing < errors(entered(25.0)).missing * 1.1


def test_the_evidence_goes_on_to_the_last_bit_from_what_was_stored():
    chance = random.Random(3)
    tallies = [Tally(chance.randrange(200), chance.randrange(2), 900, chance.randrange(3)) for _ in range(40)]
    whole, halves = entered(10.0), entered(10.0)
    for number, tally in enumerate(tallies):
        if number == 17:
            halves = codec.from_json(NonInferiority, codec.to_json(halves))
        for one in (whole, halves):
            one.observe(Reading(0.3, tally, warming=False, incident=False), POLICY)
    assert halves.shown == whole.shown


def test_no_count_is_too_large():
    one = watched(200, Tally(10**15, 10**15, 10**15, 0))
    assert 0.0 <= errors(one).e_value < 1e-9
    one = watched(200, Tally(10**15, 0, 10**15, 10**14))
    assert errors(one).e_value > LIMIT
    assert log(errors(one).e_value) < 30.0


def test_what_copies_have_shown_does_not_count_for_requests():
    one = NonInferiority()
    one.enter_step(Step(100.0, False, 60.0, copies=True), POLICY)
    watched(60, Tally(900, 0, 900, 1), one=one)
    assert is_shown(one.shown)
    one.enter_step(Step(100.0, False, 60.0, copies=True), POLICY)
    assert is_shown(one.shown)
    one = watched(60, GOOD, one=entered(10.0))
    one.enter_step(Step(10.0, False, 60.0, copies=True), POLICY)
    assert not is_shown(one.shown)


def test_failures_that_vary_more_than_they_should_show_less():
    calm, wild = ErrorEvidence(), ErrorEvidence()
    for _ in range(10):
        calm.grow(GOOD, MARGIN)
        wild.grow(GOOD, MARGIN, dispersion=2.0)
    assert [one / 2.0 for one in calm.logs] == pytest.approx(wild.logs)
    one = watched(60, GOOD, one=entered(10.0))
    other = entered(10.0)
    for _ in range(60):
        other.observe(Reading(1.0, GOOD, warming=False, incident=False, dispersion=4.0), POLICY)
    assert errors(other).e_value < errors(one).e_value
