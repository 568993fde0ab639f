"""Reading the user's metrics of one run, beside the judging.

Queries take as long as a server takes: they run in a thread of their own, all that are due of one run one after the
other and for the same moment, and what came is taken in at a later turn. Conditions cost microseconds and are asked in
the turn, once a second.
"""

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from math import inf
from typing import Any

from fairway.domain.analysis.evidence import Assessment
from fairway.domain.analysis.metrics.judgement import Given, MetricsJudgement
from fairway.domain.analysis.metrics.policy import Metric, Rule, keys_of, questions
from fairway.domain.analysis.metrics.samples import NoData, Trouble
from fairway.domain.analysis.metrics.state import router_metrics
from fairway.domain.analysis.metrics.sustained import Answer
from fairway.domain.analysis.metrics.window import TrafficWindow
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.errors import FairwayError, InvariantError, TransientError
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Watch
from fairway.engine.world import World
from fairway.ports.metrics import Condition

#: Seconds between two looks at the rules.
LOOK_EVERY = 1.0
#: Seconds for a request of an http metric, at most.
PATIENCE = 5.0

Readings = dict[str, dict[str, Given]]


@dataclass(slots=True)
class Meter:
    """What is known of the user's metrics of one run, and what is being asked.

    Attributes:
        judgement: the state that is kept with the run.
        executor: where queries run.
        reading: what is being asked.
        asked: when each metric was asked for last.
    """

    judgement: MetricsJudgement
    executor: Executor
    window: TrafficWindow
    reading: "Future[Readings] | None" = None
    asked: dict[str, float] = field(default_factory=dict)
    looked: float = -inf
    conditions: dict[str, Condition] = field(default_factory=dict)

    @classmethod
    def resume(
        cls, run: Run, stored: dict[str, Any] | None, executor: Executor, *, carried: float = 1.0
    ) -> "Meter | None":
        """The meter of a run; None where the user has neither metrics nor rules.

        Args:
            run: whose.
            stored: what was kept of it; None at its beginning.
            executor: where queries run.
            carried: e-value of an earlier try of the same artifact that had no answer.
        """
        policy = run.plan.analysis.metrics
        if not policy.asks:
            return None
        judgement = (
            MetricsJudgement(policy, carried=carried) if stored is None else MetricsJudgement.restore(stored, policy)
        )
        return cls(judgement, executor, TrafficWindow(policy.window))

    def read(
        self, run: Run, world: World, traffic: TrafficSnapshot | None, *, at: float, counting: bool, frozen: bool
    ) -> None:
        """Takes in what came, asks for what is due, and looks at the rules; never waits.

        Args:
            run: whose.
            world: where queries go.
            traffic: the router's counters as just read; None if they could not be.
            at: now, seconds since the epoch, UTC.
            counting: False during warm-up and shared incidents, when nothing is compared.
            frozen: a shared incident is under way, so that rules do not count either.
        """
        if run.weight != self.judgement.weight:
            self.judgement.enter_step(run.weight, alone=run.plan.stable is None or run.weight >= 100.0)
        self._take(counting=counting)
        self._ask(run, world, at)
        if traffic is not None:
            self.window.add(traffic)
        if 0.0 <= at - self.looked < LOOK_EVERY:
            return
        self.looked = at
        wanted = router_metrics(self.judgement.policy)
        if wanted:
            self._show(run, wanted, readable=traffic is not None)
        values = self.judgement.values()
        answers: dict[str, tuple[Answer, str]] = {}
        for rule in self.judgement.policy.rules:
            answers[rule.name] = self._answer(rule, world, values)
        self.judgement.look(answers, at=at, frozen=frozen)

    def weigh(self, run: Run, assessment: Assessment) -> Assessment:
        """The assessment together with the user's metrics."""
        step = run.current.step if run.current is not None else None
        end = inf
        if isinstance(step, Watch):
            end = step.seconds if step.least is None else min(step.least, step.seconds)
        return self.judgement.weigh(assessment, bake=end)

    def _answer(self, rule: Rule, world: World, values: dict[str, Any]) -> tuple[Answer, str]:
        if rule.name not in self.conditions:
            if world.conditions is None:
                return "error", "nobody here can read conditions"
            try:
                self.conditions[rule.name] = world.conditions.compile(rule.when)
            except FairwayError as error:
                return "error", error.message
        return self.conditions[rule.name].ask(values)

    def _show(self, run: Run, wanted: frozenset[str], *, readable: bool) -> None:
        for role, revision in (("candidate", run.plan.candidate), ("stable", run.reference)):
            if revision is not None and readable:
                self.judgement.show(role, self.window.samples(revision.id, wanted))
            else:
                nothing = NoData("the router could not be read", idle=True)
                self.judgement.show(role, dict.fromkeys(wanted, nothing))

    def _take(self, *, counting: bool) -> None:
        if self.reading is None or not self.reading.done():
            return
        reading, self.reading = self.reading, None
        metrics = {metric.name: metric for metric in self.judgement.policy.metrics}
        problem = reading.exception()
        if problem is not None:
            # Whatever it was, the judgement goes on; the metrics have no answer.
            trouble = Trouble(f"{type(problem).__name__}: {problem}")
            for metric in metrics.values():
                self.judgement.take(metric, dict.fromkeys(keys_of(metric), trouble), counting=counting)
            return
        for name, given in reading.result().items():
            self.judgement.take(metrics[name], given, counting=counting)

    def _ask(self, run: Run, world: World, at: float) -> None:
        if self.reading is not None:
            return
        due = [m for m in self.judgement.policy.metrics if not 0.0 <= at - self.asked.get(m.name, -inf) < m.interval]
        if due:
            self.asked |= {metric.name: at for metric in due}
            self.reading = self.executor.submit(_read_all, due, run, world, at)


def _read_all(due: list[Metric], run: Run, world: World, at: float) -> Readings:
    """Everything that is due; a source that does not answer once is not asked again this time."""
    names, silent = _names(run), None
    found: Readings = {}
    for metric in due:
        if metric.path:
            found[metric.name] = _read_http(metric, world)
            continue
        found[metric.name] = {}
        for key, query in questions(metric, names).items():
            if silent is None:
                given, silent = _read(query, world, at)
            found[metric.name][key] = silent or given
    return found


def _names(run: Run) -> dict[str, dict[str, str]]:
    """What placeholders stand for, by role; the baseline takes the place of stable where there is one."""
    plan = run.plan
    stable = run.reference or plan.candidate
    same = {"service": plan.service, "environment": plan.environment}
    same |= {"candidate": plan.candidate.id, "stable": stable.id}
    revisions = (("candidate", plan.candidate), ("stable", stable))
    return {role: same | {"revision": revision.id, "version": revision.version} for role, revision in revisions}


def _read(query: str, world: World, at: float) -> tuple[Given, Trouble | None]:
    """What came of one query, and the trouble that others would have too."""
    if world.metrics is None:
        raise InvariantError("no-source", f"nobody here answers the query {query!r}")
    try:
        return world.metrics.read(query, at=at), None
    except FairwayError as error:
        trouble = Trouble(error.message.rstrip("."))
        return trouble, trouble if isinstance(error, TransientError) else None


def _read_http(metric: Metric, world: World) -> dict[str, Given]:
    """1 if the candidate answers as it should, else 0; that nobody can be asked is no answer."""
    try:
        address = world.router.observe().preview
        if address is None:
            return {"candidate": ()}
        answer = world.probe.get(f"http://{address}{metric.path}", timeout=min(PATIENCE, metric.interval))
    except FairwayError as error:
        return {"candidate": Trouble(error.message.rstrip("."))}
    good = answer.status == metric.status and (metric.contains is None or metric.contains in answer.body)
    return {"candidate": (("", float(good)),)}
