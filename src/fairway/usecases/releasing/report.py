"""A release as a JSON object: what scripts and pages read."""

from typing import Any

from fairway.domain.pipeline.plan import ReleasePlan
from fairway.domain.pipeline.products import Product
from fairway.domain.pipeline.release import Release
from fairway.usecases.report import describe_passage


def describe_plan(plan: ReleasePlan) -> dict[str, Any]:
    """The plan: its tasks in order, and the stages that have none."""
    return {
        "service": plan.service,
        "version": plan.version,
        "tag": plan.tag,
        "commit": plan.commit,
        "branch": plan.branch or None,
        "tasks": [
            {"task": task.id, "stage": task.stage, "name": task.action.title, "needs": list(task.needs)}
            for task in plan.tasks
        ],
        "skipped": [{"stage": stage, "reason": reason} for stage, reason in plan.skipped],
    }


def describe_release(release: Release) -> dict[str, Any]:
    """What became of a release so far. Times are seconds since the epoch, UTC."""
    plan = release.plan
    return {
        "release": release.id,
        "service": plan.service,
        "version": plan.version,
        "tag": plan.tag,
        "commit": plan.commit,
        "branch": plan.branch or None,
        "train": plan.train or None,
        "passage": describe_passage(release.passage),
        "phase": release.phase,
        "verdict": release.verdict,
        "reason": release.ended_reason or release.halted or "",
        "started": release.started,
        "finished": release.ended,
        "tasks": [_describe_task(release, task.id, task.stage, task.action.title) for task in plan.tasks],
        "products": [_describe_product(one) for one in release.products],
    }


def _describe_task(release: Release, task: str, stage: str, title: str) -> dict[str, Any]:
    state = release.tasks[task]
    took = state.finished - state.started if state.finished is not None and state.started is not None else None
    return {
        "task": task,
        "stage": stage,
        "name": title,
        "outcome": state.phase,
        "seconds": took,
        "tries": state.tries,
        "detail": state.detail,
        "hint": state.hint,
        "data": state.data or {},
    }


def _describe_product(product: Product) -> dict[str, Any]:
    return {"path": product.path, "digest": product.digest, "size": product.size, "kind": product.kind}
