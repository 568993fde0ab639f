"""What the branch policy and the calendar of a project allow; everything is loaded when it is asked."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fairway.bootstrap.ambient import now

if TYPE_CHECKING:
    from fairway.bootstrap.project import Project
    from fairway.domain.cadence.calendar import Calendar
    from fairway.domain.cadence.policy import CadencePolicy, Passage
    from fairway.domain.rollout.revision import Artifact
    from fairway.domain.rollout.spec import EnvironmentSpec
    from fairway.usecases.answers import Declined
    from fairway.usecases.branching.gate import BranchGate
    from fairway.usecases.cadence.gate import CadenceGate
    from fairway.usecases.releasing.start import Request


def branch_gate_of(project: "Project") -> "BranchGate | None":
    """What asks the branch policy; None where there is none."""
    policy = project.spec.branches
    if policy is None:
        return None
    from fairway.adapters.sources.git_branches import GitBranches
    from fairway.bootstrap.versioning import open_versioning
    from fairway.usecases.branching.gate import BranchGate

    by = open_versioning(project.config)
    return BranchGate(
        policy,
        by.spec.policy,
        GitBranches(project.folder),
        by.history.locate,
        lambda commit: _released_from(project, commit),
    )


def _released_from(project: "Project", commit: str) -> str | None:
    """The branch of the latest release of a commit, as it was recorded."""
    for one in project.store.list_releases(project.spec.service, limit=1000):
        if one.commit == commit:
            branch = project.store.load_release(one.id).plan.branch
            if branch:
                return branch
    return None


def calendar_of(policy: "CadencePolicy") -> "Calendar":
    """Windows and freezes, with the zone and the public holidays that they speak of."""
    from zoneinfo import ZoneInfo

    from fairway.adapters.calendars import LibraryCalendars
    from fairway.domain.cadence.calendar import Calendar

    return Calendar(policy, ZoneInfo(policy.time_zone), LibraryCalendars().list_holidays)


def cadence_gate_of(project: "Project") -> "CadenceGate | None":
    """What asks the calendar; None where there is none."""
    policy = project.spec.cadence
    if policy is None:
        return None
    from fairway.usecases.cadence.gate import CadenceGate

    return CadenceGate(calendar_of(policy), now)


def branches_of(project: "Project") -> "Callable[[EnvironmentSpec, Artifact], Declined | None] | None":
    """Says why an artifact may not go to an environment; None where any may."""
    if project.spec.branches is None:
        return None

    def find(environment: "EnvironmentSpec", artifact: "Artifact") -> "Declined | None":
        gate = branch_gate_of(project)
        return None if gate is None else gate.find_refusal(environment, artifact)

    return find


def cadence_of(project: "Project") -> "Callable[[str, Passage | None], Passage | Declined | None] | None":
    """Says whether a deployment may begin now; None where it always may."""
    if project.spec.cadence is None:
        return None

    def admit(environment: str, passage: "Passage | None") -> "Passage | Declined | None":
        gate = cadence_gate_of(project)
        return passage if gate is None else gate.admit_deployment(environment, passage)

    return admit


def release_branch_of(project: "Project") -> "Callable[[str, str, bool], str | Declined] | None":
    """The branch from which a version may be released, or why it may not; None where any will do."""
    if project.spec.branches is None:
        return None

    def find(version: str, commit: str, named: bool) -> "str | Declined":
        gate = branch_gate_of(project)
        return "" if gate is None else gate.find_branch(version, commit, named=named)

    return find


def release_cadence_of(project: "Project") -> "Callable[[Request], Passage | Declined | None] | None":
    """Says whether a release may begin now; None where it always may."""
    if project.spec.cadence is None:
        return None

    def admit(request: "Request") -> "Passage | Declined | None":
        gate = cadence_gate_of(project)
        if gate is None:
            return request.passage
        early = _is_prerelease(project, request.version)
        return gate.admit_release(request.version, request.passage, is_prerelease=early, to=request.deploy)

    return admit


def _is_prerelease(project: "Project", version: str) -> bool:
    """What the project's scheme cannot read counts as stable."""
    from fairway.bootstrap.versioning import open_versioning
    from fairway.domain.errors import UserError
    from fairway.domain.versioning.scheme import find_scheme

    policy = open_versioning(project.config).spec.policy
    try:
        return find_scheme(policy.scheme, policy.calver).parse(version).is_prerelease
    except UserError:
        return False
