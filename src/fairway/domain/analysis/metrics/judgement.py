"""The judgement by the user's own metrics in one rollout: readings and answers in, a verdict beside the lanes' out.

Order of what decides (the first that applies):
1. What the lanes found against the candidate, or the rules beside them.
2. A rule of the user's that was true for long enough, or enough evidence of his counters and gauges: roll back. Once
   found it stays.
3. What holds the lanes.
4. A metric or a condition without an answer: a few missed readings mean nothing, three hold, and after `no_data` the
   answer is inconclusive. It never counts as good, never as bad.
5. A rule that holds; and at the end of a step, a rule that is true but not yet for long enough.

During a shared incident nothing is gathered, as in the lanes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fairway.domain.analysis.counters import trusted
from fairway.domain.analysis.evidence import Assessment, Finding
from fairway.domain.analysis.metrics import shown
from fairway.domain.analysis.metrics.policy import Metric, Rule
from fairway.domain.analysis.metrics.promotion import gauge_margin, promotions
from fairway.domain.analysis.metrics.samples import NoData, Outcome, Sample, Series, Trouble, of_counter, of_gauge
from fairway.domain.analysis.metrics.state import MetricsState, patience_for
from fairway.domain.analysis.metrics.sustained import Answer

Given = tuple[Series, ...] | Trouble
"""What came of one query."""


@dataclass(slots=True)
class MetricsJudgement(MetricsState):
    """The judgement of one rollout. Changed in place; not shared between threads."""

    def enter_step(self, weight: float, *, alone: bool) -> None:
        """The weight changed.

        Args:
            weight: percent of the requests that now go to the candidate.
            alone: stable gets none, so that there is nothing to compare with.
        """
        self.weight, self.alone = weight, alone
        for sign in self.signs.values():
            sign.enter_step()
        for ratio in self.ratios.values():
            ratio.enter_step()

    def watch_again(self) -> None:
        """A watch begins, or begins once more: nothing is missing yet, and there is as much patience as before."""
        self.missing = {}
        for rule in self.rules.values():
            rule.unknown = 0.0

    def take(self, metric: Metric, given: Mapping[str, Given], *, counting: bool) -> None:
        """Takes in one reading of one metric.

        Args:
            metric: which.
            given: what came, by the keys of `questions`.
            counting: False during warm-up and shared incidents, when nothing is compared.
        """
        counting = counting and not self.alone and self.verdict is None
        if metric.kind == "counter":
            self._take_counter(metric, given, counting=counting)
            return
        now = {role: one if isinstance(one, Trouble) else of_gauge(one) for role, one in given.items()}
        self.outcomes[metric.name] = now
        candidate, stable = now.get("candidate"), now.get("stable")
        if counting and metric.name in self.signs and isinstance(candidate, Sample) and isinstance(stable, Sample):
            both = candidate.value, stable.value
            beyond = _is_worse(*both, metric, ratio=gauge_margin(metric))
            above = _is_worse(*both, metric, ratio=metric.ratio or 1.0)
            self.signs[metric.name].observe(above=above, beyond=beyond)
            self._judge()

    def show(self, role: str, samples: Mapping[str, Outcome]) -> None:
        """Takes in the router's metrics of one revision."""
        for name, outcome in samples.items():
            self.outcomes.setdefault(name, {})[role] = outcome

    def look(self, answers: Mapping[str, tuple[Answer, str]], *, at: float, frozen: bool) -> None:
        """Takes in what the conditions say now.

        Args:
            answers: by rule: the answer, and why there is none.
            at: now, seconds since the epoch, UTC.
            frozen: a shared incident is under way: nothing counts.
        """
        seconds, self.last = trusted(self.last, at), at
        if self.verdict is not None or frozen:
            return
        for metric in self.policy.metrics:
            self.missing[metric.name] = (
                0.0 if self.gap(metric) is None else self.missing.get(metric.name, 0.0) + seconds
            )
        for rule in self.policy.rules:
            answer, why = answers[rule.name]
            self.rules[rule.name].observe(answer, seconds, patience=self.patience(rule), why=why)
        self._judge()

    def weigh(self, assessment: Assessment, *, bake: float) -> Assessment:
        """The lanes' assessment together with the user's metrics.

        Args:
            assessment: what the lanes say.
            bake: seconds for which the present step shall be watched.
        """
        evidence = assessment.evidence
        if evidence.promotion:
            mine = promotions(self.policy.metrics, self.tests())
            evidence = replace(evidence, promotion=evidence.promotion + mine)
        whole = replace(assessment, rules=shown.rules(self), metrics=shown.metrics(self), evidence=evidence)
        if assessment.decision == "roll-back":
            return whole
        if self.verdict is not None:
            return replace(whole, decision="roll-back", rule=self.verdict.rule, sentence=self.verdict.cause)
        if assessment.decision in ("hold", "inconclusive"):
            return whole
        over, finding = self._given_up(), self._obstacle() or self._pending(assessment, bake)
        if over is not None:
            return replace(whole, decision="inconclusive", rule=over.rule, sentence=over.cause)
        if finding is not None:
            return replace(whole, decision="hold", rule=finding.rule, sentence=finding.cause)
        return whole

    @property
    def holds(self) -> bool:
        """The clock of the watch must not run."""
        return self._obstacle() is not None

    def _take_counter(self, metric: Metric, given: Mapping[str, Given], *, counting: bool) -> None:
        now: dict[str, Outcome] = {}
        for key, one in given.items():
            now[key] = one if isinstance(one, Trouble) else of_counter(one, absent=key.endswith(".failed"))
        test = self.ratios[metric.name]
        whole = {key: one.series for key, one in now.items() if isinstance(one, Sample)}
        if len(whole) == len(now):
            test.observe(metric, whole, counting=counting)
            self._judge()
        roles: dict[str, Outcome] = {}
        for role in metric.roles:
            halves = (now[f"{role}.failed"], now[f"{role}.total"])
            wrong = next((one for one in halves if not isinstance(one, Sample)), None)
            roles[role] = wrong or _ratio(test.shown.get(role))
        self.outcomes[metric.name] = roles

    def _judge(self) -> None:
        """Whether the candidate is to be taken back; once yes, always yes."""
        if self.verdict is not None:
            return
        if self.policy.alpha > 0.0 and self.e_value() >= 1.0 / self.policy.alpha:
            tests = self.tests()
            name = max(tests, key=lambda one: tests[one].e_value())
            metric = next(one for one in self.policy.metrics if one.name == name)
            self.verdict = Finding(f"metric-{name.replace('_', '-')}", shown.by_evidence(self, metric))
            return
        for rule in self.policy.rules:
            if rule.severity == "rollback" and self.rules[rule.name].fulfilled(rule.lasting):
                self.verdict = Finding(code_of(rule), shown.by_rule(self, rule))
                return

    def _given_up(self) -> Finding | None:
        for metric in self.policy.metrics:
            gap = self.gap(metric)
            if gap is not None and self.missing.get(metric.name, 0.0) >= self.policy.no_data:
                return Finding(_code(gap), shown.given_up(self, metric, gap))
        for rule in self.policy.rules:
            state = self.rules[rule.name]
            if state.answer == "error" and state.unknown >= self.policy.no_data:
                return Finding("rule-error", shown.unanswered(rule, state, over=True))
        return None

    def _obstacle(self) -> Finding | None:
        for metric in self.policy.metrics:
            gap = self.gap(metric)
            if gap is not None and self.missing.get(metric.name, 0.0) >= patience_for(metric.interval):
                return Finding(_code(gap), shown.missing(self, metric, gap))
        for rule in self.policy.rules:
            state = self.rules[rule.name]
            if state.answer == "error" and state.unknown >= self.patience(rule):
                return Finding("rule-error", shown.unanswered(rule, state, over=False))
            if rule.severity == "hold" and state.fulfilled(rule.lasting):
                return Finding(code_of(rule), shown.holding(self, rule))
        return None

    def _pending(self, assessment: Assessment, bake: float) -> Finding | None:
        """A rule that is true, but not for long enough yet, where the step would end."""
        if assessment.decision == "continue" and assessment.watched < bake:
            return None
        for rule in self.policy.rules:
            if self.rules[rule.name].true:
                return Finding(code_of(rule), shown.pending(self, rule))
        return None


def code_of(rule: Rule) -> str:
    """The stable code of a rule's verdict."""
    return f"rule-{rule.name}"


def _code(gap: NoData | Trouble) -> str:
    return "metric-error" if isinstance(gap, Trouble) else "metric-no-data"


def _ratio(value: float | None) -> Outcome:
    return NoData("its first block is not complete yet", idle=True) if value is None else Sample((("", value),))


def _is_worse(candidate: float, stable: float, metric: Metric, *, ratio: float) -> bool:
    return candidate > ratio * stable if metric.worse == "higher" else candidate * ratio < stable
