"""What may go: artifacts that nobody needs any more."""

from fairway.ports.journal import Records, RunSummary

#: Releases of each environment that `rollback` can return to, however long ago they were live.
KEPT_RELEASES = 10
#: Runs of each environment, however they ended, whose artifacts stay: something of them may still be under way.
KEPT_RUNS = 20


def list_needed(records: Records, service: str) -> frozenset[str] | None:
    """Digests of the artifacts that stay; None if the journal knows nothing of the service, so that all of them do.

    What is live, the last releases that were live in each environment, and the artifacts of the latest runs with what
    they would go back to.
    """
    runs = records.list_runs(service=service, limit=1_000_000)
    if not runs:
        return None
    by_environment: dict[str, list[RunSummary]] = {}
    for run in runs:
        by_environment.setdefault(run.environment, []).append(run)
    needed: set[str] = set()
    for environment, latest in by_environment.items():
        needed.update(run.digest for run in latest[:KEPT_RUNS])
        needed.update(_list_returnable(records, service, environment))
    return frozenset(needed)


def _list_returnable(records: Records, service: str, environment: str) -> list[str]:
    live = records.environment(service, environment).live
    was_live = [revision.artifact.digest for _, revision in records.list_revisions(service, environment)]
    first = [live.artifact.digest] if live is not None else []
    # The live one is none that one could go back to.
    return list(dict.fromkeys([*first, *was_live]))[: KEPT_RELEASES + 1]
