"""Going back by hand: the plan's own way back while a run is under way, a new run afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from fairway.domain.errors import UserError
from fairway.domain.rollout.compile import compile_rollback
from fairway.domain.rollout.events import RunStarted
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.spec import EnvironmentSpec, ServiceSpec
from fairway.ports.artifacts import ArtifactStore, Source
from fairway.ports.journal import EnvironmentState, Journal, Records
from fairway.usecases.answers import Declined, Started, Unchanged
from fairway.usecases.deploy import busy, find_environment
from fairway.usecases.distrust import find_distrust
from fairway.usecases.former_router import remember_router
from fairway.usecases.promoted import list_promoted
from fairway.usecases.reasons import as_reason
from fairway.usecases.steer import Helm
from fairway.usecases.trusting import Verifier

#: What has to be typed, so that nobody goes back by accident.
CONFIRMATION = "CONFIRM"
#: How many releases are named to somebody who asked for one that was never live.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Return:
    """What somebody wants to go back to.

    Attributes:
        to: a version, tag, commit, digest, or run of the history; None: what was live before.
        confirmation: must be `CONFIRM`.
    """

    environment: str
    actor: str
    reason: str
    confirmation: str
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Returner:
    """What going back needs.

    Attributes:
        knows: whether a commit is still in the history of the repository.
        new_run: makes the id of a run.
        clock: now, seconds since the epoch, UTC.
        verifier: asks for signatures where an environment demands them, as for a deployment.
    """

    service: ServiceSpec
    source: Source
    artifacts: ArtifactStore
    journal: Journal
    records: Records
    knows: Callable[[str], bool]
    new_run: Callable[[], str]
    clock: Callable[[], float]
    verifier: Verifier | None = None

    def start(self, wanted: Return) -> Started | Unchanged | Declined:
        """Goes back; where a run is under way, by its own plan, which is the fastest way.

        Raises:
            UserError: no reason, no confirmation, no such environment, or a release that was never live there.
        """
        _insist(wanted)
        reason = as_reason(wanted.reason)
        environment = find_environment(self.service, wanted.environment)
        state = self.records.environment(self.service.service, environment.name)
        if state.run is not None:
            return self._join(state.run, wanted)
        if state.live is None:
            raise UserError("nothing-live", f"nothing is live in {environment.name}", "deploy a release first")
        target = self._target(state, wanted, environment)
        if isinstance(target, Declined):
            return target
        if target.id == state.live.id:
            return Unchanged(state.live, f"{target.version} is live in {environment.name} already")
        refusal = self._refusal(target, environment)
        if refusal is not None:
            return refusal
        plan = compile_rollback(
            self.service, environment, target=target, live=state.live, live_instances=state.instances
        )
        plan = remember_router(plan, state, self.journal)
        run = self.new_run()
        occupant = self.journal.start(run, RunStarted(self.clock(), wanted.actor, reason, plan))
        return busy(self.journal.load(occupant)) if occupant is not None else Started(run, plan)

    def _join(self, run: str, wanted: Return) -> Started | Declined:
        state = self.journal.load(run)
        stable = state.plan.stable
        if state.plan.kind == "rollback" and wanted.to in (None, *_names(state.plan.candidate)):
            return Started(run, state.plan)
        if wanted.to is not None and (stable is None or wanted.to not in _names(stable)):
            return busy(state)
        answer = Helm(self.journal, self.clock).abort_run(run, actor=wanted.actor, reason=wanted.reason)
        return Started(run, state.plan, taken_back=True) if isinstance(answer, Run) else answer

    def _target(self, state: EnvironmentState, wanted: Return, environment: EnvironmentSpec) -> Revision | Declined:
        """What was live before, or the newest entry of the history that goes by the wanted name."""
        if wanted.to is None:
            for revision in list_promoted(self.records, state.service, state.environment):
                if state.live is None or revision.id == state.live.id:
                    continue
                if self._refusal(revision, environment) is None:
                    return revision
            sentence = f"no earlier release of {state.service} in {state.environment} can be returned to"
            return Declined("no-way-back", sentence, f"fairway history --env {state.environment}")
        found = self._find(state, wanted.to)
        if found is not None:
            return found
        commit = self.source.resolve(wanted.to)
        return self._find(state, commit.id) or self._never_live(state, commit.version)

    def _find(self, state: EnvironmentState, name: str) -> Revision | None:
        found = self.records.list_revisions(state.service, state.environment, named=name, limit=1)
        return found[0][1] if found else None

    def _never_live(self, state: EnvironmentState, version: str) -> Declined:
        latest = list_promoted(self.records, state.service, state.environment)
        names = list(dict.fromkeys(revision.version for revision in islice(latest, MOST_NAMED + 1)))
        more = " …" if len(names) > MOST_NAMED else ""
        known = ", ".join(names[:MOST_NAMED]) + more if names else "none"
        sentence = f"{version} was never live in {state.environment}"
        return Declined("never-released", sentence, f"releases that were: {known}")

    def _refusal(self, target: Revision, environment: EnvironmentSpec) -> Declined | None:
        artifact = target.artifact
        if artifact.commit and not self.knows(artifact.commit):
            sentence = f"commit {artifact.commit[:12]} of {target.version} is no longer in the history"
            return Declined("unknown-commit", sentence, "fetch it, or choose another release with --to")
        rejected = self.records.quarantine(artifact.digest)
        if rejected is not None:
            sentence = f"{target.version} is quarantined since run {rejected.run}: {rejected.reason}"
            return Declined("quarantined", sentence, "choose another release with --to")
        wrong = self.artifacts.verify(artifact.digest)
        if wrong is not None:
            return Declined("artifact-altered", wrong, "choose another release with --to, or deploy it anew")
        return find_distrust(
            artifact, environment, service=self.service.service, artifacts=self.artifacts, verifier=self.verifier
        )


def _insist(wanted: Return) -> None:
    if not wanted.reason.strip():
        raise UserError("no-reason", "a rollback needs a reason", "add --reason TEXT")
    if wanted.confirmation != CONFIRMATION:
        given = wanted.confirmation[:40]
        raise UserError("not-confirmed", f"--confirm is {given!r}, not {CONFIRMATION!r}", "add --confirm CONFIRM")


def _names(revision: Revision) -> frozenset[str]:
    """What people may call a revision."""
    artifact = revision.artifact
    names = {
        artifact.version,
        f"v{artifact.version}",
        artifact.digest,
        artifact.commit,
        artifact.commit[:12],
        revision.id,
    }
    return frozenset(names - {""})
