"""From a step to effects: each kind of step may be performed again after any interruption.

A performance looks at the world, changes what is not yet as wanted, and says whether the step's condition holds. It
never decides where the run goes next.
"""

from dataclasses import dataclass
from typing import Any

from fairway.domain.codec import to_json
from fairway.domain.errors import PermanentError
from fairway.domain.rollout.events import AttentionNeeded
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import (
    Announce,
    AwaitApprovals,
    AwaitReady,
    CheckHttp,
    Copy,
    Promote,
    Role,
    RunCommand,
    SaveState,
    Scale,
    Shift,
    ShowScripts,
    Step,
    VerifyArtifact,
    Watch,
)
from fairway.engine.checking import run_checks
from fairway.engine.restoring import restore
from fairway.engine.routing import has_endpoints, return_routes, routes_for
from fairway.engine.world import Finished, Outcome, Pending, Refused, World
from fairway.ports.checks import Command
from fairway.ports.target import Instance

#: Seconds between two looks at something that takes its own time.
LOOK_AGAIN = 0.1


@dataclass(frozen=True, slots=True)
class Performance:
    """One look at, and change of, the world for the step at a run's cursor.

    Attributes:
        epoch: fencing number that every effect carries.
        at: now, seconds since the epoch, UTC.
        spent: seconds that this controller has spent on the step.
    """

    run: Run
    world: World
    epoch: int
    at: float
    spent: float

    def perform(self, step: Step) -> Outcome:  # noqa: C901, PLR0911, PLR0912 -- one case a kind of step
        """Performs the step, which has been recorded as started.

        Raises:
            FairwayError: as the ports do.
        """
        plan = self.run.plan
        match step:
            case VerifyArtifact():
                return self._verify_artifact()
            case RunCommand():
                return self._run_command(step)
            case CheckHttp():
                return run_checks(self.run, self.world, step, at=self.at, spent=self.spent)
            case SaveState():
                return self._save_state()
            case Scale():
                return self._scale(step)
            case AwaitReady():
                return self._await_ready(step)
            case Shift():
                return self._shift(step)
            case Copy():
                self._route(draining={})
                return Finished("stable goes on answering everybody")
            case AwaitApprovals():
                return Finished("approved by " + ", ".join(self.run.approvals))
            case ShowScripts(scripts=scripts):
                return Finished("prepared, not run: " + ", ".join(scripts))
            case Promote():
                return Finished(f"{plan.candidate.version} is live")
            case Announce(receivers=receivers):
                return Finished(f"{receivers} in the outbox")
            case Watch():
                return Pending(LOOK_AGAIN)
            case _:
                return restore(self.run, self.world, step, epoch=self.epoch, at=self.at)

    def _revision(self, role: Role) -> Revision | None:
        plan = self.run.plan
        others = {"stable": plan.stable, "baseline": plan.baseline}
        return others.get(role, plan.candidate)

    def _verify_artifact(self) -> Outcome:
        artifact = self.run.plan.candidate.artifact
        rejected = self.world.records.quarantine(artifact.digest)
        if rejected is not None:
            return Refused("quarantined", f"{artifact.version} is quarantined since {rejected.run}: {rejected.reason}")
        wrong = self.world.artifacts.verify(artifact.digest)
        return (
            Refused("artifact-altered", wrong) if wrong is not None else Finished(f"{artifact.digest[:19]} unaltered")
        )

    def _run_command(self, step: RunCommand) -> Outcome:
        revision = self.run.plan.candidate
        planned = self.run.current
        preview = planned is not None and planned.stage == "check"
        variables = (
            {"PYTHONDONTWRITEBYTECODE": "1"}
            | dict(revision.run.variables)
            | {
                "FAIRWAY_URL": f"http://{self._address(preview=preview)}",
                "FAIRWAY_ENVIRONMENT": self.run.plan.environment,
                "FAIRWAY_VERSION": revision.version,
                "FAIRWAY_COMMIT": revision.artifact.commit,
            }
        )
        key = f"{self.run.id}-{self.run.track}-{self.run.cursor}"
        pairs = tuple(sorted(variables.items()))
        command = Command(key, step.command, revision.artifact.location, pairs, step.timeout)
        result = self.world.commands.ensure_run(command)
        if result is None:
            return Pending(LOOK_AGAIN)
        said = result.tail.strip()
        if result.status == 0:
            return Finished(said.splitlines()[-1] if said else "exit status 0")
        end = "took longer than its time limit" if result.status is None else f"ended with status {result.status}"
        return Refused("command", f"`{step.command}` {end}: {said or 'no output'}")

    def _address(self, *, preview: bool) -> str:
        """Where the candidate alone answers, if the router has such a place, else where users connect."""
        state = self.world.router.observe()
        return state.preview if preview and state.preview else state.address

    def _save_state(self) -> Outcome:
        stable, routes = self.run.plan.stable, self.world.router.observe().routes
        instances = self.run.plan.stable_instances
        saved: dict[str, Any] = {"live": to_json(stable), "instances": instances, "routes": to_json(routes)}
        return Finished("nothing was live" if stable is None else f"{stable.version} and its routes", saved)

    def _await_ready(self, step: AwaitReady) -> Outcome:
        revision = self._revision(step.role)
        if revision is None:
            return Finished("none wanted")
        instances = self.world.target.observe_instances(revision.id)
        if any(instance.state in ("crash-loop", "unready") for instance in instances):
            # Somebody else may have taken its port between its choice and its start: then it gets another one.
            wanted = len(_staying(instances))
            instances = self.world.target.ensure_instances(revision, wanted, epoch=self.epoch)
        ready = sum(instance.state == "ready" for instance in instances)
        if ready >= step.count:
            return Finished(f"{ready} of {step.count} ready")
        looping = next((instance for instance in instances if instance.state == "crash-loop"), None)
        if looping is not None and self.run.track == "forward":
            reason = f"instance {looping.id} ends again and again ({looping.last_exit or 'no exit seen'})"
            return self._never_ready(step, "crash", reason)
        if self.spent <= step.timeout:
            return Pending(LOOK_AGAIN)
        return self._overdue(step, ready, instances)

    def _never_ready(self, step: AwaitReady, rule: str, reason: str) -> Outcome:
        """The answer is no; that the stable release does not start by now says nothing about the candidate.

        Raises:
            PermanentError: it is the baseline.
        """
        if step.role == "baseline":
            hint = "the candidate was not judged; look at what the instances wrote"
            message = f"the live release, started anew as a baseline, does not become ready: {reason}"
            raise PermanentError("baseline-not-ready", message, hint)
        return Refused(rule, reason)

    def _overdue(self, step: AwaitReady, ready: int, instances: tuple[Instance, ...]) -> Outcome:
        """Too late; on the way back, where there is nothing to go back to, a person has to help."""
        why = next((one.detail for one in instances if one.state != "ready" and one.detail), "")
        reason = f"after {step.timeout:g} s {ready} of {step.count} instances of the {step.role} are ready"
        reason += f": {why}" if why else ""
        if self.run.track == "forward":
            return self._never_ready(step, "not-ready", reason)
        told = self.run.attention is not None
        return Pending(LOOK_AGAIN, () if told else (AttentionNeeded(self.at, reason),))

    def _shift(self, step: Shift) -> Outcome:
        """On the way back the weight moves first, by itself: nothing slow may stand before it."""
        router, back = self.world.router, self.run.track == "rollback"
        if back and self.run.cursor == 0:
            state = router.observe()
            if state.routes is None and not state.running:
                # The router could never start, as where somebody else has its address.
                return Finished("no request was ever routed here")
            quick = return_routes(self.run, state.routes)
            if quick is not None:
                router.ensure_routes(quick, epoch=self.epoch)
                return Finished("all requests on stable")
        routes = routes_for(self.run, self.world.target, step.weight)
        if routes.stable is not None and step.weight < 100.0 and not has_endpoints(routes, routes.stable):
            return Finished("stable has no instance yet") if back else Pending(LOOK_AGAIN)
        router.ensure_routes(routes, epoch=self.epoch)
        return Finished(f"{step.weight:g} % to {self.run.plan.candidate.version}")

    def _scale(self, step: Scale) -> Outcome:
        revision = self._revision(step.role)
        if revision is None:
            return Finished("none wanted")
        present = _staying(self.world.target.observe_instances(revision.id))
        rest, surplus = present[: step.count], present[step.count :]
        if rest and surplus and self._carry(revision, rest, surplus) and self.spent <= revision.run.health.timeout:
            # One of the rest has just died, say: it is started again, and until then those that may go are needed.
            self._route(draining={})
            return Pending(LOOK_AGAIN)
        if surplus and not self._drain(revision, surplus, removed=step.count == 0):
            return Pending(LOOK_AGAIN)
        now = self.world.target.ensure_instances(revision, step.count, epoch=self.epoch)
        if step.count and self._drains(revision):
            self._route(draining={})
        if len(now) > len(_staying(now)):  # they have their grace; whoever waits for it here hears of nothing else
            return Pending(LOOK_AGAIN)
        return Finished(f"{len(now)} of {step.count} started" if step.count else f"{revision.version} retired")

    def _carry(self, revision: Revision, rest: tuple[Instance, ...], surplus: tuple[Instance, ...]) -> bool:
        """Instances that may go serve in place of some that shall stay: those are down, or get no requests as yet."""
        ejected: set[str] = set()
        if self.world.router.observe().routes is not None:
            traffic = self.world.router.observe_traffic().of(revision.id)
            ejected = {one.instance for one in traffic.instances if one.ejected}
        serve = {one.id for one in (*rest, *surplus) if one.state == "ready" and one.id not in ejected}
        return any(one.id not in serve for one in rest) and any(one.id in serve for one in surplus)

    def _drains(self, revision: Revision) -> bool:
        """Whether the routing still has instances of it on their way out, as also after a crash."""
        routes = self.world.router.observe().routes
        return routes is not None and any(one.revision == revision.id and one.draining for one in routes.backends)

    def _drain(self, revision: Revision, surplus: tuple[Instance, ...], *, removed: bool) -> bool:
        """Takes instances out of rotation; True once they have nothing under way, or had their time."""
        if self.world.router.observe().routes is None:
            return True
        leaving = frozenset(instance.id for instance in surplus)
        self._route(draining={revision.id: leaving})
        traffic = self.world.router.observe_traffic().of(revision.id)
        busy = sum(instance.active for instance in traffic.instances if instance.instance in leaving)
        if busy and self.spent < revision.run.drain:
            return False
        if removed:
            self._route(draining={}, without=revision.id)
        return True

    def route_anew(self) -> None:
        """Lets the instances that there are now get what the run has given their revisions."""
        self._route(draining={})

    def _route(self, *, draining: dict[str, frozenset[str]], without: str | None = None) -> None:
        routes = routes_for(self.run, self.world.target, self.run.weight, draining=draining, without=without)
        self.world.router.ensure_routes(routes, epoch=self.epoch)


def _carry(rest: tuple[Instance, ...], surplus: tuple[Instance, ...]) -> bool:
    """Instances that may go serve in place of some that shall stay."""
    return any(one.state != "ready" for one in rest) and any(one.state == "ready" for one in surplus)


def _staying(instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
    """Those that are not on their way out."""
    return tuple(instance for instance in instances if instance.state != "stopping")
