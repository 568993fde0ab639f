"""What may go: artifacts that nobody needs any more."""

from fairway.ports.journal import Records
from fairway.usecases.promoted import list_promoted

#: Releases of each environment that `rollback` can return to, however long ago they were live.
KEPT_RELEASES = 10
#: Runs of each environment, however they ended, whose artifacts stay: something of them may still be under way.
KEPT_RUNS = 20


def list_needed(records: Records, service: str) -> frozenset[str] | None:
    """Digests of the artifacts that stay; None if the journal knows nothing of the service, so that all of them do.

    What is live, the last releases that were live in each environment, and the artifacts of the latest runs with what
    they would go back to.
    """
    if not records.list_runs(service=service, limit=1):
        return None
    needed: set[str] = set()
    for environment in records.list_environments(service):
        latest = records.list_runs(service=service, environment=environment, limit=KEPT_RUNS)
        needed.update(run.digest for run in latest)
        needed.update(_list_returnable(records, service, environment))
    return frozenset(needed)


def _list_returnable(records: Records, service: str, environment: str) -> set[str]:
    """The live one, which is none that one could go back to, and so many others."""
    live = records.environment(service, environment).live
    digests = {live.artifact.digest} if live is not None else set()
    for revision in list_promoted(records, service, environment):
        if len(digests) > KEPT_RELEASES:
            break
        digests.add(revision.artifact.digest)
    return digests
