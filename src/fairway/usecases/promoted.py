"""What was live in an environment, from the latest backwards, read no further than somebody asks."""

from collections.abc import Iterator

from fairway.domain.rollout.revision import Revision
from fairway.ports.journal import Records

#: Runs that are read first; each further look reads ten times as many.
_FIRST = 20


def list_promoted(records: Records, service: str, environment: str) -> Iterator[Revision]:
    """The revisions that were live, latest first, each of them once. Journals of many years hold very many."""
    seen: set[str] = set()
    limit = _FIRST
    while True:
        found = records.list_revisions(service, environment, limit=limit)
        for _, revision in found:
            if revision.id not in seen:
                seen.add(revision.id)
                yield revision
        if len(found) < limit:
            return
        limit *= 10
