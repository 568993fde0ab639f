"""What a release must have shown under load before it may be deployed."""

from collections.abc import Sequence

from fairway.domain.insight.baseline import Baseline
from fairway.domain.insight.comparison import Comparison
from fairway.domain.insight.expectations import Expectations, hold_against
from fairway.domain.rollout.revision import Artifact
from fairway.domain.rollout.spec import Demand
from fairway.ports.baselines import Baselines
from fairway.usecases.answers import Declined

#: Measurements and comparisons that are looked through.
_LOOK_BACK = 500


def find_refusal(
    baselines: Baselines,
    service: str,
    demands: Sequence[Demand],
    expect: Expectations,
    *,
    artifact: Artifact,
    live: Artifact | None,
) -> Declined | None:
    """Why the release may not be deployed; None if nothing keeps it.

    Args:
        baselines: what was measured.
        service: whose.
        demands: what is asked for.
        expect: limits that a measurement must keep.
        artifact: of the release.
        live: what is live; None: nothing is, so that there is nothing to compare with.
    """
    for demand in demands:
        if demand == "load":
            found = _load(baselines.list_baselines(service, limit=_LOOK_BACK), expect, artifact)
        else:
            found = _benchmark(baselines.list_comparisons(service, limit=_LOOK_BACK), artifact, live)
        if found is not None:
            return found
    return None


def _load(found: Sequence[Baseline], expect: Expectations, artifact: Artifact) -> Declined | None:
    if expect.is_empty:
        sentence = "a load test is demanded, and bench.expect says nothing of what it must show"
        return Declined("load", sentence, "write what is expected, such as bench: {expect: {p99: 500ms, errors: 0%}}")
    latest = next((one for one in found if one.subject.digest == artifact.digest), None)
    version, hint = artifact.version, f"fairway bench run --name {artifact.version}"
    if latest is None:
        return Declined("load", f"{version} has not been put under load", hint)
    missed = [one for one in hold_against(latest, expect) if not one.is_met]
    if not missed:
        return None
    words = ", ".join(
        f"{one.name} {'unknown' if one.value is None else f'{one.value:.4g}'} where {one.limit:.4g} is the limit"
        for one in missed
    )
    return Declined("load", f"{version} missed its limits under load: {words}", hint)


def _benchmark(found: Sequence[Comparison], artifact: Artifact, live: Artifact | None) -> Declined | None:
    if live is None or live.digest == artifact.digest:
        return None
    version, hint = artifact.version, f"fairway bench compare {live.version} {artifact.version}"
    wanted = live.digest, artifact.digest
    latest = next((one for one in found if (one.digest_before, one.digest_after) == wanted), None)
    if latest is None:
        sentence = f"{version} has not been compared with {live.version}, which is live"
        return Declined("benchmark", sentence, hint)
    if latest.verdict == "no-regression":
        return None
    what = (
        f"is slower than {live.version}"
        if latest.verdict == "regression"
        else f"is not shown to be as fast as {live.version}"
    )
    return Declined("benchmark", f"{version} {what}: {latest.reason}", hint)
