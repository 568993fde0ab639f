"""Judging by thresholds: the rules of Argo Rollouts and of Flagger.

Both look at the candidate alone. Where a query has no requests to divide by, Argo Rollouts leaves it to the user's
expression; here it passes, as with `isNaN(result) || result >= 0.99`, which is the kinder reading.
"""

import numpy as np

from benchmarks.canary_bench.trace import DURATION, Minutes, Trace
from benchmarks.canary_bench.verdict import PROMOTE, RULE, Contestant, Judge, Verdict

ARGO = f"argoproj/argo-rollouts@9f8d111d analysis/analysis.go, utils/defaults/defaults.go ({RULE})"
FLAGGER = (
    f"fluxcd/flagger@15bd6ad5 pkg/controller/scheduler.go, pkg/controller/scheduler_metrics.go, "
    f"pkg/apis/flagger/v1beta1/canary.go ({RULE})"
)

ERROR_LIMIT, ERROR_RETRY = 4, 10.0
"""Argo Rollouts: more errors in a row than this end the analysis; seconds until a failed query is tried again."""


def argo(*, interval: float, least: float, limit: int) -> Judge:
    """Fails once more than `limit` measurements of the success ratio over the last `interval` were below `least`."""

    def judge(trace: Trace, _: Minutes) -> Verdict:
        finished = np.concatenate([[0], np.cumsum(trace.candidate.finished.sum(axis=1))])
        failed = np.concatenate([[0], np.cumsum(trace.candidate.failed.sum(axis=1))])
        bad = errors = 0
        at = interval
        while at <= DURATION:
            now, before = trace.tick_at(at), trace.tick_at(at - interval)
            if not trace.readable[now - 1]:
                errors += 1
                if errors > ERROR_LIMIT:
                    return Verdict("rollback", at, "consecutive errors")
                at += ERROR_RETRY
                continue
            errors = 0
            requests = finished[now] - finished[before]
            if requests and 1.0 - (failed[now] - failed[before]) / requests < least:
                bad += 1
            if bad > limit:
                return Verdict("rollback", at, "failure limit")
            at += interval
        return PROMOTE

    return judge


def flagger(*, least: float, slowest: float, threshold: int) -> Judge:
    """Counts failed checks, one a minute and never forgotten; rolls back at the first check that finds enough.

    Args:
        least: success ratio.
        slowest: greatest P99 in milliseconds.
        threshold: failed checks.
    """

    def judge(_: Trace, minutes: Minutes) -> Verdict:
        failed = 0
        for minute in range(len(minutes.weights)):
            if failed >= threshold:
                return Verdict("rollback", 60.0 * (minute + 1), "failed checks")
            finished = minutes.finished_c[minute]
            if not minutes.readable[minute] or not finished:
                failed += 1  # no values found counts as a failed check
            elif 1.0 - minutes.failed_c[minute] / finished < least or minutes.p99_c[minute] > slowest:
                failed += 1
        return PROMOTE

    return judge


CONTESTANTS = (
    Contestant("Argo 1m/.99/0", ARGO, "1 m, success ≥ 99 %, failureLimit 0", argo(interval=60.0, least=0.99, limit=0)),
    Contestant("Argo 1m/.99/3", ARGO, "1 m, success ≥ 99 %, failureLimit 3", argo(interval=60.0, least=0.99, limit=3)),
    Contestant("Argo 5m/.95/3", ARGO, "the documentation's example", argo(interval=300.0, least=0.95, limit=3)),
    Contestant(
        "Flagger 1m/99/5",
        FLAGGER,
        "1 m, success ≥ 99 %, P99 ≤ 500 ms, threshold 5",
        flagger(least=0.99, slowest=500.0, threshold=5),
        sees_latency=True,
    ),
)
