"""Which branch a commit counts as of, in real repositories."""

from dataclasses import replace

import pytest

from fairway.adapters.sources.git_branches import GitBranches
from fairway.adapters.sources.git_history import GitHistory
from fairway.domain.branching.policy import BranchPolicy
from fairway.domain.branching.ready import ready_rules
from fairway.domain.errors import UserError
from fairway.domain.versioning.policy import Policy
from fairway.usecases.answers import Declined
from fairway.usecases.branching.gate import BranchGate
from git_history import History
from rollout_samples import ENVIRONMENT, artifact


class Repository(History):
    """Asks the policy `github-flow`, or another one, about its commits."""

    recorded: str | None = None

    def gate(self, name="github-flow", build=None):
        places = ("staging", "production")
        rules = ready_rules(name, main="main", develop="develop", environments=places, production=places[1:])
        history = GitHistory(self.folder, build=build)
        policy = BranchPolicy(name, rules, production=places[1:])
        return BranchGate(policy, Policy(), GitBranches(self.folder), history.locate, lambda _: self.recorded)

    def deploys(self, commit):
        return self.gate().find_refusal(ENVIRONMENT, replace(artifact("1.0.0"), commit=commit))


@pytest.fixture
def shop(tmp_path):
    made = Repository(tmp_path / "shop")
    made.release("1.0.0", {"a": "1"})
    return made


def test_a_commit_that_was_merged_counts_as_of_the_main_branch(shop):
    shop.git("switch", "--quiet", "--create", "feature")
    commit = shop.commit({"a": "2"})
    assert shop.deploys(commit).code == "branch-deploy"
    shop.git("branch", "--force", "main", "feature")
    assert shop.deploys(commit) is None


def test_a_branch_of_the_remote_repository_counts(shop):
    shop.git("switch", "--quiet", "--detach")
    commit = shop.commit({"a": "2"})
    shop.git("update-ref", "refs/remotes/origin/main", commit)
    assert shop.deploys(commit) is None


def test_where_the_branch_is_gone_the_record_of_the_release_counts(shop):
    shop.git("switch", "--quiet", "--detach")
    commit = shop.commit({"a": "2"}, tag="v1.0.1")
    refused = shop.deploys(commit)
    assert refused.code == "no-branch-holds"
    assert "git branch NAME COMMIT" in refused.hint
    shop.recorded = "hotfix/1.0.1"
    assert shop.deploys(commit) is None


def test_what_is_checked_out_counts_and_not_what_else_holds_the_commit(shop):
    shop.git("switch", "--quiet", "--create", "feature")
    head = shop.git("rev-parse", "HEAD")
    assert isinstance(shop.gate().find_branch("1.1.0", head, named=False), Declined)
    assert shop.gate().find_branch("1.1.0", head, named=True) == "main"


def test_a_build_machine_says_the_branch_of_a_bare_commit(shop):
    shop.git("switch", "--quiet", "--detach")
    head = shop.commit({"a": "2"})
    assert shop.gate(build="main").find_branch("1.1.0", head, named=False) == "main"


def test_only_a_step_of_the_last_number_is_a_hotfix(shop):
    shop.git("switch", "--quiet", "--create", "hotfix/1.0.1")
    head = shop.git("rev-parse", "HEAD")
    asked = shop.gate("trunk")
    assert asked.find_branch("1.0.1", head, named=False) == "hotfix/1.0.1"
    for version in ("1.1.0", "2.0.0", "0.9.9", "1.0.1-rc.1"):
        assert isinstance(asked.find_branch(version, head, named=False), Declined)


def test_what_is_no_version_is_refused(shop):
    with pytest.raises(UserError):
        shop.gate().find_branch("soon", shop.git("rev-parse", "HEAD"), named=False)
