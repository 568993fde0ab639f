"""Repositories with a history to be worked on, and the work."""

from fairway.adapters.sources.git import GitSource
from fairway.adapters.sources.git_branches import GitBranches
from fairway.adapters.sources.git_history import GitHistory
from fairway.adapters.sources.git_work import GitWork
from fairway.domain.branching.policy import BranchPolicy
from fairway.domain.branching.ready import ready_rules
from fairway.domain.versioning.policy import Policy
from fairway.usecases.branching.carry_out import carry_out
from fairway.usecases.branching.desk import BranchDesk
from fairway.usecases.branching.hotfix import Begin, Finish, plan_finish, plan_start
from fairway.usecases.branching.revert import Wanted, plan_revert
from git_history import History


class Repository(History):
    """A repository with a history to be worked on."""

    def write(self, message, tag=None, **files):
        """Commits changes of some files; underscores of names stand for dots."""
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        return self.record(tag=tag, message=message)

    def merge(self, branch, message):
        self.git("merge", "--quiet", "--no-ff", "-m", message, branch)
        return self.git("rev-parse", "HEAD")

    def desk(self, policy=None, live=(), scheme="semver"):
        source = GitSource(self.folder)
        return BranchDesk(
            policy,
            Policy(scheme=scheme),
            GitBranches(self.folder),
            GitHistory(self.folder),
            source.find_commit,
            lambda: tuple(live),
        )

    def do(self, plan, *, agree=lambda _: True, **of_desk):
        desk = self.desk(**of_desk)
        return carry_out(lambda: plan(desk), desk.branches, GitWork(self.folder), agree)

    def subjects(self, revision):
        return self.git("log", "--format=%s", revision).splitlines()

    def state(self):
        """Everything of a repository that a command could leave half done."""
        return (
            self.git("for-each-ref", "--format=%(refname) %(objectname)"),
            self.git("status", "--porcelain", "--branch"),
            self.git("worktree", "list", "--porcelain"),
            sorted(path.name for path in self.folder.glob("*")),
            sorted(path.name for path in (self.folder / ".git" / "fairway" / "work").glob("*") if path.is_dir()),
        )


def gitflow():
    rules = ready_rules("gitflow", main="main", develop="develop", environments=(), production=())
    return BranchPolicy("gitflow", rules, "main", "develop")


def revert(*commits, **others):
    return lambda desk: plan_revert(desk, Wanted(commits, **others))


def merged_revert(shop):
    shop.do(revert(requests=("12",)))
    return shop.merge("revert/12", "Merge pull request #15 from ann/revert")


def repaired(shop, release="1.0.0"):
    """A hotfix of 1.0.0 with one commit, and `main` checked out again."""
    shop.do(lambda desk: plan_start(desk, Begin(release=release)))
    shop.git("switch", "--quiet", "hotfix/1.0.1")
    shop.write("fix: the base", base="better\n")
    shop.git("switch", "--quiet", "main")


def finish(branch=None, push=None):
    return lambda desk: plan_finish(desk, Finish(branch, push))
