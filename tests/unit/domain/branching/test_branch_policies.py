"""What the ready policies and rules of the user's own allow."""

import pytest

from fairway.domain.branching.policy import BranchPolicy, BranchRule, Candidate
from fairway.domain.branching.ready import ready_rules

PLACES = ("staging", "production")
STABLE, REPAIR, RC = Candidate("1.3.0"), Candidate("1.2.1", fixes="1.2.0"), Candidate("1.3.0-rc.1", token="rc")


def policy(name):
    rules = ready_rules(name, main="main", develop="develop", environments=PLACES, production=("production",))
    return BranchPolicy(name, rules, production=("production",))


def told(name, branch):
    """What a branch may release, and where its commits may go."""
    rules = policy(name)
    releases = [
        word
        for word, one in (("stable", STABLE), ("hotfix", REPAIR), ("pre", RC))
        if rules.find_releasing([branch], one)
    ]
    return releases, [place for place in PLACES if rules.find_deploying([branch], place)]


@pytest.mark.parametrize(
    ("name", "branch", "releases", "places"),
    [
        ("github-flow", "main", ["stable", "hotfix", "pre"], ["staging", "production"]),
        ("github-flow", "feat/search", [], ["staging"]),
        ("github-flow", "hotfix/1.2.1", ["hotfix", "pre"], ["staging", "production"]),
        ("github-flow", "release/1.3.0", ["stable", "hotfix", "pre"], ["staging", "production"]),
        ("github-flow", "1.x", ["stable", "hotfix", "pre"], ["staging", "production"]),
        ("trunk", "release-1.9", ["stable", "hotfix", "pre"], ["staging", "production"]),
        ("trunk", "main", ["stable", "hotfix", "pre"], ["staging", "production"]),
        ("trunk", "anna/quick", [], []),
        ("trunk", "hotfix/1.2.1", ["hotfix"], ["staging", "production"]),
        ("trunk", "release/1.2", ["stable", "hotfix", "pre"], ["staging", "production"]),
        ("gitflow", "main", ["stable", "hotfix"], ["staging", "production"]),
        ("gitflow", "develop", ["pre"], ["staging"]),
        ("gitflow", "release/1.3.0", ["pre"], ["staging"]),
        ("gitflow", "hotfix/1.2.1", ["pre"], ["staging"]),
        ("gitflow", "support/1.x", ["stable", "hotfix", "pre"], ["staging", "production"]),
        ("gitflow", "feature/search", [], []),
    ],
)
def test_a_ready_policy_allows(name, branch, releases, places):
    assert told(name, branch) == (releases, places)


def test_the_first_rule_that_has_a_branch_counts():
    rules = (BranchRule("demo/*", environments=("staging",)), BranchRule("*", ("stable",)))
    own = BranchPolicy("own", rules)
    assert own.find_releasing(["demo/a"], STABLE) is None
    assert own.find_releasing(["other"], STABLE) == "other"


def test_a_branch_that_no_rule_has_may_do_nothing():
    own = BranchPolicy("own", (BranchRule("main", ("stable",), environments=PLACES),))
    assert own.find_deploying(["feature"], "staging") is None
    sentence, _ = own.explain_release(("feature",), STABLE)
    assert "no rule has it" in sentence


def test_only_named_tokens_are_released():
    own = BranchPolicy("own", (BranchRule("main", ("pre",), tokens=("beta",)),))
    assert own.find_releasing(["main"], RC) is None
    assert own.find_releasing(["main"], Candidate("1.3.0-beta.1", token="beta")) == "main"


def test_a_rule_may_be_a_regular_expression():
    own = BranchPolicy("own", (BranchRule("^v[0-9]+$", ("stable",)),))
    assert own.find_releasing(["v12"], STABLE) == "v12"
    assert own.find_releasing(["v12-next"], STABLE) is None


def test_of_several_branches_one_that_may_is_enough():
    assert policy("gitflow").find_deploying(["feature/a", "main"], "production") == "main"


def test_a_refusal_names_branch_policy_and_way_out():
    sentence, hint = policy("gitflow").explain_release(("develop",), STABLE)
    assert sentence == (
        "branch 'develop' may not make stable release 1.3.0 under the branch policy gitflow: "
        "it may release pre-releases"
    )
    assert hint == "merge it into main or support/* and release there, or make a pre-release by --pre TOKEN"


def test_a_refused_deployment_names_where_it_may_go():
    sentence, hint = policy("github-flow").explain_deploy(("feat/a",), "production", "1.3.0-rc.1")
    assert sentence == (
        "1.3.0-rc.1 lies on branch 'feat/a', which may not go to production under the branch policy github-flow: "
        "it may go to staging"
    )
    assert hint == "merge it into main, release/* or hotfix/*, and deploy what lies there"
