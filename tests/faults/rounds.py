"""One round: a rollout under load, in which processes are killed or stopped at random moments; then the books are made.

The seed of a round decides everything that is chosen, so that a round that failed can be played again:
`FAULT_SEED=SEED FAULT_ROUNDS=1 make test-faults`. When the system lets the chosen moments fall is not in our hands.
"""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services import ask, configure, environment, release
from workshop import Workshop, free_port

from fairway.adapters.load.process import Load
from fairway.adapters.load.report import Report
from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import Event, RunEnded, StepFinished

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "200"))
SEED = int(os.environ.get("FAULT_SEED", "1"))

#: Fails every page after some that were good.
TURNS_BAD = "status = 500 if SEEN > 40 else 200"
#: Requests a second, and instances of a revision.
RATE, INSTANCES = 100.0, 2

STRATEGIES = {
    "rolling": "{kind: rolling, bake: 1s}",
    "blue-green": "{kind: blue-green, keep: 2s}",
    "canary": "{kind: canary, steps: [50, 100], bake: 1s}",
}
VICTIMS = ("controller", "supervisor", "instance", "command", "everything", "proxy")


@dataclass(frozen=True)
class Blow:
    """What happens to whom.

    Attributes:
        after: seconds since the last one, or since the beginning.
        stopped: seconds between SIGSTOP and SIGCONT; None: SIGKILL.
    """

    victim: str
    after: float
    stopped: float | None


@dataclass
class Round:
    """What was chosen, and what came of it.

    Attributes:
        early: the blows may fall before the run has begun.
        stable_hit: a blow fell on an instance of stable.
    """

    seed: int
    bad: bool
    early: bool
    blows: tuple[Blow, ...]
    phase: str = ""
    verdict: str | None = None
    seen: Report | None = None
    struck: list[str] = field(default_factory=list)
    stable_hit: bool = False

    @property
    def touched(self) -> set[str]:
        """Whom the blows hit."""
        return {word.split()[0] for word in self.struck}


def choose(seed: int, victims: tuple[str, ...] = VICTIMS) -> Round:
    """A round, from its seed."""
    chance = random.Random(seed)
    blows = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        victim = chance.choice(victims)
        # A stopped proxy answers nobody meanwhile, and what is stopped with everything else is never continued.
        stops = victim in ("controller", "supervisor", "instance") and chance.random() < 0.4
        blows.append(Blow(victim, chance.uniform(0.0, 2.5), chance.uniform(0.3, 4.0) if stops else None))
    return Round(seed, chance.random() < 0.4, chance.random() < 0.2, tuple(blows))


class Arena:
    """A repository with one environment, 1.0.0 live in it, on which rounds are played."""

    def __init__(self, shop: Workshop, strategy: str) -> None:
        self.shop, self.port, self.strategy = shop, free_port(), strategy
        self.notes = shop.folder.parent / "notes"
        note = f"    stages: {{verify: {{run: [\"sh -c 'echo $FAIRWAY_VERSION >> {self.notes}'\"]}}}}\n"
        text = configure(environment("production", self.port, STRATEGIES[strategy], instances=INSTANCES, more=note))
        release(shop, "1.0.0", **{"fairway.yaml": text})
        first = shop.deploy("1.0.0", "production", "--timeout", "60s")
        assert first.status == 0, first.err

    def play(self, game: Round) -> Round:
        """Plays a round and checks everything that must hold after it."""
        version = f"2.{game.seed}.0"
        release(self.shop, version, TURNS_BAD if game.bad else "pass")
        before = self.shop.now("production")["live"]["release"]
        with Load(f"http://127.0.0.1:{self.port}/", rate=RATE, connections=8, niceness=0) as users:
            command = self.shop.start("deploy", version, "--env", "production", "--json")
            if not game.early:
                self.shop.await_status("production", lambda status: status["release"] == version)
            self._strike(game, command.pid)
            with suppress(ProcessLookupError):
                command.kill()
            command.communicate()
            run = self._ended(version)
            game.seen = users.stop()
        if run is None:
            # The command died before it had started anything: then nothing may have changed.
            game.phase = "never began"
            assert self.shop.now("production")["live"]["release"] == before
        else:
            game.phase, game.verdict = run["phase"], run["verdict"]
            self._check_run(game, run, before)
        self._check_place(game)
        return game

    def _strike(self, game: Round, command: int) -> None:
        for blow in game.blows:
            time.sleep(blow.after)
            candidates = self._candidates(game)
            for name, pid in self._victims(blow.victim, command):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if blow.stopped is None else signal.SIGSTOP)
                    game.struck.append(
                        f"{name} {'killed' if blow.stopped is None else f'stopped {blow.stopped:.1f} s'}"
                    )
                    game.stable_hit |= name == "instance" and pid not in candidates
                    if blow.stopped is not None:
                        time.sleep(blow.stopped)
                        os.kill(pid, signal.SIGCONT)
            if blow.victim in ("everything", "controller", "supervisor"):
                # Somebody, or a reboot's first command, is needed where controller and supervisor died together.
                answer = self.shop.fairway("up", "--json", timeout=90)
                assert answer.status in (0, 3), answer.err

    def _candidates(self, game: Round) -> set[int]:
        """The processes of the candidate's instances."""
        return {pid for unit, pid in self.shop.units().items() if f".2.{game.seed}.0-" in unit}

    def _victims(self, victim: str, command: int) -> list[tuple[str, int]]:
        units = self.shop.units()
        file = self.shop.folder / ".fairway/supervisor/supervisor.json"
        supervisor = [("supervisor", json.loads(file.read_text())["process"][0])] if file.exists() else []
        named = [(_kind(unit), pid) for unit, pid in units.items()]
        match victim:
            case "command":
                return [("command", command)]
            case "everything":
                return [*supervisor, ("command", command), *[("everything", pid) for _, pid in named]]
            case "supervisor":
                return supervisor
        found = [(name, pid) for name, pid in named if name == victim]
        return found[:1]

    def _ended(self, version: str) -> dict[str, Any] | None:
        """The run's end, or its pause; None if there was none."""
        assert self.shop.fairway("up", "--json", timeout=90).status in (0, 3)
        state = self.shop.now("production")
        if state["release"] != version:
            return None
        over = ("paused", "completed", "rolled-back")
        state = self.shop.await_status("production", lambda status: status["phase"] in over, 90)
        if state["phase"] == "paused":
            # No answer is an answer: whoever is asked takes it back.
            self.shop.steer("abort", state["run"])
            state = self.shop.await_status("production", lambda status: status["finished"] is not None, 60)
            return state | {"verdict": "inconclusive"}
        return state

    def _check_run(self, game: Round, run: dict[str, Any], before: str) -> None:
        live = run["live"]["release"]
        expected = run["release"] if run["phase"] == "completed" else before
        assert live == expected, (game, run)
        if game.bad and (game.seen is None or run["phase"] == "completed"):
            # It may only pass if it never had the requests that turn it bad.
            counted = game.seen.by_revision if game.seen is not None else {}
            got = sum(count.failed for name, count in counted.items() if name.startswith(run["release"]))
            assert got == 0, (game, run["reason"])
        if not game.bad and run["phase"] == "rolled-back":
            assert game.touched & {"instance", "everything", "proxy"} or run["verdict"] == "inconclusive", (game, run)
        with SqlStore.open(str(self.shop.folder / ".fairway/journal.db")) as store:
            events = store.list_events(run["run"])
        _check_events(events)
        notes = Counter(self.notes.read_text().split()) if self.notes.exists() else Counter()
        assert notes[run["release"]] <= (2 if "everything" in game.touched else 1), (game, notes)

    def _check_place(self, game: Round) -> None:
        """What is live runs, as often as wanted, and nothing else does."""
        assert game.seen is not None
        live = self.shop.now("production")["live"]
        deadline = time.monotonic() + 40
        while (units := self._instances()) != {f"{live['revision']}.{n}" for n in units_of(units)} or len(
            units
        ) != INSTANCES:
            assert time.monotonic() < deadline, (game, live, units)
            time.sleep(0.1)
        while ask(self.port).text != live["release"]:
            assert time.monotonic() < deadline, (game, live)
            time.sleep(0.1)
        if not game.touched & {"everything", "proxy"}:
            assert game.seen.failed == self._inevitable(game), (game, game.seen)

    def _inevitable(self, game: Round) -> int:
        """Failed answers of a bad candidate that nobody could have answered in its place.

        In the middle of a rolling update one instance of stable is left, and if that is the one that was hit, no
        healthy one lives: the bad answers themselves then reach the users. Other strategies keep all of stable.
        """
        if not (game.bad and game.stable_hit and self.strategy == "rolling") or game.seen is None:
            return 0
        return sum(n.failed for name, n in game.seen.by_revision.items() if name.startswith(f"2.{game.seed}.0-"))

    def _instances(self) -> set[str]:
        return {unit.removeprefix("i.corner.production.") for unit in self.shop.units() if unit.startswith("i.")}


def units_of(units: set[str]) -> list[str]:
    """The numbers of instances."""
    return [unit.rpartition(".")[2] for unit in units]


def _kind(unit: str) -> str:
    return "proxy" if unit.startswith("envoy") else "instance" if unit.startswith("i.") else "controller"


def _check_events(events: tuple[Event, ...]) -> None:
    """Nothing was finished twice, promoted twice or ended twice."""
    finished = Counter((each.track, each.index) for each in events if isinstance(each, StepFinished))
    assert not [step for step, times in finished.items() if times > 1], events
    assert sum(isinstance(each, RunEnded) for each in events) == 1
    assert isinstance(events[-1], RunEnded)


@contextmanager
def counted(folder: Path, name: str) -> Iterator[list[Round]]:
    """Collects rounds and says at the end what they came to; appended to FAULT_REPORT too, if that is set."""
    played: list[Round] = []
    began = time.monotonic()
    try:
        yield played
    finally:
        blows = Counter(word for game in played for word in (" ".join(each.split()[:2]) for each in game.struck))
        seen = [game.seen for game in played if game.seen is not None]
        summary = {
            "name": name,
            "rounds": len(played),
            "seconds": round(time.monotonic() - began),
            "phases": Counter(f"{game.phase}{' of a bad one' if game.bad else ''}" for game in played),
            "blows": blows,
            "requests": sum(each.sent for each in seen),
            "failed": sum(each.failed for each in seen),
            "failed_with_proxy_alive": sum(
                game.seen.failed for game in played if game.seen and not game.touched & {"everything", "proxy"}
            ),
        }
        (folder / "summary.json").write_text(json.dumps(summary, indent=1))
        print(json.dumps(summary))
        if report := os.environ.get("FAULT_REPORT"):
            with Path(report).open("a") as file:
                file.write(json.dumps(summary) + "\n")
