"""From a strategy to a plan: which steps, in which order, there and back.

The commit point: for every strategy the way back lasts until the observation has ended. Canary and blue-green keep the
old revision running until then, so the way back is a change of weight; rolling starts the old instances again. A first
deployment has nothing to go back to and commits when its checks have passed.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from fairway.domain.codec import to_json
from fairway.domain.rollout.plan import DEPLOY_STAGES, Plan, PlannedStep
from fairway.domain.rollout.revision import Artifact, Revision
from fairway.domain.rollout.spec import EnvironmentSpec, ServiceSpec, StageChecks
from fairway.domain.rollout.steps import (
    Announce,
    AwaitApprovals,
    AwaitReady,
    CheckHttp,
    Copy,
    Promote,
    Role,
    RunCommand,
    SaveState,
    Scale,
    Shift,
    ShowScripts,
    VerifyArtifact,
    Watch,
)
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rolling
from fairway.domain.validation.checks import Check, HttpCheck, Moment

#: Seconds that a rollback watches the revision it returned to before it lets go of the one it came from.
ROLLBACK_WATCH = 5.0


def revision_of(service: ServiceSpec, environment: EnvironmentSpec, artifact: Artifact) -> Revision:
    """The revision that this artifact and this configuration make; equal input gives an equal id."""
    content = json.dumps([artifact.digest, to_json(environment.run)], sort_keys=True)
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:8]
    name = "".join(c if c.isascii() and (c.isalnum() or c == ".") else "-" for c in artifact.version.lower())
    return Revision(f"{name[:48]}-{fingerprint}", service.service, environment.name, artifact, environment.run)


def baseline_of(environment: EnvironmentSpec, stable: Revision | None) -> Revision | None:
    """The stable release once more, under an id of its own; None where the candidate is not compared with a baseline.

    The fingerprint stays in the id whole: whatever the version, ids of at most 60 characters are unique.
    """
    strategy = environment.strategy
    if stable is None or not isinstance(strategy, Canary) or not strategy.baseline:
        return None
    name, _, fingerprint = stable.id.rpartition("-")
    return replace(stable, id=f"{name[:42]}-{fingerprint}-baseline")


def compile_deploy(
    service: ServiceSpec,
    environment: EnvironmentSpec,
    *,
    candidate: Revision,
    stable: Revision | None,
    stable_instances: int,
) -> Plan:
    """The plan that introduces a candidate.

    Args:
        service: whose rollout it is.
        environment: where to.
        candidate: what is introduced; the same revision as `stable` if only the number of instances changes.
        stable: the live revision; None for the first deployment.
        stable_instances: how many instances of it are wanted at present.
    """
    if stable is not None and stable.id == candidate.id:
        return _rescale(service, environment, stable, stable_instances)
    return _introduce(service, environment, candidate, stable, stable_instances)


def _introduce(
    service: ServiceSpec,
    environment: EnvironmentSpec,
    candidate: Revision,
    stable: Revision | None,
    stable_instances: int,
) -> Plan:
    baseline = baseline_of(environment, stable)
    forward, commit = _way_there(environment, candidate, stable, stable_instances)
    return Plan(
        kind="deploy",
        service=service.service,
        environment=environment.name,
        candidate=candidate,
        stable=stable,
        instances=environment.instances,
        stable_instances=stable_instances,
        strategy=describe(environment) if stable is not None else "first deployment",
        forward=forward,
        rollback=_way_back(
            stable,
            stable_instances,
            environment,
            whole=not isinstance(environment.strategy, Rolling),
            baseline=baseline is not None,
        ),
        commit=commit,
        skipped=tuple(_skipped(environment, forward, first=stable is None)),
        analysis=environment.analysis,
        budget=environment.budget,
        target=environment.target,
        router=environment.router,
        notify=service.notify,
        sticky=environment.strategy.sticky if isinstance(environment.strategy, Canary) else None,
        baseline=baseline,
    )


def compile_rollback(
    service: ServiceSpec, environment: EnvironmentSpec, *, target: Revision, live: Revision, live_instances: int
) -> Plan:
    """The plan that returns to an earlier revision after the commit point, in the six phases of a rollback."""
    forward = tuple(_return(service, environment, target))
    return Plan(
        kind="rollback",
        service=service.service,
        environment=environment.name,
        candidate=target,
        stable=live,
        instances=environment.instances,
        stable_instances=live_instances,
        strategy="rollback: a full set beside the live one, switched at once",
        forward=forward,
        rollback=_way_back(live, live_instances, environment, whole=True),
        commit=next(i for i, s in enumerate(forward) if s.step == Scale("stable", 0)),
        skipped=tuple(_skipped_phases(service, environment)),
        analysis=environment.analysis,
        target=environment.target,
        router=environment.router,
        notify=service.notify,
    )


def describe(environment: EnvironmentSpec) -> str:
    """The strategy in words."""
    match environment.strategy:
        case Rolling(max_surge=surge, max_unavailable=unavailable):
            return f"rolling, at most {surge} above and {unavailable} below {environment.instances}"
        case BlueGreen():
            return "blue-green"
        case Canary(steps=steps, sticky=sticky, rehearsal=rehearsal, baseline=baseline):
            before = f"copies of {rehearsal.mirror.share:g} % → " if rehearsal else ""
            kept = f"; users kept by the {sticky.kind} {sticky.name}, so without a guarantee" if sticky else ""
            beside = " beside a baseline of the same age" if baseline else ""
            return f"canary {before}" + " → ".join(f"{weight:g} %" for weight in steps) + beside + kept


def _way_there(
    environment: EnvironmentSpec, candidate: Revision, stable: Revision | None, stable_instances: int
) -> tuple[tuple[PlannedStep, ...], int]:
    """The steps of a deployment, and the index of the commit point."""
    forward = [
        *_before_traffic(environment),
        *_introduction(environment, candidate, stable, stable_instances=stable_instances),
        *_checks("verify", environment, "live", "public"),
        PlannedStep("verify", Promote(), 0.1),
    ]
    watch = _observation(environment) if stable is not None else 0.0
    if watch:
        forward.append(PlannedStep("observe", Watch(watch, 100.0, "observe"), watch))
    commit = len(forward)
    if stable is not None and not isinstance(environment.strategy, Rolling):
        forward.append(_scale("observe", "stable", 0))
    return tuple(forward), commit


def _return(service: ServiceSpec, environment: EnvironmentSpec, target: Revision) -> Iterator[PlannedStep]:
    """The steps of a rollback after the commit point."""
    count, scripts = environment.instances, environment.rollback_scripts
    yield PlannedStep("validation", VerifyArtifact(), 1.0)
    yield PlannedStep("backup", SaveState(), 0.1)
    if scripts:
        yield PlannedStep("database", ShowScripts(scripts), 0.1)
    yield _scale("application", "candidate", count)
    yield PlannedStep("application", AwaitReady("candidate", count, target.run.health.timeout), 2.0)
    yield PlannedStep("application", Shift(100.0), 0.2)
    http = environment.stages.get("verify", StageChecks()).http
    checks: tuple[HttpCheck | Check, ...] = (*http, *environment.suite.at("rollback"))
    if checks:
        timeout = 60.0 if len(checks) == len(http) else _timeout(environment, "verify")
        yield PlannedStep("verification", CheckHttp(checks, "public", timeout, environment.suite.settings), 1.0)
    yield PlannedStep("verification", Watch(ROLLBACK_WATCH, 100.0, "settle"), ROLLBACK_WATCH)
    yield PlannedStep("verification", Promote(), 0.1)
    yield _scale("verification", "stable", 0)
    if service.notify:
        yield PlannedStep("notification", Announce(len(service.notify)), 0.1)


def _skipped_phases(service: ServiceSpec, environment: EnvironmentSpec) -> Iterator[tuple[str, str]]:
    """The phases of a rollback without a step, in their order."""
    if not environment.rollback_scripts:
        yield "database", "no scripts under rollback.scripts"
    if not service.notify:
        yield "notification", "no receivers under notify"


def _before_traffic(environment: EnvironmentSpec) -> Iterator[PlannedStep]:
    yield PlannedStep("validate", VerifyArtifact(), 1.0)
    yield from _checks("validate", environment, "before", "public")
    yield from _commands("migrate", environment)
    yield PlannedStep("prepare", SaveState(), 0.1)


def _introduction(
    environment: EnvironmentSpec, candidate: Revision, stable: Revision | None, *, stable_instances: int
) -> Iterator[PlannedStep]:
    strategy, first = environment.strategy, stable is None
    baseline = baseline_of(environment, stable)
    rolling = isinstance(strategy, Rolling) and not first
    batches = (
        list(_batches(environment, strategy, stable_instances)) if isinstance(strategy, Rolling) and rolling else []
    )
    if batches and batches[0][0] < stable_instances:
        yield _scale("deploy", "stable", batches[0][0])
    count = batches[0][1] if batches else environment.instances
    yield _scale("deploy", "candidate", count)
    if baseline is not None:
        # Before anybody waits for the candidate, so that both are of the same age.
        yield _scale("deploy", "baseline", count)
    yield _ready("check", "candidate", count, candidate)
    if baseline is not None:
        yield _ready("check", "baseline", count, baseline)
    yield PlannedStep("check", Shift(0.0), 0.2)
    yield from _checks("check", environment, "candidate", "preview")
    if environment.approvals:
        yield PlannedStep("switch", AwaitApprovals(environment.approvals), 0.0)
    if batches and isinstance(strategy, Rolling):
        yield from _roll(strategy, batches, candidate)
    elif isinstance(strategy, Canary) and not first:
        yield from _climb(strategy)
    else:
        yield PlannedStep("switch", Shift(100.0), 0.2)


def _climb(strategy: Canary) -> Iterator[PlannedStep]:
    """The weights of a canary, each watched. At the last one nothing is left to the baseline."""
    if strategy.rehearsal is not None:
        bake = strategy.rehearsal.bake
        yield PlannedStep("switch", Copy(strategy.rehearsal.mirror), 0.2)
        yield PlannedStep("switch", Watch(bake, 0.0, "rehearse"), bake)
    for weight in strategy.steps:
        yield PlannedStep("switch", Shift(weight), 0.2)
        if weight < 100.0:
            times = strategy.times(weight)
            yield PlannedStep("switch", Watch(times.bake, weight, "bake", times.min_bake), times.bake)
    if strategy.baseline:
        yield _scale("switch", "baseline", 0)


def _batches(environment: EnvironmentSpec, strategy: Rolling, old: int) -> Iterator[tuple[int, int]]:
    """Pairs of (old, new) instance counts: first old instances go down to `old`, then new ones come up to `new`."""
    wanted, new = environment.instances, 0
    while new < wanted or old > 0:
        old = min(old, max(wanted - strategy.max_unavailable - new, 0))
        new = min(wanted, max(wanted + strategy.max_surge - old, new))
        yield old, new


def _roll(strategy: Rolling, batches: list[tuple[int, int]], candidate: Revision) -> Iterator[PlannedStep]:
    """Requests leave the last old instances before these stop, so the weight is ahead of the counts by one batch."""
    running = batches[0][1]
    for position, (old, new) in enumerate(batches):
        if position:
            yield _scale("switch", "stable", old)
        if new > running:
            yield _scale("switch", "candidate", new)
            yield _ready("switch", "candidate", new, candidate)
        if position and new == running:
            continue
        running = new
        leaving = position + 1 == len(batches) or batches[position + 1][0] == 0
        weight = 100.0 if leaving else round(100.0 * new / (old + new), 2)
        yield PlannedStep("switch", Shift(weight), 0.2)
        if strategy.bake:
            yield PlannedStep("switch", Watch(strategy.bake, weight, "settle"), strategy.bake)


def _observation(environment: EnvironmentSpec) -> float:
    if isinstance(environment.strategy, BlueGreen):
        return max(environment.observe, environment.strategy.keep)
    return environment.observe


def _way_back(
    stable: Revision | None,
    stable_instances: int,
    environment: EnvironmentSpec,
    *,
    whole: bool,
    baseline: bool = False,
) -> tuple[PlannedStep, ...]:
    """Re-asserts whatever the way there may have half done.

    Args:
        stable: what to return to.
        stable_instances: how many instances of it.
        environment: whose checks come last, when everything is back as it was.
        whole: stable has all of them all the way, so that requests can return to it first.
        baseline: fresh instances of stable may be left; requests never return to them.
    """
    stage = "switch"
    if stable is None:
        return (PlannedStep(stage, Shift(0.0), 0.1), _scale(stage, "candidate", 0))
    restore = (
        _scale(stage, "stable", stable_instances),
        _ready(stage, "stable", stable_instances, stable),
        PlannedStep(stage, Shift(0.0), 0.1),
        _scale(stage, "candidate", 0),
        *((_scale(stage, "baseline", 0),) if baseline else ()),
        *_checks_back(environment),
    )
    return (PlannedStep(stage, Shift(0.0), 0.1), *restore) if whole else restore


def _rescale(service: ServiceSpec, environment: EnvironmentSpec, live: Revision, count: int) -> Plan:
    """The live revision with another number of instances: a deployment without a candidate's risks."""
    wanted = environment.instances
    forward = (
        PlannedStep("validate", VerifyArtifact(), 1.0),
        _scale("deploy", "candidate", wanted),
        _ready("check", "candidate", wanted, live),
        PlannedStep("switch", Shift(100.0), 0.2),
        PlannedStep("verify", Promote(), 0.1),
    )
    return Plan(
        kind="scale",
        service=service.service,
        environment=environment.name,
        candidate=live,
        stable=None,
        instances=wanted,
        stable_instances=0,
        strategy=f"from {count} to {wanted} instances",
        forward=forward,
        rollback=(_scale("switch", "candidate", count), PlannedStep("switch", Shift(100.0), 0.2)),
        commit=len(forward),
        skipped=(("migrate", "only the number of instances changes"),),
        analysis=environment.analysis,
        target=environment.target,
        router=environment.router,
        notify=service.notify,
    )


def _checks_back(environment: EnvironmentSpec) -> Iterator[PlannedStep]:
    if checks := environment.suite.at("rollback"):
        timeout = _timeout(environment, "verify")
        yield PlannedStep("verify", CheckHttp(checks, "public", timeout, environment.suite.settings), 1.0)


def _commands(stage: str, environment: EnvironmentSpec) -> Iterator[PlannedStep]:
    work = environment.stages.get(stage, StageChecks())
    for command in work.commands:
        yield PlannedStep(stage, RunCommand(command, work.timeout), 5.0)


def _checks(
    stage: str, environment: EnvironmentSpec, moment: Moment, where: Literal["preview", "public"]
) -> Iterator[PlannedStep]:
    """The user's work of a stage, and the checks of that moment. Before anything runs, requests have nowhere to go."""
    yield from _commands(stage, environment)
    http = () if moment == "before" else environment.stages.get(stage, StageChecks()).http
    checks: tuple[HttpCheck | Check, ...] = (*http, *environment.suite.at(moment))
    if checks:
        step = CheckHttp(checks, where, _timeout(environment, stage), environment.suite.settings)
        yield PlannedStep(stage, step, 1.0)


def _timeout(environment: EnvironmentSpec, stage: str) -> float:
    """Seconds for all checks of a stage together."""
    return environment.stages.get(stage, StageChecks()).timeout


def _skipped(
    environment: EnvironmentSpec, forward: tuple[PlannedStep, ...], *, first: bool
) -> Iterator[tuple[str, str]]:
    reasons = {
        "migrate": "no commands under stages.migrate",
        "observe": "first deployment: nothing to go back to" if first else "observe is 0 s",
    }
    configured = {step.stage for step in forward}
    for stage in DEPLOY_STAGES:
        if stage not in configured:
            yield stage, reasons.get(stage, f"nothing under stages.{stage}")
        elif stage == "verify" and stage not in environment.stages and not environment.suite.at("live"):
            yield stage, "no commands or requests under stages.verify"


def _scale(stage: str, role: Role, count: int) -> PlannedStep:
    return PlannedStep(stage, Scale(role, count), 1.0)


def _ready(stage: str, role: Role, count: int, revision: Revision) -> PlannedStep:
    return PlannedStep(stage, AwaitReady(role, count, revision.run.health.timeout), 2.0)
