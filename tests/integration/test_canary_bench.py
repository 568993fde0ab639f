"""The benchmark of canary analysis itself: small seeded runs, and the rules of others as their sources have them."""

import sys
from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.canary_bench.__main__ import main
from benchmarks.canary_bench.contest import CONTESTANTS, Cell, play
from benchmarks.canary_bench.kayenta import is_high, shift
from benchmarks.canary_bench.ours import CONTESTANT, snapshots
from benchmarks.canary_bench.scenarios import BAD, HEALTHY, RECORDED, SCENARIOS_BY_NAME
from benchmarks.canary_bench.score import Row, guarantees, score_rows, wins
from benchmarks.canary_bench.simulate import simulate
from benchmarks.canary_bench.trace import Minutes, Trace, minutes

OURS = CONTESTANT.name
CLEAN, INCIDENTS = HEALTHY[0], HEALTHY[1]
TOTAL = SCENARIOS_BY_NAME["errors 0.1 → 100 %"]


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    cells = (Cell(CLEAN, 100.0, 2, 1.0), Cell(INCIDENTS, 100.0, 3, 1.0), Cell(TOTAL, 1000.0, 2, 0.25))
    return {row.played.cell.scenario.name: row for row in score_rows(play_quietly(cells))}


def play_quietly(cells: tuple[Cell, ...], seed: int = 1) -> list:
    return play(cells, seed=seed, data=None, report=lambda _: None, processes=1)


def draw(name: str, *, rate: float = 100.0, seed: int = 1) -> tuple[Trace, Minutes]:
    trace = simulate(SCENARIOS_BY_NAME[name], rate=rate, tick=1.0, rng=np.random.default_rng(seed))
    return trace, minutes(trace)


def judged(name: str, trace: Trace):
    found = next(one for one in CONTESTANTS if one.name == name)
    return found.judge(trace, minutes(trace))


def with_errors(trace: Trace, ratio_by_minute: list[float]) -> Trace:
    """The trace with the given error ratio of the candidate in each minute, exactly, on 100 requests a second."""
    finished = np.zeros_like(trace.candidate.finished)
    finished[:, 0] = 100
    failed = np.zeros_like(finished)
    failed[:, 0] = np.repeat(np.array(ratio_by_minute) * 100.0, 60).round()
    return replace(trace, candidate=replace(trace.candidate, finished=finished, failed=failed))


def test_a_healthy_candidate_is_let_through_and_a_broken_one_taken_back_within_seconds(rows):
    assert rows[CLEAN.name].ours.taken_back == 0
    broken = rows[TOTAL.name]
    assert broken.ours.share == 1.0
    assert broken.ours.delay[1] < 10.0
    assert broken.scores["Argo 1m/.99/3"].delay[0] == 240.0
    assert broken.scores["Flagger 1m/99/5"].delay[0] == 360.0
    assert broken.scores["Kayenta 5m/1.0"].delay[0] == 300.0
    assert broken.ours.failed[0] < broken.scores["Argo 1m/.99/3"].failed[0]


def test_incidents_that_hit_both_fool_thresholds_and_not_us(rows):
    assert rows[INCIDENTS.name].ours.taken_back == 0
    assert rows[INCIDENTS.name].scores["Argo 1m/.99/0"].share == 1.0


def test_the_same_seed_gives_the_same_endings_and_another_seed_gives_others():
    cells = (Cell(BAD[1], 100.0, 2, 1.0),)
    assert play_quietly(cells) == play_quietly(cells)
    assert play_quietly(cells) != play_quietly(cells, seed=2)


def test_a_promise_is_broken_beyond_the_limit_only(rows):
    row = rows[CLEAN.name]
    score = replace(row.ours, runs=100, taken_back=5)
    within = Row(row.played, {**row.scores, OURS: score})
    beyond = Row(row.played, {**row.scores, OURS: replace(score, taken_back=6)})
    assert [one.limit for one in guarantees([within])] == [5, 5]
    assert all(one.holds for one in guarantees([within]))
    assert not any(one.holds for one in guarantees([beyond]))


def test_a_row_in_which_another_is_sooner_is_named(rows):
    row = rows[TOTAL.name]
    slow = replace(row.ours, delay=(500.0, 600.0))
    found = wins([Row(row.played, {**row.scores, OURS: slow})])
    assert "Argo 1m/.99/3" in {one.name for one in found}
    assert "Argo 5m/.95/3" not in {one.name for one in found}


def test_argo_fails_at_the_fourth_bad_measurement_for_a_limit_of_three():
    trace, _ = draw(CLEAN.name)
    assert judged("Argo 1m/.99/3", with_errors(trace, [0.02, 0.0, 0.02, 0.0, 0.02] + [0.0] * 25)).outcome == "promote"
    verdict = judged("Argo 1m/.99/3", with_errors(trace, [0.02, 0.0, 0.02, 0.0, 0.02, 0.0, 0.02] + [0.0] * 23))
    assert (verdict.outcome, verdict.at) == ("rollback", 420.0)


def test_flagger_rolls_back_at_the_check_after_the_fifth_failed_one_and_takes_no_data_for_failed():
    trace, _ = draw(CLEAN.name)
    verdict = judged("Flagger 1m/99/5", with_errors(trace, [0.02, 0.0, 0.02, 0.0, 0.02, 0.0, 0.02, 0.02] + [0.0] * 22))
    assert (verdict.outcome, verdict.at) == ("rollback", 540.0)
    hanging, _ = draw("late: hang")
    assert judged("Flagger 1m/99/5", hanging).at == 1260.0


def test_unreadable_counters_end_argo_after_five_errors_and_not_us():
    trace, _ = draw("counters unreadable for 6 min")
    assert (judged("Argo 1m/.99/3", trace).outcome, judged("Argo 1m/.99/3", trace).at) == ("rollback", 700.0)
    assert judged(OURS, trace).outcome != "rollback"


def test_a_candidate_that_hangs_is_left_to_a_person():
    trace, _ = draw("late: hang")
    assert judged(OURS, trace).outcome in ("inconclusive", "rollback")


def test_kayenta_passes_seven_bad_minutes_of_ten_and_not_nine():
    stable = np.linspace(9.5, 10.5, 10)
    seven = np.concatenate([np.linspace(9.6, 10.4, 3), np.linspace(14.5, 15.5, 7)])
    nine = np.concatenate([[10.0], np.linspace(14.5, 15.5, 9)])
    assert not is_high(seven, stable, allowed=1.0)
    assert is_high(nine, stable, allowed=1.0)


def test_kayenta_errs_with_two_points_and_hardly_with_ten():
    rng = np.random.default_rng(5)

    def wrong(points: int) -> float:
        pairs = np.exp(rng.normal(0.0, 0.3, (300, 2, points)))
        return float(np.mean([is_high(one, other, allowed=1.0) for one, other in pairs]))

    assert 0.07 < wrong(2) < 0.18
    assert wrong(10) < 0.02


def test_kayenta_judges_a_small_shift_high_unless_an_increase_is_allowed():
    rng = np.random.default_rng(3)
    stable, candidate = rng.normal(200.0, 1.0, 30), rng.normal(206.0, 1.0, 30)
    assert is_high(candidate, stable, allowed=1.0)
    assert not is_high(candidate, stable, allowed=1.2)
    assert not is_high(stable, candidate, allowed=1.0)


def test_kayenta_estimates_the_median_of_all_differences():
    rng = np.random.default_rng(4)
    stable, candidate = rng.normal(10.0, 2.0, 25), rng.normal(13.0, 2.0, 25)
    low, estimate = shift(candidate, stable)
    assert estimate == pytest.approx(float(np.median(candidate[:, None] - stable)), abs=0.05)
    assert low < estimate - 0.5


def test_snapshots_grow_and_agree_with_the_trace():
    trace, by_minute = draw("errors 0.1 → 1 %")
    last = deque(snapshots(trace), maxlen=1)[0]
    candidate, stable = last.of("candidate"), last.of("stable")
    assert candidate.finished == by_minute.finished_c.sum()
    assert candidate.failed == by_minute.failed_c.sum() > 0
    assert stable.finished - stable.retried == by_minute.finished_s.sum()
    assert stable.retried == candidate.failed
    assert sum(count for _, _, count in candidate.latency) == candidate.finished - candidate.failed
    assert sum(one.finished for one in candidate.instances) == candidate.finished


def test_slower_shapes_are_slower_by_what_they_say():
    _, healthy = draw(CLEAN.name, rate=1000.0)
    _, twice = draw("all 2 × slower", rate=1000.0)
    _, tail = draw("P99 +20 %", rate=1000.0)
    p99 = float(np.mean(healthy.p99_s))
    assert p99 == pytest.approx(202.0, rel=0.03)
    assert float(np.mean(twice.p99_c[-6:])) == pytest.approx(2.0 * p99, rel=0.04)
    assert float(np.mean(tail.p99_c[-6:])) == pytest.approx(1.2 * p99, rel=0.04)


def test_the_command_prints_its_rows_and_writes_one_file_that_needs_nothing_else(tmp_path: Path, capsys):
    out = tmp_path / "report.html"
    assert main(["--quick", "--only", "healthy, clean", "--runs", "1", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "healthy, clean, 1000/s" in printed
    assert "holds: at most 1 % wrong roll-backs: all of these together: 0 of 2" in printed
    page = out.read_text()
    assert page.startswith("<!doctype html>")
    assert "re-implemented rule, not the program" in page
    assert "src=" not in page
    assert "href=" not in page


def test_errors_of_a_real_log_are_replayed(tmp_path: Path):
    line = '10.0.0.{client} - - [17/May/2015:10:05:{second:02d} +0000] "GET / HTTP/1.1" {status} 12 "-" "-"\n'
    log = [line.format(client=n % 7, second=n % 60, status=500 if n % 50 == 0 else 200) for n in range(500)]
    (tmp_path / "access.log").write_text("".join(log))
    (tmp_path / "notes.txt").write_text("not a log\n")
    cells = (Cell(RECORDED[0], 100.0, 1, 1.0),)
    played = play(cells, seed=1, data=tmp_path, report=lambda _: None, processes=1)
    ending = played[0].endings[OURS][0]
    assert ending.outcome == "promote"
    assert ending.failed / ending.exposed == pytest.approx(0.02, rel=0.2)


def test_a_folder_without_a_log_is_refused(tmp_path: Path, capsys):
    (tmp_path / "notes.txt").write_text("not a log\n")
    assert main(["--data", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
