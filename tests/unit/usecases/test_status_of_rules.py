"""What people read of the user's rules while a run is under way."""

from fairway.usecases.status import describe_environment

RULE = {
    "name": "slow",
    "state": "true",
    "seconds": 42.0,
    "lasting": 300.0,
    "values": {"candidate.p99": 2310.4},
    "why": "",
}
RUN = {"environment": "production", "live": None, "down": False, "run": "r-1", "kind": "deploy", "release": "2.0"}
RUN |= {"phase": "progressing", "reason": "bake", "finished": None}


def _lines(**rule):
    return describe_environment(RUN | {"evidence": {"rules": [RULE | rule]}}).splitlines()


def test_a_rule_says_for_how_long_it_has_been_true_and_by_which_numbers():
    assert "  rule slow: true for 42 s of 300 s (candidate.p99 2310)" in _lines()


def test_a_rule_without_an_answer_says_so():
    line = _lines(state="no-data", seconds=0.0, values={}, why="there is no data for p99")[-1]
    assert line == "  rule slow: no data (there is no data for p99)"


def test_a_run_that_has_ended_shows_no_rules():
    ended = RUN | {"finished": "2026-01-01T00:00:00.000Z", "evidence": {"rules": [RULE]}}
    assert "rule slow" not in describe_environment(ended)
