"""Making releases: composed here, and carried on by the process of the command.

A release needs the variables of whoever runs it (passwords of registries), so that the command itself is its host, not
the controller. It holds the release's lease meanwhile. When it dies, the system frees the lock on its file; whoever
resumes the release sees by that that the lease is a dead one's.
"""

import fcntl
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.bootstrap.ambient import now, pause
from fairway.bootstrap.controller import ensure_controller, take_lock
from fairway.bootstrap.machine import resume
from fairway.bootstrap.project import Project
from fairway.bootstrap.signing import attestor_of, envelopes_of
from fairway.bootstrap.versioning import open_versioning
from fairway.domain.errors import FairwayError, PermanentError, TransientError
from fairway.ports.pipeline import Deployments, RolloutState

if TYPE_CHECKING:
    from fairway.adapters.builders import LocalWorkshop
    from fairway.domain.cadence.policy import Passage
    from fairway.domain.pipeline.release import Release
    from fairway.domain.pipeline.spec import PipelineSpec
    from fairway.domain.rollout.spec import Adapter
    from fairway.engine.pipeline import Bench, Refused
    from fairway.engine.releasing import Releaser
    from fairway.ports.pipeline import Registry
    from fairway.usecases.answers import Declined
    from fairway.usecases.releasing.start import ReleaseDesk

#: Seconds that the lease of a release lasts, and between two renewals.
LEASE, RENEW_EVERY = 8.0, 2.5
#: The folder of releases in the state folder.
FOLDER = "releases"


def new_release() -> str:
    """An id for a release, short enough to be typed."""
    from fairway.bootstrap.ambient import new_run

    return new_run().replace("r-", "rel-", 1)


def pipeline_of(project: Project) -> "PipelineSpec":
    """How releases of this project are made."""
    from fairway import catalog
    from fairway.config import Known, load_pipeline

    spec = load_pipeline(project.config, Known(registries=catalog.settings_by_kind("registry")))
    tag = open_versioning(project.config).spec.policy.tag
    return replace(spec, tag=tag) if tag else spec


def desk_of(project: Project) -> "ReleaseDesk":
    """What starts releases of this project."""
    from fairway.adapters.sources.git_tags import GitTags
    from fairway.bootstrap.ambient import new_run
    from fairway.bootstrap.permitting import release_branch_of, release_cadence_of
    from fairway.usecases.releasing.start import ReleaseDesk

    tags = GitTags(project.folder)
    return ReleaseDesk(
        service=project.spec,
        pipeline=pipeline_of(project),
        source=project.source,
        tags=tags,
        journal=project.store,
        origin=tags.origin(),
        new_release=new_release,
        new_run=new_run,
        clock=now,
        branch_of=release_branch_of(project),
        cadence=release_cadence_of(project),
        packages_of=lambda pipeline, commit: _with_packages(project, pipeline, commit),
        previous_of=lambda commit: _last_release(project, commit),
    )


def _with_packages(project: Project, pipeline: "PipelineSpec", commit: str) -> "PipelineSpec":
    """The pipeline with the packages that the commit's workspaces hold."""
    if not any(one.workspace for one in pipeline.publish):
        return pipeline
    from fairway.adapters.sources.git_tree import GitTree
    from fairway.domain.pipeline.workspaces import Member, expand, read_workspace

    tree = GitTree(project.folder)
    paths = {path for path, _ in tree.list_files(commit)}

    def changed(member: Member) -> bool:
        base = _last_release(project, commit)
        return base is None or bool(history.touching([member.folder or "."], commit, base))

    history = open_versioning(project.config, revision=commit).history
    return expand(
        pipeline, lambda kind: read_workspace(kind, paths, lambda path: tree.read_text(commit, path)), changed
    )


def _last_release(project: Project, commit: str) -> str | None:
    """The commit of the highest stable release below a commit."""
    from fairway.domain.versioning.scheme import find_scheme
    from fairway.domain.versioning.tags import read_tags

    by = open_versioning(project.config, revision=commit)
    policy, within = by.spec.policy, by.history.merged(commit)
    releases = read_tags(by.history.locate().tags, find_scheme(policy.scheme, policy.calver), policy)
    return next((one.commit for one in releases.stable if one.commit in within and one.commit != commit), None)


def next_of(
    project: Project, bump: str | None, pre: str | None, *, branch: str | None = None, commit: str = "HEAD"
) -> "tuple[str, str] | Declined":
    """The next version by the history, and its tag; or why there is none.

    Args:
        project: whose version it is.
        bump: major, minor or patch, in place of what the commits say; None: what they say.
        pre: token of a pre-release; None: a stable release, or as the branch's channel has it.
        branch: in place of what is checked out.
        commit: its latest one.

    Raises:
        As `next_version` does.
    """
    from fairway.domain.versioning.decision import Asked
    from fairway.domain.versioning.level import LEVELS
    from fairway.usecases.answers import Declined
    from fairway.usecases.versioning.next_version import Question, next_version

    by = open_versioning(project.config, branch=branch, revision=commit)
    asked = Asked(None if bump is None else LEVELS[bump])
    decision = next_version(by.history, by.spec.policy, Question(asked, pre), by.today).decision
    if decision.refusal:
        return Declined(decision.refusal, decision.sentence, decision.hint)
    if decision.version is None:
        return Declined(
            "nothing-to-release", decision.sentence, "fairway next says why; name a version to release anyway"
        )
    return str(decision.version), decision.tag


def workshop_of(project: Project) -> "LocalWorkshop":
    """Where jobs run and their products are kept."""
    from fairway.adapters.artifacts.local.checkouts import LocalCheckouts
    from fairway.adapters.builders import LocalWorkshop
    from fairway.adapters.images.builder import LocalImageBuilder
    from fairway.adapters.sources.git_additions import GitAdditions
    from fairway.adapters.sources.git_tree import GitTree

    return LocalWorkshop(
        project.state / FOLDER,
        tree=GitTree(project.folder),
        checkouts=LocalCheckouts(project.source),
        images=LocalImageBuilder(),
        added=GitAdditions(project.folder),
    )


def registry_of(adapter: "Adapter") -> "Registry":
    """The registry for a kind and its settings."""
    from typing import cast

    from fairway import catalog
    from fairway.bootstrap.project import _validated

    entry = catalog.find_entry("registry", adapter.kind)
    settings = _validated(entry.settings, dict(adapter.settings))
    return cast("Registry", catalog.load_object(entry.factory)(**settings))


def bench_of(project: Project, log: Callable[[str, str], None]) -> "Bench":
    """What the tasks of a release act through."""
    from fairway.adapters.sources.git_tags import GitTags
    from fairway.engine.pipeline import Bench

    return Bench(
        journal=project.store,
        workshop=workshop_of(project),
        artifacts=project.artifacts(project.spec.service),
        adopted=project.spec.artifact_path,
        tags=GitTags(project.folder),
        registry_of=registry_of,
        attestor=attestor_of(project),
        deployments=ProjectDeployments(project),
        log=log,
        envelopes=lambda product: envelopes_of(project, product),
        held_back=_held_back_by(project),
    )


def _held_back_by(project: Project) -> "Callable[[Release], Refused | None]":
    """Says why it is not the time for a release that has its turn."""
    if project.spec.cadence is None:
        return lambda _release: None
    from fairway.engine.pipeline import Refused
    from fairway.usecases.answers import Declined

    def ask(release: "Release") -> "Refused | None":
        answer = desk_of(project).admit(release, release.passage)
        return Refused(answer.code, answer.sentence, answer.hint) if isinstance(answer, Declined) else None

    return ask


class ProjectDeployments(Deployments):
    """Rollouts of the project that a release begins, carried on by the controller."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._needless: dict[str, str] = {}

    def ensure_started(
        self, run: str, *, digest: str, environment: str, actor: str, passage: "Passage | None" = None
    ) -> str | None:
        """Begins the rollout under this id; None if it has begun, else why not."""
        from fairway.usecases.answers import Declined, Started
        from fairway.usecases.deploy import Request

        project = self._project
        deployer = replace(project.deployer(lambda _line: None), new_run=lambda: run)
        answer = deployer.start(Request(digest, environment, actor, "released", passage=passage))
        if isinstance(answer, Declined):
            if answer.code == "busy":
                raise TransientError(answer.code, answer.sentence, answer.hint)
            return f"{answer.sentence} {answer.hint}"
        if isinstance(answer, Started):
            resume(project, environment)
            ensure_controller(project)
        else:
            # There will never be a rollout of this id: what it would bring is live.
            self._needless[run] = answer.sentence
        return None

    def observe(self, run: str) -> RolloutState | None:
        """What the rollout has come to."""
        from fairway.domain.errors import UserError

        if run in self._needless:
            return RolloutState("completed", self._needless[run])
        try:
            found = self._project.store.load(run)
        except UserError:
            return None
        waits = f"rollout {run} is {found.phase}" if found.phase in ("paused", "waiting-approval") else ""
        return RolloutState(found.outcome, found.ended_reason, waits)


@contextmanager
def held(project: Project, release: str) -> Iterator[tuple[str, int]]:
    """The lease of the release, for as long as the block lasts: holder and fencing number.

    Raises:
        TransientError: another process carries it on.
    """
    from fairway.ports.releases import ReleaseLeases

    leases: ReleaseLeases = project.store
    place = project.state / FOLDER / release / "holder"
    place.parent.mkdir(parents=True, exist_ok=True)
    holder = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"
    busy = TransientError("release-held", f"another process carries release {release} on", "wait for it, or end it")
    with place.open("a+b") as file:
        if not take_lock(file, fcntl.LOCK_EX):
            raise busy
        file.seek(0)
        dead = file.read().decode(errors="replace").strip()
        if dead:
            # It held the lock on this file until it died.
            leases.release(dead)
        file.truncate(0)
        file.write(holder.encode())
        file.flush()
        epoch = leases.hold(release, holder, now=now(), ttl=LEASE)
        if epoch is None:
            raise busy
        try:
            yield holder, epoch
        finally:
            leases.release(holder)
            file.truncate(0)


def carry_on(
    project: Project,
    release: str,
    *,
    log: Callable[[str, str], None],
    waits: Callable[[str, str], None],
    look: Callable[[], None],
) -> None:
    """Advances the release until it ends or halts.

    Args:
        project: whose release it is.
        release: its id.
        log: receives a task's id and each line of its output, from several threads.
        waits: receives a task's id and what it waits for.
        look: called after each turn.

    Raises:
        TransientError: another process carries it on.
    """
    from fairway.engine.releasing import Releaser

    bench = bench_of(project, log)
    with held(project, release) as (holder, epoch), ThreadPoolExecutor(64, "task") as threads:
        releaser = Releaser(bench, now, threads, waits)
        renewed = now()
        try:
            while True:
                wait = _advance(releaser, release, epoch)
                look()
                if wait is None:
                    return
                pause(wait)
                if not 0 <= now() - renewed < RENEW_EVERY:
                    renewed = now()
                    _renew(project, release, holder, epoch)
        except BaseException:
            bench.workshop.interrupt()
            raise


def _renew(project: Project, release: str, holder: str, epoch: int) -> None:
    if project.store.hold(release, holder, now=now(), ttl=LEASE) != epoch:
        raise PermanentError("stale-epoch", f"another process carries release {release} on by now")


def _advance(releaser: "Releaser", release: str, epoch: int) -> float | None:
    try:
        return releaser.advance(release, epoch)
    except TransientError as error:
        if error.code == "version-conflict":
            return 0.0
        # The journal could not be asked at the moment.
        return 0.5


def is_carried(project: Project, release: str) -> bool:
    """Some process of this machine carries the release on."""
    place = project.state / FOLDER / release / "holder"
    try:
        known = place.exists()
    except OSError:  # nothing can be called so
        known = False
    if not known:
        return False
    with place.open("rb") as file:
        return not take_lock(file, fcntl.LOCK_EX)


def find_lost(project: Project, release: str) -> list[tuple[str, str]]:
    """Tasks that were done and whose effects are gone, each with the reason; where nothing answers, none."""
    from fairway.engine.pipeline import TaskPerformance

    bench = bench_of(project, lambda _task, _line: None)
    state = bench.journal.load_release(release)
    performance = TaskPerformance(state, bench, now)
    lost = []
    for task in state.plan.tasks:
        if state.tasks[task.id].phase != "done":
            continue
        try:
            why = performance.find_lost(task)
        except FairwayError:
            continue
        if why is not None:
            lost.append((task.id, why))
    return lost


def log_path(project: Project, release: str, task: str) -> Path:
    """Where the output of a task is kept."""
    return workshop_of(project).log_of(f"{release}/{task}")
