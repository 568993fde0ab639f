"""What commands about branches need, and where a branch is worked on."""

from collections.abc import Callable
from dataclasses import dataclass

from fairway.domain.branching.policy import BranchPolicy
from fairway.domain.branching.selection import Log
from fairway.domain.branching.work import Change
from fairway.domain.errors import UserError
from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.tags import Releases, read_tags
from fairway.ports.branches import Branches, Tip
from fairway.ports.history import History
from fairway.usecases.answers import Declined


@dataclass(frozen=True, slots=True)
class Live:
    """What an environment of production runs."""

    environment: str
    version: str
    commit: str


@dataclass(frozen=True, slots=True)
class BranchDesk:
    """What commands about branches need.

    Attributes:
        policy: None: none is configured.
        versioning: how versions are written.
        resolve: full object name of the commit that a version, tag, branch, (abbreviated) commit or `HEAD~1` names.
        live: what the environments of production run at present; empty where nothing is deployed.
    """

    policy: BranchPolicy | None
    versioning: Policy
    branches: Branches
    history: History
    resolve: Callable[[str], str]
    live: Callable[[], tuple[Live, ...]] = tuple

    @property
    def main(self) -> str:
        """The main branch.

        Raises:
            UserError: nothing says which it is.
        """
        found = self.policy.main if self.policy is not None else self.branches.find_main()
        if found is None:
            raise UserError(
                "no-main-branch", "nothing says which the main branch is", "set branches.main, or say --onto"
            )
        return found

    @property
    def integration(self) -> str:
        """The branch that finished work goes to."""
        return self.policy.integration if self.policy is not None else self.main

    def releases(self) -> Releases:
        """What the tags name."""
        scheme = find_scheme(self.versioning.scheme, self.versioning.calver)
        return read_tags(self.history.locate().tags, scheme, self.versioning)

    def log_of(self, commit: str) -> Log:
        """The commits that can be reached from one."""
        return Log.of(self.history.read([commit]))

    def base_of(self, branch: str) -> "Base | Declined":
        """Where work on the branch begins: its latest commit, here or as last seen in the remote repository.

        Raises:
            UserError: there is no such branch.
        """
        tip = self.branches.observe(branch)
        local, remote = tip.local, tip.remote
        if local is None and remote is None:
            raise UserError("unknown-branch", f"there is no branch {branch[:80]!r}", "git branch --all lists them")
        if local is None or remote is None or local == remote:
            return Base(branch, local or remote or "", tip)
        if self.history.holds(local, remote):
            return Base(branch, local, tip)
        if self.history.holds(remote, local):
            return Base(branch, remote, tip)
        sentence = f"branch {branch!r} and the one of the remote repository each have commits that the other lacks"
        return Declined("branch-diverged", sentence, f"bring them together first, as by git pull, on {branch}")


@dataclass(frozen=True, slots=True)
class Base:
    """A branch, and the commit that work on it begins at."""

    branch: str
    commit: str
    tip: Tip


def revert_of(commit: Commit) -> Change:
    """The change that takes a commit back."""
    return Change("revert", commit.id, commit.message.subject, commit.is_merge)
