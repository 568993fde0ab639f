"""Which checks an artifact has passed: what the releases that sealed it have on record."""

from collections.abc import Iterable

from fairway.domain.pipeline.release import Release
from fairway.ports.releases import ReleaseJournal

#: How many of the latest releases are looked through.
_LOOK_BACK = 200


def find_passed(journal: ReleaseJournal, service: str, digest: str) -> frozenset[str]:
    """Names of the tasks that are done in a release which sealed this artifact.

    A task with a matrix has passed when all of its combinations have, in one release.

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
