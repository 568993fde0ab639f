from fairway.engine.attempt import FIRST_RETRY, LATENESS, LONGEST_RETRY, PATIENCE, Attempt

BEGIN = 1_700_000_000.0


def attempt():
    return Attempt(("forward", 3), BEGIN)


def test_time_between_turns_is_spent():
    one = attempt()
    for turn in range(11):
        one.resume(BEGIN + turn * 0.1)
        one.pause = 0.1
    assert abs(one.spent - 1.0) < 1e-6


def test_a_clock_that_jumps_ahead_adds_little_and_one_that_jumps_back_nothing():
    one = attempt()
    one.pause = 0.1
    one.resume(BEGIN + 3600.0)
    assert one.spent == 0.1 + LATENESS
    one.resume(BEGIN - 3600.0)
    assert one.spent == 0.1 + LATENESS
    one.resume(BEGIN - 3599.0)
    assert one.spent == 1.1 + LATENESS


def test_errors_in_a_row_are_hopeless_after_a_while_and_an_answer_in_between_makes_them_hopeful():
    one, at = attempt(), BEGIN
    while not one.hopeless:
        one.resume(at)
        one.fail()
        one.pause = one.retry
        at += one.pause
    assert PATIENCE < at - BEGIN < PATIENCE + 2 * LONGEST_RETRY
    one.succeed()
    assert not one.hopeless
    one.fail()
    assert not one.hopeless


def test_tries_come_later_each_time_up_to_a_limit():
    one = attempt()
    pauses = []
    for _ in range(9):
        one.fail()
        pauses.append(one.retry)
    assert pauses[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_RETRY
