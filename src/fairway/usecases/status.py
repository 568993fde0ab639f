"""What runs where."""

from dataclasses import dataclass
from typing import Any

from fairway.ports.journal import ReadStore
from fairway.usecases.report import describe_run, timestamp


@dataclass(frozen=True, slots=True)
class Question:
    """Asks the journal; changes nothing, needs no controller."""

    service: str
    store: ReadStore

    def list_environments(self) -> list[str]:
        """The environments in which anything ever happened, in the order of their first run."""
        runs = self.store.list_runs(service=self.service, limit=1000)
        return list(dict.fromkeys(run.environment for run in reversed(runs)))

    def ask(self, environment: str) -> dict[str, Any]:
        """The state of one environment: its latest run as `describe_run` gives it, and what is live.

        Returns:
            The keys of `describe_run` (None where nothing ever ran), and `live` with release, digest, revision,
            instances and since.
        """
        state = self.store.environment(self.service, environment)
        latest = self.store.list_runs(service=self.service, environment=environment, limit=1)
        run_id = state.run or (latest[0].id if latest else None)
        live = None
        if state.live is not None:
            live = {
                "release": state.live.version,
                "digest": state.live.artifact.digest,
                "commit": state.live.artifact.commit,
                "revision": state.live.id,
                "instances": state.instances,
                "since": timestamp(state.since),
                "run": state.by,
            }
        if run_id is None:
            empty = dict.fromkeys(("run", "release", "digest", "phase", "verdict", "reason", "started", "finished"))
            return {"service": self.service, "environment": environment, **empty, "steps": [], "live": live}
        run = self.store.load(run_id)
        return describe_run(run, self.store.load_evidence(run_id)) | {"live": live}


def describe_environment(entry: dict[str, Any]) -> str:
    """The state of an environment in a few lines."""
    live = entry["live"]
    serving = "nothing is live" if live is None else f"{live['release']} on {live['instances']} since {live['since']}"
    lines = [f"{entry['environment']}: {serving}"]
    if entry["run"] is not None:
        lines.append(f"  {entry['run']} {entry['kind']} of {entry['release']}: {entry['phase']}. {entry['reason']}")
    if entry.get("attention"):
        lines.append(f"  needs attention: {entry['attention']}")
    return "\n".join(lines)
