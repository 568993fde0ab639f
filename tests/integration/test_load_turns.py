"""Two services that get requests in turn: never both at once, as many each, and no end that never comes."""

import itertools
import os
import signal
import subprocess
import threading
import time
from dataclasses import replace

import pytest
from load_runs import COMMAND, wait_for
from raw_server import RawServer, answer

from fairway.adapters.load.rounds import OwnGenerator
from fairway.domain.errors import UserError
from fairway.domain.insight.baseline import Load
from fairway.domain.insight.histogram import decode
from fairway.ports.load import Place

LOAD = Load(rate=100.0, duration=0.4, warmup=0.1, connections=4, timeout=5.0)


def recorder(log, name, seconds=0.0, status=200):
    """Answers after some time; writes down when each request was begun and ended."""

    def respond(number, method, path):
        begin = time.monotonic()
        time.sleep(seconds)
        log.append((name, begin, time.monotonic()))
        return answer(status)

    return respond


def test_both_get_as_many_requests_and_never_at_the_same_time():
    log = []
    with RawServer(recorder(log, "a", 0.015)) as one, RawServer(recorder(log, "b", 0.015)) as other:
        load = replace(LOAD, duration=0.6)
        first, second = OwnGenerator().run_in_turn((Place(one.url), Place(other.url)), load)
        assert (one.total, other.total) == (first.sent + first.warmed, second.sent + second.warmed)
        assert (one.connections <= 4, other.connections <= 4) == (True, True), "they stay open from turn to turn"
    for found in (first, second):
        assert found.sent + found.behind == 60
        assert found.ok == found.sent
        assert found.warmed <= 10
        assert found.seconds == pytest.approx(0.6, abs=0.3)
        assert sum(decode(found.histogram).values()) == found.sent
    log.sort(key=lambda entry: entry[1])
    names = [name for name, _, _ in log]
    switches = [(one, other) for one, other in itertools.pairwise(log) if one[0] != other[0]]
    assert len(switches) >= 6, "turns are short"
    assert all(one[2] <= other[1] for one, other in switches), "the last answer comes before the other's first request"
    after = names[names.index("b") :]
    assert "".join(name for name, before in zip(after[1:], after, strict=False) if name != before).startswith("aba")


def test_what_one_does_is_not_counted_for_the_other():
    with RawServer(recorder([], "a", 0.02)) as slow, RawServer(recorder([], "b", status=503)) as bad:
        first, second = OwnGenerator().run_in_turn((Place(slow.url), Place(bad.url)), LOAD)
    assert (first.failed, second.ok) == (0, 0)
    assert second.server_errors == second.sent
    assert first.p50 is not None
    assert second.p50 is not None
    assert first.p50 >= 20 > second.p50 or second.p50 < first.p50


def test_one_that_hangs_ends_the_round_in_the_time_of_one_request():
    begin, over = time.monotonic(), threading.Event()
    with RawServer(lambda *_: over.wait(60) and answer()) as hangs, RawServer() as well:
        load = Load(rate=20.0, duration=2.0, warmup=0.0, connections=2, timeout=1.0)
        first, second = OwnGenerator().run_in_turn((Place(hangs.url), Place(well.url)), load)
        over.set()
    assert first.ok == 0
    assert dict(first.problems).keys() == {"timeout"}
    assert second.failed == 0
    assert time.monotonic() - begin < 60


def test_one_that_is_not_there_fails_and_the_other_is_measured():
    with RawServer() as gone:
        url = gone.url
    with RawServer() as well:
        first, second = OwnGenerator().run_in_turn((Place(url), Place(well.url)), LOAD)
    assert (first.ok, dict(first.problems)) == (0, {"refused": first.sent})
    assert second.ok == second.sent > 0


def test_a_rate_of_less_than_one_in_a_turn_still_reaches_both():
    with RawServer() as one, RawServer() as other:
        load = Load(rate=4.0, duration=1.0, warmup=0.0, connections=1)
        first, second = OwnGenerator().run_in_turn((Place(one.url), Place(other.url)), load)
    assert (first.sent + first.behind, second.sent + second.behind) == (4, 4)


def test_as_many_as_the_connections_carry_is_a_load_in_turn_as_well():
    with RawServer() as one, RawServer() as other:
        load = Load(rate=0.0, duration=0.4, warmup=0.0, connections=2)
        first, second = OwnGenerator().run_in_turn((Place(one.url), Place(other.url)), load)
    assert first.ok > 4
    assert second.ok > 4


def test_a_second_address_that_is_none_is_refused():
    with RawServer() as one, pytest.raises(UserError, match="nowhere"):
        OwnGenerator().run_in_turn((Place(one.url), Place("nowhere")), LOAD)


@pytest.mark.parametrize("ends", ["stdin", "signal"])
def test_it_ends_early_and_reports_when_its_starter_dies_or_asks(ends):
    with RawServer() as one, RawServer() as other:
        arguments = [one.url, "--against", other.url, "--rate", "50", "--duration", "600", "--stop-on-eof"]
        process = subprocess.Popen([*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: one.total and other.total)
            if ends == "signal":
                os.kill(process.pid, signal.SIGTERM)
            out, _ = process.communicate(timeout=60)  # which closes stdin
        finally:
            process.kill()
            process.wait()
    assert out.startswith("[{")
