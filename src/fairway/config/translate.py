"""What the sections of the file become in the words of the domain."""

from pathlib import Path
from typing import Any

from fairway.config.analysis import AnalysisSection, ObjectivesSection
from fairway.config.branches import production_of, to_branches
from fairway.config.cadence import to_cadence
from fairway.config.check_policy import to_suite
from fairway.config.databases import to_databases
from fairway.config.metric_policy import to_metrics_policy
from fairway.config.models import (
    BuildSection,
    EnvironmentSection,
    GatesSection,
    RunSection,
    ServiceFile,
)
from fairway.config.release import to_trust
from fairway.config.rules import share
from fairway.config.secrets import to_sources
from fairway.config.section import AdapterSection
from fairway.config.stages import CheckStage, CommandStage, StagesSection
from fairway.config.strategy import BlueGreenSection, CanarySection, MirrorSection, RollingSection, StickySection
from fairway.domain.analysis.budget import Budget
from fairway.domain.analysis.policy import PRESETS, AnalysisPolicy
from fairway.domain.pipeline.findings import clean_at
from fairway.domain.rollout.revision import Health, RunSpec
from fairway.domain.rollout.routes import Mirror, Stickiness
from fairway.domain.rollout.spec import Adapter, Demand, EnvironmentSpec, ServiceSpec, StageChecks
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rehearsal, Rolling, StepTimes, Strategy
from fairway.domain.validation.checks import HttpCheck

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
"""The objectives of latency: the share of requests that each is about."""

OBSERVE = {"rolling": 0.0, "blue-green": 0.0, "canary": 1800.0}
"""Seconds to watch after the promotion where the file does not say: a rolling update keeps nothing to go back to, and
blue-green watches for as long as it keeps the old set."""


def to_spec(file: ServiceFile, folder: Path) -> ServiceSpec:
    """The whole file.

    Args:
        file: a valid file.
        folder: the absolute folder that it stands in.
    """
    build = file.build
    after = {name: one.after for name, one in file.environments.items()}
    return ServiceSpec(
        service=file.service,
        folder=str(folder),
        environments=tuple(_environment(name, section, file, folder) for name, section in file.environments.items()),
        build_steps=tuple(build.steps) if build else (),
        build_timeout=(build or BuildSection()).timeout,
        artifact_path=str(folder / file.artifact.path) if file.artifact else None,
        notify=tuple(_adapter(section) for section in file.notify),
        database=file.database,
        branches=to_branches(file.branches, after),
        cadence=to_cadence(file.cadence, production_of(after, file.branches.production if file.branches else None)),
    )


def _environment(name: str, section: EnvironmentSection, file: ServiceFile, folder: Path) -> EnvironmentSpec:
    run = file.run
    observe = OBSERVE[section.strategy.kind] if section.observe is None else section.observe
    return EnvironmentSpec(
        name=name,
        run=_run(run, section.variables),
        target=_adapter(section.target),
        router=_adapter(section.router),
        instances=section.instances,
        strategy=_strategy(section.strategy, section.instances),
        analysis=_analysis(section.analysis),
        observe=observe,
        approvals=section.gates.approvals,
        signed=to_trust(section.gates.signed),
        passed=(*section.gates.passed, *([clean_at(section.gates.findings)] if section.gates.findings else [])),
        demands=demands_of(section.gates),
        after=section.after,
        stages=_stages(section.stages),
        rollback_scripts=tuple(section.rollback.scripts),
        budget=Budget(section.budget.failed_requests) if section.budget else None,
        suite=to_suite(
            file.validation,
            section.validation,
            {**run.variables, **section.variables},
            folder,
            to_sources(section.secrets, folder),
        ),
        databases=to_databases(
            section.databases, {**run.variables, **section.variables}, to_sources(section.secrets, folder), folder
        ),
    )


def demands_of(gates: GatesSection) -> tuple[Demand, ...]:
    """What a release must have shown before it may be deployed."""
    demands: tuple[Demand, ...] = ("load", "benchmark")
    return tuple(one for one in demands if getattr(gates, one))


def _run(section: RunSection, variables: dict[str, str]) -> RunSpec:
    health = section.health
    return RunSpec(
        command=section.command,
        variables=tuple(sorted({**section.variables, **variables}.items())),
        health=Health(health.ready, health.live, health.ready_body, health.timeout),
        drain=section.drain,
        grace=section.grace,
    )


def _adapter(section: AdapterSection) -> Adapter:
    settings: dict[str, Any] = section.model_extra or {}
    return Adapter(section.kind, tuple(settings.items()))


def _strategy(section: RollingSection | BlueGreenSection | CanarySection, instances: int) -> Strategy:
    if isinstance(section, CanarySection):
        return _canary(section)
    if isinstance(section, BlueGreenSection):
        return BlueGreen(section.keep)
    surge = share(section.max_surge, instances, up=True)
    unavailable = share(section.max_unavailable, instances, up=False)
    return Rolling(surge or 0, unavailable or 0, section.bake)


def _canary(section: CanarySection) -> Canary:
    weights = tuple(float(step.weight) for step in section.steps)
    own = tuple(
        StepTimes(
            weight,
            section.bake if step.bake is None else step.bake,
            section.min_bake if step.min_bake is None else step.min_bake,
        )
        for weight, step in zip(weights, section.steps, strict=True)
        if step.bake is not None or step.min_bake is not None
    )
    return Canary(
        weights,
        section.bake,
        section.min_bake,
        own,
        _stickiness(section.sticky),
        _rehearsal(section.mirror),
        section.baseline,
    )


def _rehearsal(section: MirrorSection | None) -> Rehearsal | None:
    return Rehearsal(Mirror(section.share, section.unsafe), section.bake) if section else None


def _stickiness(section: StickySection | None) -> Stickiness | None:
    if section is None:
        return None
    return Stickiness("cookie", section.cookie) if section.cookie else Stickiness("header", section.header or "")


def _analysis(section: AnalysisSection) -> AnalysisPolicy:
    preset, slo = PRESETS[section.preset], section.slo or ObjectivesSection()
    given: dict[str, float | None] = {
        "ratio_margin": section.ratio,
        "absolute_margin": _points(section.points),
        "abandoned_ratio": section.abandoned_ratio,
        "abandoned_points": _points(section.abandoned_points),
        "latency_slack": section.latency_slack,
        "latency_margin": section.latency,
    }
    own: dict[str, float] = {name: getattr(preset, name) if one is None else one for name, one in given.items()}
    limits = ((share, getattr(slo, name)) for name, share in QUANTILES.items())
    metrics = to_metrics_policy(section.metrics, section.rules, alpha=section.alpha, no_data=section.no_data)
    return AnalysisPolicy(
        name=section.preset if all(getattr(preset, name) == value for name, value in own.items()) else "custom",
        **own,
        objective_errors=slo.errors,
        objectives_latency=tuple((share, seconds) for share, seconds in limits if seconds is not None),
        # What the user's own metrics may spend of it is not the lanes' any more.
        alpha=round(section.alpha - metrics.alpha, 12),
        warmup=section.warmup,
        block=section.block,
        reference=section.reference,
        min_requests=section.min_requests,
        inconclusive=section.inconclusive,
        not_ready=section.not_ready,
        no_data=section.no_data,
        metrics=metrics,
    )


def _points(percent: float | None) -> float | None:
    """Percentage points as a fraction."""
    return None if percent is None else round(percent / 100, 12)


def _stages(section: StagesSection) -> dict[str, StageChecks]:
    stages = {
        "validate": section.validate_,
        "migrate": section.migrate,
        "check": section.check,
        "verify": section.verify,
    }
    return {name: _stage(stage) for name, stage in stages.items() if stage is not None}


def _stage(stage: CommandStage) -> StageChecks:
    requests = stage.http if isinstance(stage, CheckStage) else []
    checks = tuple(HttpCheck(request.path, request.status, request.contains) for request in requests)
    return StageChecks(tuple(stage.run), checks, stage.timeout)
