"""Rounds of kill -9 and SIGSTOP under load, with a client that never retries; FAULT_ROUNDS of them per strategy."""

from pathlib import Path

import pytest
from rounds import ROUNDS, SEED, STRATEGIES, Arena, choose, counted
from workshop import Workshop

pytestmark = pytest.mark.timeout(120 + 60 * ROUNDS)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_whatever_dies_the_run_ends_right_and_no_request_is_lost_that_could_be_answered(
    shop: Workshop, strategy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arena = Arena(shop, strategy)
    with capsys.disabled(), counted(tmp_path, f"kills, {strategy}") as played:
        for number in range(ROUNDS):
            played.append(choose(SEED + number))
            arena.play(played[-1])
