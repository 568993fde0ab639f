"""Which checks an artifact has passed: what the releases that sealed it have on record."""

from collections.abc import Iterable

from fairway.domain.pipeline.actions import RunSteps
from fairway.domain.pipeline.findings import LEVELS, clean_at
from fairway.domain.pipeline.release import Release
from fairway.ports.releases import ReleaseJournal

#: How many of the latest releases are looked through.
_LOOK_BACK = 200


def find_passed(journal: ReleaseJournal, service: str, digest: str) -> frozenset[str]:
    """Names of the tasks that are done in a release which sealed this artifact.

    A task with a matrix has passed when all of its combinations have, in one release. Levels at which its scans left no
    findings are among the names, as `clean_at` writes them.

    Args:
        journal: the releases.
        service: whose artifact it is.
        digest: of the artifact.
    """
    states = (journal.load_release(one.id) for one in journal.list_releases(service, limit=_LOOK_BACK))
    return frozenset(_passed(state for state in states if any(one.digest == digest for one in state.products)))


def _passed(releases: Iterable[Release]) -> Iterable[str]:
    for release in releases:
        names = {task.name for task in release.plan.tasks if task.name}
        for name in names:
            mine = [task for task in release.plan.tasks if task.name == name]
            if all(release.tasks[task.id].phase == "done" for task in mine):
                yield name
        yield from _clean(release)


def _clean(release: Release) -> Iterable[str]:
    """The levels at which the scans of a release left nothing; none where nothing was scanned, or not to the end."""
    scans = [task for task in release.plan.tasks if isinstance(task.action, RunSteps) and task.action.scan is not None]
    if not scans or any(release.tasks[task.id].phase != "done" for task in scans):
        return
    counts = [(release.tasks[task.id].data or {}).get("left") for task in scans]
    for rank, level in enumerate(LEVELS):
        # A release of an earlier version wrote no counts, so that nothing is known of it.
        if all(isinstance(one, dict) and not any(one.get(worse, 1) for worse in LEVELS[: rank + 1]) for one in counts):
            yield clean_at(level)
