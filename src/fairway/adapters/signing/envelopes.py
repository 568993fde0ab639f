"""Envelopes in files, by the digest of what they are about; implements `Attestations`."""

import os
from collections.abc import Sequence
from pathlib import Path

from fairway.domain.provenance.envelope import Envelope, read_envelope, write_envelope
from fairway.domain.provenance.statement import Subject
from fairway.ports.attestations import Attestations


class LocalAttestations(Attestations):
    """Envelopes below a folder, each a file of one line of JSON.

    Args:
        folder: made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list_for(self, subject: Subject) -> Sequence[Envelope]:
        """The envelopes about what has this digest; where there are none, those about what has this name."""
        own = self._read(self._place(subject.digest))
        if own or not self._folder.is_dir():
            return own
        return [
            one
            for place in sorted(self._folder.iterdir())
            for one in self._read(place)
            if any(_last(str(about.get("name"))) == _last(subject.name) for about in one.statement.get("subject", ()))
        ]

    def keep(self, subject: Subject, kind: str, envelope: Envelope) -> str:
        """Replaces or adds the subject's envelope of that kind, as a whole or not at all."""
        place = self._place(subject.digest)
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{kind}.intoto.json"
        draft = place / f".{kind}.{os.getpid()}"
        with draft.open("w", encoding="utf-8") as file:
            file.write(write_envelope(envelope) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        return str(path)

    def _place(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")

    def _read(self, place: Path) -> list[Envelope]:
        """What can be read there; a file that somebody damaged holds no envelope."""
        found = []
        for path in sorted(place.glob("*.intoto.json")):
            try:
                envelope = read_envelope(path.read_text(encoding="utf-8"))
                envelope.statement  # noqa: B018 -- raises where there is none
                found.append(envelope)
            except (OSError, ValueError):
                continue
        return found


def _last(name: str) -> str:
    """The last part of a path: a copy may lie anywhere."""
    return name.rpartition("/")[2]
