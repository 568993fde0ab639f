"""Starting a release: from a version to a stored plan."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from fairway.domain.cadence.policy import Passage
from fairway.domain.errors import UserError
from fairway.domain.pipeline.actions import Deploy
from fairway.domain.pipeline.compile import Subject, compile_release
from fairway.domain.pipeline.events import ReleaseEnded, ReleaseResumed, ReleaseStarted, TaskLost
from fairway.domain.pipeline.plan import ReleasePlan
from fairway.domain.pipeline.release import Release
from fairway.domain.pipeline.spec import PipelineSpec
from fairway.domain.rollout.spec import ServiceSpec
from fairway.ports.artifacts import Source
from fairway.ports.journal import RunSummary
from fairway.ports.pipeline import Tags
from fairway.ports.releases import ReleaseJournal
from fairway.usecases.answers import Declined

# Of what git takes as the name of a tag.
_VERSION = re.compile(r"(?!.*\.\.)(?!.*\.(lock)?$)[0-9A-Za-z][0-9A-Za-z.+!_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to have released.

    Attributes:
        version: the version, without the words around it in the tag.
        commit: name of the commit; None: that of the tag if there is one, else what is checked out.
        deploy: an environment to go on to; None: it ends with publishing.
        tag: the version's tag; None: as the configuration writes tags.
        passage: why it may begin although it is not the time for it; None: it may not.
        train: the train that it leaves with; empty: none.
    """

    version: str
    actor: str
    commit: str | None = None
    deploy: str | None = None
    tag: str | None = None
    passage: Passage | None = None
    train: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseDesk:
    """What commands about releases need.

    Attributes:
        origin: address of the repository; empty if it has none.
        new_release, new_run: make ids.
        clock: now, seconds since the epoch, UTC.
        branch_of: the branch from which a version of a commit may be released, or why it may not; the last argument
            says whether the commit was asked for by name. None: any branch will do.
        packages_of: the pipeline with the packages that a commit's workspaces hold; None: it has no workspace.
        previous_of: the commit of the last stable release below a commit; None: there is none.
        cadence: says whether a release may begin now: the passage, with what it passes, or why not.
    """

    service: ServiceSpec
    pipeline: PipelineSpec
    source: Source
    tags: Tags
    journal: ReleaseJournal
    origin: str
    new_release: Callable[[], str]
    new_run: Callable[[], str]
    clock: Callable[[], float]
    branch_of: Callable[[str, str, bool], str | Declined] | None = None
    cadence: Callable[[Request], Passage | Declined | None] | None = None
    packages_of: Callable[[PipelineSpec, str], PipelineSpec] | None = None
    previous_of: Callable[[str], str | None] | None = None

    def plan(self, request: Request) -> ReleasePlan | Declined:
        """The plan that the request would start; changes nothing.

        Raises:
            UserError: no such commit or environment, no version, or a pipeline that cannot be.
        """
        if not _VERSION.fullmatch(request.version):
            raise UserError("bad-version", f"{request.version[:60]!r} is no version", "write it like 1.2.0")
        if request.deploy is not None and request.deploy not in {one.name for one in self.service.environments}:
            known = ", ".join(one.name for one in self.service.environments) or "none"
            sentence = f"{self.service.service} has no environment {request.deploy[:60]!r}"
            raise UserError("unknown-environment", sentence, f"known are {known}")
        tag = request.tag or self.pipeline.tag.replace("{version}", request.version)
        tagged = self.tags.observe(tag)
        commit = self.source.resolve(request.commit or tagged or "HEAD").id
        if tagged not in (None, commit):
            sentence = f"tag {tag} stands on {tagged}, and {request.commit} is {commit}"
            return Declined("tag-elsewhere", sentence, "release another version, or the tagged commit")
        done = [one for one in self._earlier() if one.release == request.version and one.phase == "completed"]
        if done:
            return Declined("released", f"{request.version} has been released by {done[0].id}", "release another one")
        named = bool(request.commit or tagged)
        branch = self.branch_of(request.version, commit, named) if self.branch_of is not None else ""
        if isinstance(branch, Declined):
            return branch
        seal = self.pipeline.artifact and bool(self.service.environments)
        subject = Subject(
            service=self.service.service,
            version=request.version,
            commit=commit,
            origin=self.origin,
            seal=seal,
            steps=self.service.build_steps,
            timeout=self.service.build_timeout,
        )
        if self.previous_of is not None and any(one.additions is not None for one in self.pipeline.tasks):
            subject = replace(subject, previous=self.previous_of(commit) or "")
        deploy = None if request.deploy is None else (request.deploy, self.new_run())
        pipeline = self.packages_of(self.pipeline, commit) if self.packages_of is not None else self.pipeline
        plan = compile_release(subject, replace(pipeline, tag=tag), deploy=deploy, notify=self.service.notify)
        return replace(plan, branch=branch, passage=request.passage, train=request.train)

    def start(self, request: Request) -> Release | Declined:
        """Starts a release, which waits for its turn if another one is under way; the host does the rest.

        Raises:
            As `plan` does.
        """
        passage = self.cadence(request) if self.cadence is not None else request.passage
        if isinstance(passage, Declined):
            return passage
        plan = self.plan(replace(request, passage=passage))
        if isinstance(plan, Declined):
            return plan
        for other in self._earlier():
            if other.release == request.version and other.phase != "abandoned":
                sentence = f"a release of {request.version} has begun: {other.id} is {other.phase}"
                hint = f"fairway release resume {other.id}, or fairway release abandon {other.id}"
                return Declined("release-begun", sentence, hint)
        release = self.new_release()
        self.journal.start_release(release, ReleaseStarted(self.clock(), request.actor, plan))
        return self.journal.load_release(release)

    def resume(
        self, release: str, *, actor: str, lost: Callable[[], list[tuple[str, str]]], passage: Passage | None = None
    ) -> Release | Declined:
        """Lets a release go on: what failed is tried again, and what is gone of what was done is done again.

        Args:
            release: its id.
            actor: who asks for it.
            lost: looks at the world: tasks whose effects are gone, each with the reason.
            passage: why it may go on although it is not the time for it; None: what was said before counts.

        Raises:
            UserError: there is no such release.
        """
        state = self.journal.load_release(release)
        if state.outcome is not None:
            return Declined("release-over", f"{release} is over: {state.ended_reason}", "fairway release VERSION")
        passed = self.admit(state, passage or state.passage)
        if isinstance(passed, Declined):
            return passed
        at = self.clock()
        events = [TaskLost(at, task, why) for task, why in lost()]
        return self.journal.append_release(state, (*events, ReleaseResumed(at, actor, passed)))

    def admit(self, release: Release, passage: Passage | None) -> Passage | Declined | None:
        """Whether it is the time for a release that has begun: the passage, with what it passes, or why not."""
        if self.cadence is None:
            return passage
        plan = release.plan
        deploy = next((one.action.environment for one in plan.tasks if isinstance(one.action, Deploy)), None)
        answer = self.cadence(Request(plan.version, release.actor, plan.commit, deploy, plan.tag, passage, plan.train))
        if not isinstance(answer, Declined):
            return answer
        again = f"fairway release resume {release.id}"
        return replace(answer, hint=answer.hint.replace("pass,", f"with {again} pass,", 1))

    def abandon(self, release: str, *, actor: str, reason: str) -> Release | Declined:
        """Gives a release up as it is; what is published stays.

        Raises:
            UserError: there is no such release.
        """
        state = self.journal.load_release(release)
        if state.outcome is not None:
            return Declined("release-over", f"{release} is over: {state.ended_reason}", "")
        words = f"abandoned by {actor}" + (f": {reason}" if reason else "")
        return self.journal.append_release(state, (ReleaseEnded(self.clock(), "abandoned", words),))

    def latest_open(self) -> str:
        """The id of the latest release that is not over.

        Raises:
            UserError: there is none.
        """
        for one in self._earlier():
            if one.ended is None:
                return one.id
        raise UserError("no-open-release", "no release is under way or halted", "fairway release VERSION starts one")

    def _earlier(self) -> tuple[RunSummary, ...]:
        return self.journal.list_releases(self.service.service, limit=1000)
