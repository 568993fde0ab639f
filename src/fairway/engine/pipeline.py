"""From a task of a release to effects. Each kind looks first at what is there already, and may be done again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fairway.domain.errors import PermanentError
from fairway.domain.pipeline.actions import Attest, AwaitTurn, CreateTag, Deploy, Publish, RunSteps, SealArtifact
from fairway.domain.pipeline.additions import name_commits
from fairway.domain.pipeline.findings import LEVELS, Finding, ScanPolicy, judge
from fairway.domain.pipeline.plan import Task
from fairway.domain.pipeline.products import Product, select
from fairway.domain.pipeline.release import Release
from fairway.domain.pipeline.scan_reports import Report, read_report
from fairway.domain.rollout.spec import Adapter
from fairway.ports.artifacts import ArtifactStore, Commit
from fairway.ports.attestations import Attestor, Origin
from fairway.ports.pipeline import Broken, Deployments, Job, Made, Parcel, Registry, Tags, Workshop
from fairway.ports.releases import ReleaseJournal

#: Seconds between two looks at something that takes its own time.
LOOK_AGAIN = 0.2


@dataclass(frozen=True, slots=True)
class Bench:
    """What the tasks of a release act through.

    Attributes:
        registry_of: the registry for a kind and its settings.
        log: receives a task's id and each line of its output.
        envelopes: the signed statements about a product, as they are written down.
        held_back: why it is not the time for the release, asked when it has its turn; None: it is.
    """

    journal: ReleaseJournal
    workshop: Workshop
    artifacts: ArtifactStore
    adopted: str | None
    tags: Tags
    registry_of: Callable[[Adapter], Registry]
    attestor: Attestor
    deployments: Deployments
    log: Callable[[str, str], None]
    envelopes: Callable[[Product], tuple[str, ...]] = lambda _product: ()
    held_back: Callable[[Release], "Refused | None"] = lambda _release: None


@dataclass(frozen=True, slots=True)
class Done:
    """The task's condition holds."""

    detail: str
    products: tuple[Product, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotYet:
    """Ask again.

    Attributes:
        waits: for what, in words.
    """

    waits: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer is no.

    Attributes:
        rule: stable code of what decided.
    """

    rule: str
    reason: str
    hint: str = ""


Outcome = Done | NotYet | Refused


@dataclass(frozen=True, slots=True)
class TaskPerformance:
    """One try at one task."""

    release: Release
    bench: Bench
    clock: Callable[[], float]

    def perform(self, task: Task) -> Outcome:  # noqa: PLR0911 -- one return a kind of action
        """Brings about what the task says, as far as it is not so already.

        Raises:
            FairwayError: as the ports do.
        """
        match task.action:
            case AwaitTurn():
                return self._await_turn()
            case RunSteps():
                return self._run_steps(task, task.action)
            case SealArtifact():
                return self._seal(task, task.action)
            case Attest():
                return self._attest(task.action)
            case CreateTag():
                return self._tag(task.action)
            case Publish():
                return self._publish(task, task.action)
            case Deploy():
                return self._deploy(task.action)

    def find_lost(self, task: Task) -> str | None:
        """What is gone of what this task had brought about, in one sentence; None if it is all there."""
        products = self.release.tasks[task.id].products
        if isinstance(task.action, RunSteps):
            gone = next((one for one in products if not self.bench.workshop.holds(one)), None)
            return None if gone is None else f"{gone.path} ({gone.digest}) is not kept any more"
        if isinstance(task.action, SealArtifact):
            return next((why for one in products if (why := self.bench.artifacts.verify(one.digest))), None)
        if isinstance(task.action, CreateTag):
            return self._lost_tag(task.action)
        if isinstance(task.action, Publish):
            registry = self.bench.registry_of(task.action.registry)
            seen = (registry.observe(parcel) for parcel in self._parcels(task.action))
            return next((f"{one.name} is not in the registry any more" for one in seen if one.state == "absent"), None)
        return None

    def _lost_tag(self, action: CreateTag) -> str | None:
        for remote in (None, *([action.remote] if action.remote else [])):
            if self.bench.tags.observe(action.tag, remote=remote) is None:
                return f"tag {action.tag} is gone" + (f" from {remote}" if remote else "")
        return None

    def _await_turn(self) -> Outcome:
        other = self.bench.journal.take_turn(self.release.plan.service, self.release.id)
        if other is not None:
            return NotYet(f"waits for release {other}")
        # It may have waited for long, or go on after days.
        return self.bench.held_back(self.release) or Done("")

    def _commit(self) -> Commit:
        plan = self.release.plan
        return Commit(plan.commit, plan.version, plan.tag, "", 0.0)

    def _run_steps(self, task: Task, action: RunSteps) -> Outcome:
        laid = tuple(one for one in self.release.products_of(task.needs) if _is_laid(one, action))
        job = Job(f"{self.release.id}/{task.id}", self._commit(), action, task.values, laid)
        began = self.clock()
        made = self.bench.workshop.work(job, log=lambda line: self.bench.log(task.id, line))
        if action.scan is not None:
            return self._judge_scan(task, action.scan, made)
        if isinstance(made, Broken):
            return Refused("steps", made.reason, made.hint)
        count = f", {_counted(len(made.products), 'output')}" if made.products else ""
        data = {"key": made.key, "cached": made.cached, "began": began, "ended": self.clock()}
        return Done(("from the cache" if made.cached else "done") + count, made.products, data)

    def _judge_scan(self, task: Task, policy: ScanPolicy, made: Made | Broken) -> Outcome:
        """A report decides: nothing found, findings, or, where there is none that can be read, no answer."""
        broken = made if isinstance(made, Broken) else None
        try:
            report = _read_report(made, policy)
        except ValueError as error:
            raise PermanentError("scan-not-run", _not_run(task, f"{error}", broken), _hint(policy)) from error
        findings = name_commits(report.findings)
        if broken is not None and not findings and not report.gap:
            # Its status is not that of findings: it did not look at everything.
            raise PermanentError("scan-not-run", _not_run(task, "it found nothing and failed", broken), broken.hint)
        day = datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%d")
        verdict = judge(findings, policy, day)
        for finding in verdict.blocking:
            self.bench.log(task.id, f"{finding.level} {finding.rule} {finding.place}: {finding.message}")
        if verdict.blocking:
            shown = "".join(f"\n  {one.rule} {one.place}: {one.message[:120]}" for one in verdict.blocking[:5])
            late = "".join(f"; the waiver of {one.rule} ended on {one.until}" for one in verdict.lapsed)
            gap = f"; and {report.gap}" if report.gap else ""
            return Refused("findings", f"{verdict.summary}{late}{gap}{shown}", _remedy(verdict.blocking))
        if report.gap:
            raise PermanentError("scan-not-run", _not_run(task, report.gap, None), "it never counts as passed")
        products = () if broken is not None or isinstance(made, Broken) else made.products
        waived = [{"rule": one.rule, "place": one.place, "reason": why.reason} for one, why in verdict.waived]
        left = {level: sum(one.level == level for one in verdict.left) for level in LEVELS}
        data = {"waived": waived, "left": left, "began": self.clock(), "ended": self.clock()}
        return Done(verdict.summary, products, data)

    def _seal(self, task: Task, action: SealArtifact) -> Outcome:
        plan, store = self.release.plan, self.bench.artifacts
        began = self.clock()
        if self.bench.adopted is not None:
            artifact = store.adopt(self.bench.adopted, version=plan.version)
        else:
            log = self.bench.log
            artifact = store.build(
                self._commit(), action.steps, timeout=action.timeout, log=lambda line: log(task.id, line)
            )
        wrong = store.verify(artifact.digest)
        if wrong is not None:
            return Refused("altered", wrong, "remove it, then resume")
        product = Product(plan.service, artifact.digest, kind="artifact")
        return Done(artifact.digest, (product,), {"began": began, "ended": self.clock()})

    def _attest(self, action: Attest) -> Outcome:
        plan = self.release.plan
        count = 0
        for task in plan.tasks:
            state = self.release.tasks[task.id]
            for product in state.products:
                origin = Origin(
                    service=plan.service,
                    version=plan.version,
                    tag=plan.tag,
                    commit=plan.commit,
                    source=plan.origin,
                    release=self.release.id,
                    task=task,
                    materials=self.release.products_of(task.needs),
                    data=state.data or {},
                )
                self.bench.attestor.ensure_attested(product, origin, key=action.key)
                count += 1
        return Done(_counted(count, "product"))

    def _tag(self, action: CreateTag) -> Outcome:
        plan, tags = self.release.plan, self.bench.tags
        did = []
        # The remote one first: it is what other clones see, so that it decides whose version this is.
        for remote in (*([action.remote] if action.remote else []), None):
            there = tags.observe(action.tag, remote=remote)
            where = remote or "the repository"
            if there not in (None, plan.commit):
                reason = f"tag {action.tag} stands on {there} in {where}, not on {plan.commit}"
                return Refused("tag-elsewhere", reason, "release another version")
        if tags.observe(action.tag) is None:
            tags.create(action.tag, plan.commit, message=f"{plan.service} {plan.version}")
            did.append("created")
        if action.remote and tags.observe(action.tag, remote=action.remote) is None:
            tags.push(action.tag, action.remote)
            did.append(f"pushed to {action.remote}")
        return Done(", ".join(did) or "was there already", data={"tag": action.tag, "commit": plan.commit})

    def _parcels(self, action: Publish) -> list[Parcel]:
        products = {one.path: one for one in self.release.products if one.kind == "file"}
        chosen = [products[path] for path in select(products, action.files)]
        chosen += [one for one in self.release.products if one.kind == "image" and one.path in action.images]
        version, locate = self.release.plan.version, self.bench.workshop.locate
        return [Parcel(one, locate(one), version, self.bench.envelopes(one)) for one in chosen]

    def _publish(self, task: Task, action: Publish) -> Outcome:
        parcels = self._parcels(action)
        if not parcels:
            reason = f"no output of a task matches {', '.join(action.files)}"
            return Refused("nothing-to-publish", reason, f"name outputs of a build task in publish.{task.id}.files")
        registry = self.bench.registry_of(action.registry)
        sent: list[str] = []
        there: list[str] = []
        for parcel in parcels:
            seen = registry.observe(parcel)
            if seen.state == "other":
                reason = f"{seen.name} is in the registry with other bytes than {parcel.product.digest}: {seen.detail}"
                return Refused("published-otherwise", reason, "release another version")
            if seen.state == "absent":
                self.bench.log(task.id, f"publishing {seen.name}")
                registry.publish(parcel)
            (sent if seen.state == "absent" else there).append(seen.name)
        words = [f"{len(sent)} published"] if sent else []
        words += [f"{len(there)} there already"] if there else []
        return Done(", ".join(words), data={"published": sent, "present": there})

    def _deploy(self, action: Deploy) -> Outcome:
        state = self.bench.deployments.observe(action.run)
        if state is None:
            sealed = next(one.digest for one in self.release.products if one.kind == "artifact")
            refusal = self.bench.deployments.ensure_started(
                action.run,
                digest=sealed,
                environment=action.environment,
                actor=self.release.actor,
                passage=self.release.passage,
            )
            return NotYet(f"rollout {action.run}") if refusal is None else Refused("deploy", refusal)
        if state.outcome is None:
            return NotYet(state.waits or f"rollout {action.run}")
        if state.outcome == "completed":
            return Done(state.reason)
        return Refused("rolled-back", f"{action.run} {state.outcome}: {state.reason}", "release a fixed version")


def _is_laid(product: Product, action: RunSteps) -> bool:
    """Files always lie in the checkout of who needs their task; images, which are large, where they are asked for."""
    return product.kind == "file" or (product.kind == "image" and product.path in action.images)


def _remedy(blocking: tuple[Finding, ...]) -> str:
    if any(one.commit for one in blocking):
        return "revoke the secret, and take it out of commits that are not pushed yet, or waive it with a reason"
    return "mend them, or waive them with a reason"


def _hint(policy: ScanPolicy) -> str:
    got = f"; if it is not there: {policy.install}" if policy.install else ""
    return f"it never counts as passed{got}"


def _read_report(made: Made | Broken, policy: ScanPolicy) -> Report:
    """What the scanner found.

    Raises:
        ValueError: there is no report, or none of a scan that was completed.
    """
    if made.report is None:
        raise ValueError(f"it wrote no report {policy.report!r}")
    return read_report(policy.form, made.report)


def _not_run(task: Task, why: str, broken: Broken | None) -> str:
    said = "" if broken is None else f": {broken.reason}"
    return f"the scan {task.id} could not be run: {why}{said}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
