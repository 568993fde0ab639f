"""What a router remembers beside its configuration: the epoch, what was confirmed, what Envoy may still use.

`confirmed` is what every worker was seen to use. `reach` is wider: every backend that any attempt since may have made
Envoy refer to. A change takes nothing away that lies in reach before the new routes are confirmed, whatever crashed in
between. `left` are the instances whose counters still count although they are gone: Envoy keeps those of every instance
that it ever had, and a reading of all of them would grow with each release that is brought back.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from fairway.adapters.routers.envoy.folder import read_file, replace_file, to_text
from fairway.adapters.routers.envoy.routing import joint_pairs
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend, Mirror, Routes, Stickiness

_T = TypeVar("_T")

_STATE = "state.json"
_EPOCH = "epoch"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Memory:
    """Attributes as the module says; `pairs` are the aggregates in reach, `sticky`: those for sticky reads as well.

    `left` holds revision and instance.
    """

    confirmed: Routes | None = None
    reach: tuple[Backend, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    sticky: bool = False
    left: tuple[tuple[str, str], ...] = ()


def load_memory(folder: Path) -> Memory:
    """What was stored last; nothing at all before the first time.

    Raises:
        PermanentError: the file is none of ours, as after a fault of the disk.
    """
    try:
        text = read_file(folder / _STATE)
        return Memory() if text is None else _memory(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        sentence = f'what Envoy was last told, "{folder / _STATE}", cannot be understood: {error}'
        hint = "move it away: the next change of routes begins anew, while Envoy serves by its own files"
        raise PermanentError("routes-unreadable", sentence, hint) from error


def _memory(stored: dict[str, Any]) -> Memory:
    routes = stored["confirmed"]
    return Memory(
        None if routes is None else _routes(routes),
        _backends(stored["reach"]),
        tuple((first, second) for first, second in stored["pairs"]),
        stored.get("sticky", False),
        tuple((revision, instance) for revision, instance in stored.get("left", ())),
    )


def store_memory(folder: Path, memory: Memory) -> None:
    """Replaces what is stored."""
    replace_file(folder / _STATE, to_text(asdict(memory)))


def widen(memory: Memory, routes: Routes) -> Memory:
    """The memory with everything that the routes need added to what is in reach, and nothing taken away.

    An endpoint that is in rotation on either side stays in rotation.
    """
    known = {backend.revision: backend for backend in memory.reach}
    for backend in routes.backends:
        before = known.get(backend.revision, backend)
        serving = _merged(backend.endpoints, before.endpoints)
        draining = tuple(e for e in _merged(backend.draining, before.draining) if e not in serving)
        known[backend.revision] = replace(backend, endpoints=serving, draining=draining)
    pairs = _merged(memory.pairs, joint_pairs(routes))
    sticky = memory.sticky or routes.sticky is not None
    return Memory(memory.confirmed, _sorted(known.values()), pairs, sticky, memory.left)


def settle(memory: Memory, routes: Routes) -> Memory:
    """The memory once the routes are confirmed.

    Aggregates stay while both of their revisions do: a request under way may still be tried again through them.
    """
    stay = {backend.revision for backend in routes.backends}
    pairs = tuple(p for p in _merged(memory.pairs, joint_pairs(routes)) if stay.issuperset(p))
    sticky = bool(pairs) and (memory.sticky or routes.sticky is not None)
    return Memory(routes, _sorted(routes.backends), pairs, sticky, _left(memory, routes))


def _left(memory: Memory, routes: Routes) -> tuple[tuple[str, str], ...]:
    """Instances that are gone from revisions that stay.

    Forgotten once a candidate comes: counting begins anew with it, and what ended before never counts again.
    """
    judged = memory.confirmed is not None and memory.confirmed.candidate is not None
    before = memory.left if judged or routes.candidate is None else ()
    gone = {*before, *_instances(memory.reach)} - {*_instances(routes.backends)}
    stay = {backend.revision for backend in routes.backends}
    return tuple(sorted(pair for pair in gone if pair[0] in stay))


def _instances(backends: Iterable[Backend]) -> Iterator[tuple[str, str]]:
    return ((b.revision, endpoint.instance) for b in backends for endpoint in (*b.endpoints, *b.draining))


@contextlib.contextmanager
def hold(folder: Path, epoch: int, *, patience: float) -> Iterator[None]:
    """Lets one caller at a time change this router, and none whose lease is older than one seen before.

    Raises:
        PermanentError: the epoch is stale.
        TransientError: somebody else has been changing the router for `patience` seconds.
    """
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(handle, folder, patience)
        seen = int(read_file(folder / _EPOCH) or 0)
        if epoch < seen:
            raise PermanentError(
                "stale-epoch",
                f"epoch {epoch} is older than {seen}, under which this router was changed last",
                "another controller has taken over; give up this run here",
            )
        if epoch > seen:
            replace_file(folder / _EPOCH, f"{epoch}\n")
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f'another controller is changing the router in "{folder}"'
                raise TransientError("router-busy", message, "try again when it is done") from None
            time.sleep(0.005)
        else:
            return


def _sorted(backends: Iterable[Backend]) -> tuple[Backend, ...]:
    return tuple(sorted(backends, key=lambda backend: backend.revision))


def _merged(first: tuple[_T, ...], second: tuple[_T, ...]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _routes(stored: dict[str, Any]) -> Routes:
    sticky, mirror = stored.get("sticky"), stored.get("mirror")
    named = {
        "backends": _backends(stored["backends"]),
        "sticky": None if sticky is None else Stickiness(**sticky),
        "mirror": None if mirror is None else Mirror(**mirror),
    }
    known = {field.name for field in fields(Routes)}
    return Routes(**{name: value for name, value in (stored | named).items() if name in known})


def _backends(stored: list[dict[str, Any]]) -> tuple[Backend, ...]:
    return tuple(
        Backend(b["revision"], _endpoints(b["endpoints"]), _endpoints(b["draining"]), b["ready_path"]) for b in stored
    )


def _endpoints(stored: list[dict[str, Any]]) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(**endpoint) for endpoint in stored)
