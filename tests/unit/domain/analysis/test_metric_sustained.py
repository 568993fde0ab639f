"""Conditions that must be true for a while."""

from fairway.domain.analysis.metrics.sustained import Sustained


def _looks(answers, *, patience=4.0):
    state = Sustained()
    for answer in answers:
        state.observe(answer, 1.0, patience=patience)
    return state


def test_time_counts_between_two_looks_at_which_it_was_true():
    assert _looks(["true"] * 5).seconds == 4.0
    assert not _looks(["true"] * 5).fulfilled(5.0)
    assert _looks(["true"] * 6).fulfilled(5.0)


def test_one_look_at_which_it_is_false_begins_anew():
    state = _looks([*["true"] * 5, "false", "true", "true"])
    assert state.seconds == 1.0


def test_without_a_duration_the_first_true_look_is_enough():
    assert _looks(["true"]).fulfilled(0.0)
    assert not _looks(["false"]).fulfilled(0.0)
    assert not _looks([]).fulfilled(0.0)


def test_a_look_without_an_answer_counts_as_neither():
    for gap in ("no-data", "error"):
        state = _looks([*["true"] * 5, gap, gap, "true", "true"])
        assert state.seconds == 5.0, "neither forgotten nor bridged"


def test_no_answer_fulfils_nothing_whatever_was_gathered_before():
    state = _looks([*["true"] * 8, "no-data"])
    assert not state.fulfilled(5.0)


def test_after_too_long_without_an_answer_nothing_is_left():
    state = _looks([*["true"] * 8, *["no-data"] * 4, "true", "true"])
    assert state.seconds == 1.0
    assert not _looks([*["true"] * 8, *["no-data"] * 4]).true


def test_how_long_nobody_has_known_is_known():
    assert _looks(["true", "no-data", "no-data", "error"]).unknown == 3.0
    assert _looks(["no-data", "no-data", "false"]).unknown == 0.0
