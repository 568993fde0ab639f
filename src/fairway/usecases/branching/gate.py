"""What a branch may not do is refused, before anything is built, published or deployed."""

from collections.abc import Callable
from dataclasses import dataclass

from fairway.domain.branching.policy import BranchPolicy, Candidate
from fairway.domain.rollout.revision import Artifact
from fairway.domain.rollout.spec import EnvironmentSpec
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.scheme import Version, find_scheme
from fairway.domain.versioning.tags import Tagged, read_tags
from fairway.ports.branches import Branches
from fairway.ports.history import Place
from fairway.usecases.answers import Declined


@dataclass(frozen=True, slots=True)
class BranchGate:
    """Asks the branch policy.

    Attributes:
        versioning: how versions are written.
        locate: where the repository stands.
        released_from: branch of the release that was made of a commit, as recorded; None: there is none.
    """

    policy: BranchPolicy
    versioning: Policy
    branches: Branches
    locate: Callable[[], Place]
    released_from: Callable[[str], str | None]

    def find_branch(self, version: str, commit: str, *, named: bool) -> str | Declined:
        """The branch that the version may be released from.

        Args:
            version: without the words around it in the tag.
            commit: full object name.
            named: the commit was asked for, so that any branch that holds it will do; else it is what is checked out.

        Raises:
            UserError: it is no version.
            PermanentError: the clone is shallow, or there is no repository.
        """
        place = self.locate()
        own = place.branch if not named and place.head == commit else None
        branches = (own,) if own is not None else self.branches.holding(commit)
        if not branches:
            return self._homeless(commit[:12])
        candidate = self._candidate(version, place)
        found = self.policy.find_releasing(branches, candidate)
        if found is not None:
            return found
        return Declined("branch-release", *self.policy.explain_release(branches, candidate))

    def find_refusal(self, environment: EnvironmentSpec, artifact: Artifact) -> Declined | None:
        """Why an artifact may not go to the environment; None if it may.

        What was built elsewhere is of no commit; it counts as of the branch that is checked out.
        """
        branches = self.branches.holding(artifact.commit) if artifact.commit else self._checked_out()
        if not branches:
            recorded = self.released_from(artifact.commit) if artifact.commit else None
            branches = () if recorded is None else (recorded,)
        if not branches:
            return self._homeless(f"{artifact.version} ({artifact.commit[:12]})")
        if self.policy.find_deploying(branches, environment.name) is not None:
            return None
        return Declined("branch-deploy", *self.policy.explain_deploy(branches, environment.name, artifact.version))

    def _checked_out(self) -> tuple[str, ...]:
        branch = self.locate().branch
        return () if branch is None else (branch,)

    def _homeless(self, what: str) -> Declined:
        sentence = f"no branch holds {what}, so that the branch policy {self.policy.name} cannot tell what it may do"
        return Declined(
            "no-branch-holds", sentence, "fetch the branch that it is on, or make one: git branch NAME COMMIT"
        )

    def _candidate(self, text: str, place: Place) -> Candidate:
        scheme = find_scheme(self.versioning.scheme, self.versioning.calver)
        version = scheme.parse(text)
        if version.is_prerelease:
            counted = version.counted
            return Candidate(text, counted.token if counted is not None else "pre")
        stable = read_tags(place.tags, scheme, self.versioning).stable
        repaired = next((one for one in stable if self._repairs(version, one)), None)
        return Candidate(text, fixes="" if repaired is None else str(repaired.version))

    def _repairs(self, version: Version, released: Tagged) -> bool:
        """Only the last number is higher. Of calendar versions any later one may be a repair."""
        if not released.version.order < version.order:
            return False
        if self.versioning.scheme == "calver":
            return True
        numbers, before = ((*getattr(one, "release", ()), 0, 0)[:2] for one in (version, released.version))
        return numbers == before
