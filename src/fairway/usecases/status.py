"""What runs where."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairway.ports.journal import ReadStore
from fairway.usecases.report import describe_run, timestamp


@dataclass(frozen=True, slots=True)
class Question:
    """Asks the journal; changes nothing, needs no controller.

    Attributes:
        is_down: whether the processes of an environment were stopped, although something should run there.
    """

    service: str
    store: ReadStore
    is_down: Callable[[str], bool] = lambda _: False

    def list_environments(self) -> list[str]:
        """The environments in which anything ever happened, in the order of their first run."""
        return list(self.store.list_environments(self.service))

    def ask(self, environment: str) -> dict[str, Any]:
        """The state of one environment: its latest run as `describe_run` gives it, and what is live.

        Returns:
            The keys of `describe_run` (None where nothing ever ran), `live` with release, digest, revision,
            instances and since, and `down`.
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
            place = {"service": self.service, "environment": environment}
            return place | empty | {"steps": [], "live": live, "down": False}
        run = self.store.load(run_id)
        report = describe_run(run, self.store.load_evidence(run_id))
        return report | {"live": live, "down": self.is_down(environment)}


def describe_environment(entry: dict[str, Any]) -> str:
    """The state of an environment in a few lines."""
    live = entry["live"]
    serving = "nothing is live" if live is None else f"{live['release']} on {live['instances']} since {live['since']}"
    lines = [f"{entry['environment']}: {serving}"]
    if entry["down"]:
        lines.append(f"  brought down; fairway up --env {entry['environment']} brings it back")
    if entry["run"] is not None:
        lines.append(f"  {entry['run']} {entry['kind']} of {entry['release']}: {entry['phase']}. {entry['reason']}")
    if entry.get("passage"):
        passed = f", which passed {told['passed']}" if (told := entry["passage"])["passed"] else ""
        lines.append(f"  {told['kind']}: {told['reason']}{passed}")
    if entry.get("attention"):
        lines.append(f"  needs attention: {entry['attention']}")
    if entry.get("finished") is None:
        lines += [f"  {line}" for line in _describe_rules(entry.get("evidence") or {})]
    return "\n".join(lines)


def _describe_rules(assessment: dict[str, Any]) -> list[str]:
    """The user's rules of a run under way, a line each."""
    lines = []
    for rule in assessment.get("rules", ()):
        state, seconds = rule["state"].replace("-", " "), rule["seconds"]
        lasting = f" for {seconds:.0f} s of {rule['lasting']:.0f} s" if seconds else ""
        values = ", ".join(f"{name} {value:.4g}" for name, value in rule["values"].items()) or rule["why"]
        lines.append(f"rule {rule['name']}: {state}{lasting} ({values})" if values else f"rule {rule['name']}: {state}")
    return lines
