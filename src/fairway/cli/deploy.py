"""plan and deploy."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from fairway.cli.follow import follow
from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, note, print_json, say, seconds, table
from fairway.cli.passing import NO_PASSING, Passing
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.spec import ServiceSpec
from fairway.domain.rollout.steps import AwaitApprovals, Watch
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rolling, Strategy
from fairway.usecases.answers import Declined, Started, Unchanged
from fairway.usecases.deploy import Request, find_environment

if TYPE_CHECKING:
    from fairway.bootstrap import Project

StrategyName = Literal["rolling", "blue-green", "canary"]
_BY_NAME: dict[str, type[Rolling] | type[BlueGreen] | type[Canary]] = {
    "rolling": Rolling,
    "blue-green": BlueGreen,
    "canary": Canary,
}

FEW = 3
"""New files that are named."""


def plan(
    release: str,
    /,
    *,
    env: str,
    strategy: StrategyName | None = None,
    rps: float | None = None,
    errors: float | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Say what deploying a release would do, and what it would find, without doing it.

    Builds the artifact if there is none yet. Counts the present requests for some seconds.

    Args:
        release: a version, tag, commit or digest.
        env: where to.
        strategy: in place of the environment's own.
        rps: requests a second to suppose, in place of those that come at present.
        errors: percentage of requests to suppose that fail on stable, in place of what was counted.
    """
    from fairway.cli.forecast import forecast_object, forecast_text, foresee

    project, request = _prepare(release, env, strategy, options)
    answer = project.deployer(note).plan(request)
    if isinstance(answer, Plan):
        held = _held_back(project, env)
        prediction = foresee(project, answer, request.strategy, rps=rps, errors=errors)
        if options.json:
            print_json(_plan_object(answer) | {"held_back": held, "forecast": forecast_object(prediction)})
        else:
            say(f"{_plan_text(answer)}\n\n{forecast_text(prediction)}")
            if held is not None:
                note(f"fairway: at present {held}")
        return Exit.YES
    return _say_no(answer, options)


def _held_back(project: "Project", env: str) -> str | None:
    """Why windows and freezes would hold the deployment back at present; None if they would not."""
    from fairway.bootstrap.permitting import cadence_of

    admit = cadence_of(project)
    answer = admit(env, None) if admit is not None else None
    return answer.sentence if isinstance(answer, Declined) else None


def deploy(  # noqa: PLR0913 -- its options
    release: str,
    /,
    *,
    env: str,
    strategy: StrategyName | None = None,
    reason: str = "",
    wait: bool = True,
    timeout: str | None = None,
    lift_quarantine: str | None = None,
    passing: Passing = NO_PASSING,
    options: Options = DEFAULTS,
) -> int:
    """Take a release to an environment.

    Args:
        release: a version, tag, commit or digest.
        env: where to.
        strategy: in place of the environment's own.
        reason: why, for the record.
        wait: stay until the run has ended; what was started goes on either way.
        timeout: how long to stay at most, such as 10m.
        lift_quarantine: why a rejected artifact may come back.
    """
    from fairway import bootstrap

    project, request = _prepare(release, env, strategy, options)
    limit = bootstrap.duration(timeout) if timeout is not None else None
    answer = project.deployer(note).start(
        replace(request, reason=reason, lift_quarantine=lift_quarantine, passage=passing.passage)
    )
    if not isinstance(answer, Started):
        return _say_no(answer, options)
    bootstrap.resume(project, env)
    bootstrap.ensure_controller(project)
    if wait:
        return follow(project, answer.run, as_json=options.json, limit=limit)
    return _say_started(answer, env, options)


def _prepare(release: str, env: str, strategy: StrategyName | None, options: Options) -> "tuple[Project, Request]":
    from fairway import bootstrap

    project = bootstrap.open_project(options.config)
    if project.is_dirty():
        note("fairway: the work tree has changes that are not committed; only what is committed is deployed")
    elif new := project.list_new_files():
        names = ", ".join(new[:FEW]) + (f" and {len(new) - FEW} more" if len(new) > FEW else "")
        note(f"fairway: git was not told of {names}; only what is committed is deployed")
    chosen = None if strategy is None else _choose(project.spec, env, strategy)
    return project, Request(release, env, bootstrap.actor(), strategy=chosen)


def _choose(spec: ServiceSpec, env: str, name: StrategyName) -> Strategy:
    """The environment's own settings where its strategy has that name, else the defaults."""
    own = find_environment(spec, env).strategy
    return own if isinstance(own, _BY_NAME[name]) else _BY_NAME[name]()


def _say_started(answer: Started, env: str, options: Options) -> int:
    if options.json:
        print_json({"run": answer.run, "environment": env, "plan": _plan_object(answer.plan)})
    else:
        say(f"{answer.run} started; fairway watch {answer.run}")
    return Exit.YES


def _say_no(answer: Unchanged | Declined, options: Options) -> int:
    if isinstance(answer, Declined):
        complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
        return Exit.NO
    if options.json:
        release, digest = answer.live.version, answer.live.artifact.digest
        print_json({"unchanged": True, "release": release, "digest": digest, "reason": answer.sentence})
    else:
        say(f"nothing to do: {answer.sentence}")
    return Exit.YES


def _plan_object(plan: Plan) -> dict[str, object]:
    return {
        "kind": plan.kind,
        "service": plan.service,
        "environment": plan.environment,
        "release": plan.candidate.version,
        "digest": plan.candidate.artifact.digest,
        "commit": plan.candidate.artifact.commit,
        "previous": plan.stable.version if plan.stable is not None else None,
        "strategy": plan.strategy,
        "baseline": plan.baseline.id if plan.baseline is not None else None,
        "seconds": plan.seconds,
        "watched_seconds": sum(s.step.seconds for s in plan.forward if isinstance(s.step, Watch)),
        "commit_point": plan.commit,
        "forward": [{"stage": s.stage, "name": s.step.title, "seconds": s.seconds} for s in plan.forward],
        "rollback": [{"stage": s.stage, "name": s.step.title, "seconds": s.seconds} for s in plan.rollback],
        "skipped": [{"stage": stage, "reason": reason} for stage, reason in plan.skipped],
    }


def _plan_text(plan: Plan) -> str:
    before = plan.stable.version if plan.stable is not None else "nothing"
    lines = [
        f"{plan.service} {plan.candidate.version} to {plan.environment}, in place of {before}: {plan.strategy}",
        f"artifact: {plan.candidate.artifact.digest}",
        _duration(plan),
        "",
    ]
    rows = []
    for index, planned in enumerate(plan.forward):
        if index == plan.commit:
            rows.append(["", "— commit point: from here only a new run goes back —", ""])
        rows.append([planned.stage, planned.step.title, seconds(planned.seconds)])
    rows += [[stage, f"skipped: {reason}", ""] for stage, reason in plan.skipped]
    lines += [table(["STAGE", "STEP", "ABOUT"], rows), "", "Way back, at any moment before the commit point:"]
    lines += [f"  {planned.step.title}" for planned in plan.rollback]
    return "\n".join(lines)


def _duration(plan: Plan) -> str:
    """How long the way there takes, and what the time goes into."""
    watches = [planned.step for planned in plan.forward if isinstance(planned.step, Watch)]
    watched = sum(watch.seconds for watch in watches)
    early = any(watch.least is not None for watch in watches)
    words = f"duration: {'at most' if early else 'about'} {seconds(plan.seconds)}"
    if watched:
        words += f" ({seconds(watched)} of watching, {seconds(plan.seconds - watched)} of work)"
    words += ", less where evidence ends a step before its deadline" if early else ""
    asked = any(isinstance(planned.step, AwaitApprovals) for planned in plan.forward)
    return words + ("; waiting for approvals is not counted" if asked else "")
