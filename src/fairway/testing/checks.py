"""Commands, servers and checks in memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from fairway.domain.errors import FairwayError, TransientError
from fairway.domain.validation.assertions import judge_answer
from fairway.domain.validation.checks import Check, HttpCheck
from fairway.domain.validation.exchange import Exchange, Trouble
from fairway.domain.validation.expectation import Expectation
from fairway.domain.validation.findings import Finding, lenient, passed
from fairway.ports.checks import Answer, Command, CommandResult, Place

SUCCESS = CommandResult(0, "ok")
WELCOME = Answer(200, "ok")


@dataclass(slots=True)
class FakeCommands:
    """Starts a command when it is asked for first, and has it ended when asked again.

    Attributes:
        results: how argument lines end; the others succeed.
        refused: what is raised for argument lines that cannot be started.
        looks: how many times a running command is still running when asked for again.
        executions: how many times each key was started; never more than once.
        commands: what was started, in this order.
    """

    results: dict[str, CommandResult] = field(default_factory=dict)
    refused: dict[str, FairwayError] = field(default_factory=dict)
    looks: int = 0
    executions: Counter[str] = field(default_factory=Counter)
    commands: list[Command] = field(default_factory=list)
    _looks: Counter[str] = field(default_factory=Counter)
    _ended: dict[str, CommandResult] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ensure_run(self, command: Command) -> CommandResult | None:
        """See the port."""
        with self._lock:
            key = command.key
            if key in self._ended:
                return self._ended[key]
            if key not in self.executions:
                if command.line in self.refused:
                    raise self.refused[command.line]
                self.executions[key] += 1
                self.commands.append(command)
                return None
            if self._looks[key] < self.looks:
                self._looks[key] += 1
                return None
            # As it is scripted when it ends, and the same from then on.
            self._ended[key] = self.results.get(command.line, SUCCESS)
            return self._ended[key]


@dataclass(slots=True)
class FakeProbe:
    """Answers by URL.

    Attributes:
        answers: what URLs answer; None: nobody listens; a function is asked each time.
        otherwise: what all other URLs answer.
        asked: the URLs in the order in which they were asked.
    """

    answers: dict[str, Answer | Callable[[], Answer | None] | None] = field(default_factory=dict)
    otherwise: Answer | None = WELCOME
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, *, timeout: float) -> Answer:  # noqa: ARG002 -- nothing takes time here
        """See the port."""
        self.asked.append(url)
        answer = self.answers.get(url, self.otherwise)
        if callable(answer):
            answer = answer()
        if answer is None:
            raise TransientError("probe-refused", f"GET {url} failed: nobody listens.")
        return answer


@dataclass(slots=True)
class FakeChecker:
    """Asks plain requests of a probe, and knows beforehand what other checks find.

    Attributes:
        probe: what plain requests are asked of.
        findings: what checks find, by name; the others pass.
        asked: names or paths of checks and the places at which they were asked, in this order.
    """

    probe: FakeProbe = field(default_factory=FakeProbe)
    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    asked: list[tuple[str, Place]] = field(default_factory=list)

    def check(self, check: Check | HttpCheck, place: Place) -> tuple[Finding, ...]:
        """See the port."""
        named = check if isinstance(check, Check) else Check(check.path, check)
        name = named.name
        self.asked.append((name, place))
        if name not in self.findings and isinstance(named.probe, HttpCheck):
            found = (replace(self._ask(named.probe, place), check=name),)
            return found if named.required else lenient(found)
        return self.findings.get(name, (replace(passed(name, "all well", "all well"), check=name),))

    def _ask(self, check: HttpCheck, place: Place) -> Finding:
        subject, contains = f"GET {check.path}", () if check.contains is None else (check.contains,)
        try:
            answer = self.probe.get(place.base + check.path, timeout=place.settings.timeout)
        except TransientError as error:
            return Trouble("refused", error.message).finding(subject, "an answer")
        exchange = Exchange("GET", place.base + check.path, answer.status, body=answer.body.encode())
        return judge_answer(exchange, subject, Expectation((check.status,), contains), lambda _path, _value: [])
