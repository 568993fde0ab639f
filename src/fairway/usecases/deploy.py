"""Deploying a release: from its name to a started run."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fairway.domain.cadence.policy import Passage
from fairway.domain.errors import UserError
from fairway.domain.images.reference import looks_like_reference
from fairway.domain.rollout.compile import compile_deploy, revision_of
from fairway.domain.rollout.events import RunStarted
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.revision import Artifact, Revision
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.spec import EnvironmentSpec, ServiceSpec
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.strategy import Strategy
from fairway.ports.artifacts import ArtifactStore, Source
from fairway.ports.journal import Journal, Records
from fairway.usecases.answers import Declined, Started, Unchanged
from fairway.usecases.distrust import find_distrust
from fairway.usecases.former_router import remember_router
from fairway.usecases.reasons import as_reason
from fairway.usecases.trusting import Verifier


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to have deployed.

    Attributes:
        release: a version, tag, commit or digest.
        strategy: in place of the environment's own; None: the environment's own.
        lift_quarantine: why a rejected artifact may come back; None: it may not.
        passage: why it may begin although it is not the time for it; None: it may not.
    """

    release: str
    environment: str
    actor: str
    reason: str = ""
    strategy: Strategy | None = None
    lift_quarantine: str | None = None
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Deployer:
    """What deploying needs.

    Attributes:
        new_run: makes the id of a run.
        clock: now, seconds since the epoch, UTC.
        log: receives the output of a build, line by line.
        verifier: asks for signatures where an environment demands them.
        passed: names of the checks that the artifact with this digest has passed.
        demands: says why an artifact may not replace what is live: for want of something that it must have shown.
        branches: says why an artifact may not go to an environment: for the branch that it comes from.
        cadence: says whether a deployment may begin now: the passage, with what it passes, or why not.
    """

    service: ServiceSpec
    source: Source
    artifacts: ArtifactStore
    journal: Journal
    records: Records
    new_run: Callable[[], str]
    clock: Callable[[], float]
    log: Callable[[str], None]
    verifier: Verifier | None = None
    demands: Callable[[EnvironmentSpec, Artifact, Revision | None], Declined | None] | None = None
    passed: Callable[[str], frozenset[str]] | None = None
    branches: Callable[[EnvironmentSpec, Artifact], Declined | None] | None = None
    cadence: Callable[[str, Passage | None], Passage | Declined | None] | None = None

    def plan(self, request: Request) -> Plan | Unchanged | Declined:
        """The plan that the request would start; builds the artifact if there is none yet.

        Raises:
            UserError: no such environment or release.
            PermanentError: the build failed.
        """
        environment = find_environment(self.service, request.environment)
        if request.strategy is not None:
            environment = replace(environment, strategy=request.strategy)
        state = self.records.environment(self.service.service, environment.name)
        if state.run is not None:
            return busy(self.journal.load(state.run))
        artifact = self._artifact(request.release)
        refusal = self._refusal(artifact, environment, request)
        if refusal is not None:
            return refusal
        # A build may have taken long, and another run may have come and gone meanwhile.
        state = self.records.environment(self.service.service, environment.name)
        if state.run is not None:
            return busy(self.journal.load(state.run))
        candidate = revision_of(self.service, environment, artifact)
        live = state.live
        if live is not None and live.id == candidate.id and state.instances == environment.instances:
            where = f"{live.version} is live in {environment.name} already, with this configuration"
            return Unchanged(live, where)
        missing = self.demands(environment, artifact, live) if self.demands and environment.demands else None
        if missing is not None:
            return missing
        plan = compile_deploy(
            self.service, environment, candidate=candidate, stable=live, stable_instances=state.instances
        )
        return remember_router(plan, state, self.journal)

    def start(self, request: Request) -> Started | Unchanged | Declined:
        """Starts the rollout; the controller does the rest.

        Raises:
            As `plan` does.
        """
        reason = as_reason(request.reason)
        lifts = None if request.lift_quarantine is None else as_reason(request.lift_quarantine)
        if lifts == "":
            raise UserError("no-reason", "lifting a quarantine needs a reason", "--lift-quarantine TEXT")
        environment = find_environment(self.service, request.environment).name
        passage = self.cadence(environment, request.passage) if self.cadence is not None else request.passage
        if isinstance(passage, Declined):
            return passage
        plan = self.plan(request)
        if not isinstance(plan, Plan):
            return plan
        run = self.new_run()
        started = RunStarted(self.clock(), request.actor, reason, plan, lifts, passage)
        occupant = self.journal.start(run, started)
        return busy(self.journal.load(occupant)) if occupant is not None else Started(run, plan)

    def _artifact(self, release: str) -> Artifact:
        if release.startswith("sha256:"):
            kept = self.artifacts.find(release)
            if kept is None:
                raise UserError("unknown-digest", f"no artifact {release!r} is kept", "name a version, tag or commit")
            return kept
        if looks_like_reference(release):
            sentence = f"{release[:120]} is a container image, and no target of Fairway runs images"
            raise UserError("image-not-run", sentence, "deploy a version: its sealed artifact is what environments run")
        if self.service.artifact_path is not None:
            return self.artifacts.adopt(self.service.artifact_path, version=release)
        commit = self.source.resolve(release)
        steps, timeout = self.service.build_steps, self.service.build_timeout
        return self.artifacts.build(commit, steps, timeout=timeout, log=self.log)

    def _refusal(self, artifact: Artifact, environment: EnvironmentSpec, request: Request) -> Declined | None:
        rejected = self.records.quarantine(artifact.digest)
        if rejected is not None and request.lift_quarantine is None:
            sentence = f"{artifact.version} is quarantined since run {rejected.run}: {rejected.reason}"
            return Declined("quarantined", sentence, "deploy it with --lift-quarantine and a reason to allow it again")
        foreign = self.branches(environment, artifact) if self.branches is not None else None
        distrust = foreign or self._distrust(artifact, environment) or self._unproved(artifact, environment)
        if distrust is not None or environment.after is None:
            return distrust
        if self.records.list_revisions(self.service.service, environment.after, named=artifact.digest, limit=1):
            return None
        sentence = f"{artifact.version} has not been live in {environment.after}, which comes before {environment.name}"
        return Declined("order", sentence, f"fairway deploy {request.release} --env {environment.after}")

    def _unproved(self, artifact: Artifact, environment: EnvironmentSpec) -> Declined | None:
        """Which checks the environment demands and the artifact has not passed; None if there is none."""
        if not environment.passed:
            return None
        passed = self.passed(artifact.digest) if self.passed is not None else frozenset()
        missing = [name for name in environment.passed if name not in passed]
        if not missing:
            return None
        sentence = f"{environment.name} refuses {artifact.version}: it has not passed {', '.join(missing)} in a release"
        return Declined("checks-missing", sentence, "fairway release VERSION runs them and seals what passed")

    def _distrust(self, artifact: Artifact, environment: EnvironmentSpec) -> Declined | None:
        """Why the environment does not believe the artifact; None if it does, or demands nothing."""
        return find_distrust(
            artifact, environment, service=self.service.service, artifacts=self.artifacts, verifier=self.verifier
        )


def find_environment(service: ServiceSpec, name: str) -> EnvironmentSpec:
    """The environment of that name.

    Raises:
        UserError: there is none; the sentence lists those that are.
    """
    for environment in service.environments:
        if environment.name == name:
            return environment
    known = ", ".join(environment.name for environment in service.environments) or "none"
    raise UserError("unknown-environment", f"{service.service} has no environment {name[:60]!r}", f"known are {known}")


def busy(run: Run) -> Declined:
    """Another run is under way in the environment; what can be done about it depends on where it stands."""
    sentence = f"run {run.id} is under way in {run.plan.environment}"
    return Declined("busy", sentence, f"fairway watch {run.id}{_ways_to_end(run)}")


def _ways_to_end(run: Run) -> str:
    if run.outcome is not None:
        return ", which has just ended; then try again"
    if run.track == "rollback" or run.failure is not None or run.abort is not None:
        return ", which is on its way back and needs nobody; then try again"
    forward = {"waiting-approval": f"fairway approve {run.id}", "paused": f"fairway resume {run.id}"}.get(run.phase, "")
    if not forward and run.current is not None and isinstance(run.current.step, Watch):
        forward = f"fairway promote {run.id}"
    ways = [forward, f"fairway abort {run.id}"] if forward else [f"fairway abort {run.id}"]
    return f", or end it: {', '.join(ways)}"
