"""Errors of a real access log: who failed, and when, in the order in which it happened."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.canary_bench.latency import Counts

#: The common log format and its combined form: client, identity, user, time, request, status.
_LINE = re.compile(r'^(\S+) \S+ \S+ \[[^\]]+\] "[^"]*" (\d{3}) ')


@dataclass(frozen=True, slots=True)
class Recording:
    """The requests of a log in order.

    Attributes:
        clients: number of the client of each request.
        failed: the answer was 400 or above: server errors alone are too few in most logs to compare anything.
        sha256: of the files read, so that a result can be traced to its data.
    """

    name: str
    clients: NDArray[np.int64]
    failed: NDArray[np.bool_]
    sha256: str

    @property
    def ratio(self) -> float:
        """Failed per request."""
        return float(self.failed.mean())


def load(folder: Path) -> Recording:
    """Reads every access log in a folder (or one file); other files are passed over.

    Raises:
        ValueError: there is none.
    """
    files = sorted(one for one in folder.iterdir() if one.is_file()) if folder.is_dir() else [folder]
    clients: list[str] = []
    failed: list[bool] = []
    digest, names = hashlib.sha256(), []
    for file in files:
        text = file.read_text(errors="replace")
        found = [match.groups() for match in map(_LINE.match, text.splitlines()) if match]
        if not found:
            continue
        names.append(file.name)
        digest.update(file.read_bytes())
        clients += [client for client, _ in found]
        failed += [int(status) >= 400 for _, status in found]
    if not clients:
        raise ValueError(f"No access log in the common log format was found in {folder}.")
    numbers = np.unique(np.array(clients), return_inverse=True)[1]
    return Recording(", ".join(names), numbers, np.array(failed), digest.hexdigest())


def replay(
    rng: np.random.Generator,
    recording: Recording,
    *,
    arrivals: Counts,
    weights: NDArray[np.float64],
    instances: int,
    sticky: bool,
) -> tuple[Counts, Counts, Counts, Counts]:
    """Plays the log from a random place, in a circle if need be, and splits it between the revisions.

    Returns:
        By tick and instance: finished and failed of the candidate, finished and failed of stable.
    """
    ticks, total = len(arrivals), int(arrivals.sum())
    index = (rng.integers(len(recording.failed)) + np.arange(total)) % len(recording.failed)
    tick = np.repeat(np.arange(ticks), arrivals)
    clients = recording.clients[index]
    lot = rng.random(int(recording.clients.max()) + 1)[clients] if sticky else rng.random(total)
    place = tick * instances + rng.integers(instances, size=total)
    chosen, failed = lot * 100.0 < weights[tick], recording.failed[index]

    def count(wanted: NDArray[np.bool_]) -> Counts:
        flat = np.bincount(place[wanted], minlength=ticks * instances)
        return flat.reshape(ticks, instances)

    return count(chosen), count(chosen & failed), count(~chosen), count(~chosen & failed)
