"""The configuration as it was read last, for as long as everything is unchanged that it was made from.

Reading and checking `fairway.yaml` costs more processor time than the rest of a command, and on a small machine that
time is taken from the users' requests. What was read is kept in the state folder, under a digest of the file's content,
its folder, and the code that reads it. It is kept only if it comes back from there exactly as it was.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fairway.bootstrap.digests import digest_of
from fairway.domain.codec import from_json, to_json
from fairway.domain.rollout.spec import ServiceSpec

NAME = "configuration.json"


def read_spec(path: Path, state: Path, load: Callable[[Path], ServiceSpec]) -> ServiceSpec:
    """What `load` gives for this path, or gave the last time if nothing has changed since.

    Args:
        path: the configuration file.
        state: the state folder beside it; without it nothing is kept.
        load: reads and checks the file.

    Raises:
        Whatever `load` raises.
    """
    before = digest_of(path)
    kept = _read(state / NAME, before) if before is not None else None
    if kept is not None:
        return kept
    spec = load(path)
    # Not if somebody wrote to the file meanwhile: what was read may be the one content or the other.
    if before is not None and before == digest_of(path):
        _keep(state / NAME, before, spec)
    return spec


def _read(path: Path, digest: str) -> ServiceSpec | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return from_json(ServiceSpec, content["spec"]) if content["digest"] == digest else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _keep(path: Path, digest: str, spec: ServiceSpec) -> None:
    text = json.dumps({"digest": digest, "spec": to_json(spec)})
    with suppress(OSError, ValueError):
        if from_json(ServiceSpec, json.loads(text)["spec"]) != spec or not path.parent.is_dir():
            return
        draft = path.with_name(f".{NAME}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.rename(path)
