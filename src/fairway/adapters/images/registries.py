"""The registries that references name; implements `ImageRegistries`. Signs in with what a login kept."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from fairway.adapters.images.client import Repository
from fairway.adapters.images.credentials import kept
from fairway.adapters.images.transfer import Push, RemoteParts, attached_envelopes
from fairway.domain.errors import InvariantError
from fairway.domain.images.manifests import Descriptor
from fairway.domain.images.reference import Reference
from fairway.domain.provenance.envelope import Envelope
from fairway.ports.images import ImageRegistries, Transfer


class OciRegistries(ImageRegistries):
    """Registries by OCI's distribution specification.

    Args:
        environment: says where logins are kept.
        timeout: seconds without an answer.
        tell: receives a line for each part that is sent.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        *,
        timeout: float = 60.0,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._credentials = kept(environment)
        self._timeout = timeout
        self._tell = tell

    def resolve(self, reference: Reference) -> Descriptor | None:
        """What the tag or digest stands for now."""
        with self._open(reference) as repository:
            return repository.resolve(reference.digest or reference.tag or "latest")

    def read(self, reference: Reference) -> bytes:
        """The manifest or index of that digest."""
        with self._open(reference) as repository:
            return repository.read(_digest(reference))

    def list_envelopes(self, reference: Reference) -> Sequence[Envelope]:
        """The signed statements that are attached to the image of that digest."""
        with self._open(reference) as repository:
            return [envelope for _, envelope in attached_envelopes(repository, _digest(reference))]

    def copy(self, source: Reference, target: Reference) -> Transfer:
        """The image by its digest, what is attached to it, and last the tag."""
        digest = _digest(source)
        with self._open(source) as there, self._open(target) as here:
            push = Push(here, mount=source.path if source.host == target.host else None, tell=self._tell)
            parts = RemoteParts(there)
            described = push.push(parts, digest)
            for content, _ in attached_envelopes(there, digest):
                push.attach(described, content)
            if target.tag is not None:
                push.tag(parts.read(digest), target.tag)
        return Transfer(described.digest, push.sent, push.present)

    @contextmanager
    def _open(self, reference: Reference) -> Iterator[Repository]:
        repository = Repository(reference, self._credentials, timeout=self._timeout)
        try:
            yield repository
        finally:
            repository.close()


def _digest(reference: Reference) -> str:
    if reference.digest is None:
        raise InvariantError("no-digest", f"{reference} was not resolved", "")
    return reference.digest
