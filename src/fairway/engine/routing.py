"""The routing that a run wants at present, from its state and the instances that exist."""

from collections.abc import Mapping
from dataclasses import replace

from fairway.domain.rollout.routes import Backend, Routes
from fairway.domain.rollout.run import Run
from fairway.ports.target import Target


def routes_for(
    run: Run,
    target: Target,
    weight: float,
    *,
    draining: Mapping[str, frozenset[str]] | None = None,
    without: str | None = None,
) -> Routes:
    """The whole routing.

    Args:
        run: the run, for its revisions.
        target: where the instances are seen.
        weight: the candidate's share in percent.
        draining: ids of instances to drain, by revision.
        without: a revision that leaves altogether.
    """
    backends = []
    for revision in (run.plan.candidate, run.plan.stable, run.plan.baseline):
        if revision is None or revision.id == without:
            continue
        instances = target.observe_instances(revision.id)
        going = (draining or {}).get(revision.id, frozenset())
        serving = tuple(i.endpoint for i in instances if i.id not in going and i.state != "stopping")
        leaving = tuple(i.endpoint for i in instances if i.id in going)
        if instances:
            backends.append(Backend(revision.id, serving, leaving, revision.run.health.ready))
    return _named(run, weight, tuple(backends))


def _named(run: Run, weight: float, backends: tuple[Backend, ...]) -> Routes:
    """A candidate that is alone with all the weight is stable."""
    present = {backend.revision for backend in backends}
    candidate = run.plan.candidate.id if run.plan.candidate.id in present else None
    stable = run.plan.stable.id if run.plan.stable is not None and run.plan.stable.id in present else None
    if candidate is not None and stable is None and weight == 100.0:
        return Routes(candidate, None, 0.0, backends)
    share = weight if candidate is not None else 0.0
    both = candidate is not None and stable is not None
    mirror = run.mirror if both and not share else None
    baseline = run.plan.baseline.id if both and run.plan.baseline and run.plan.baseline.id in present else None
    return Routes(stable, candidate, share, backends, sticky=run.plan.sticky, mirror=mirror, baseline=baseline)


def return_routes(run: Run, confirmed: Routes | None) -> Routes | None:
    """The confirmed routing with all requests on stable: a change of weight alone.

    None where that is impossible: nothing was confirmed, or stable has no endpoint in it.
    """
    stable = run.plan.stable
    if confirmed is None or stable is None or confirmed.stable != stable.id:
        return None
    return replace(confirmed, weight=0.0, mirror=None) if has_endpoints(confirmed, stable.id) else None


def has_endpoints(routes: Routes, revision: str) -> bool:
    """The revision has an instance in rotation."""
    return any(backend.revision == revision and backend.endpoints for backend in routes.backends)
