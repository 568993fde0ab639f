"""The section `branches`: which branch may release what, to where."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from fairway.config.complaints import one_of
from fairway.config.document import Document
from fairway.config.problems import KeyPath, Problem
from fairway.config.section import Section
from fairway.config.types import Name, bare_word
from fairway.config.versioning import BranchPattern, Token
from fairway.domain.branching.policy import BranchPolicy, BranchRule
from fairway.domain.branching.ready import ready_rules

ANY = "*"
"""Among environments: all of them."""

BranchName = Annotated[str, Field(pattern=r"^[^\s~^:?*\\\[-][^\s~^:?*\\\[]*$")]


class BranchRuleSection(Section):
    """What the branches of one pattern may do. The first rule that has a branch counts."""

    branch: BranchPattern = Field(
        description="Name of the branch, or a pattern with `*`; a regular expression if it begins with `^`.",
        examples=["main", "release/*", "^v[0-9]+$"],
        min_length=1,
    )
    releases: list[Literal["stable", "hotfix", "pre"]] = Field(
        default_factory=list,
        description="What may be released there: `stable` releases, `hotfix` releases, which only raise the last "
        "number of a released version, and pre-releases (`pre`). By default nothing.",
        examples=[["stable", "pre"]],
    )
    tokens: list[Token] = Field(
        default_factory=list,
        description="Tokens of pre-releases that may be made there. By default any.",
        examples=[["rc"]],
    )
    environments: list[str] = Field(
        default_factory=list,
        description="Environments that commits of such a branch may go to; `*` is all of them. By default none.",
        examples=[["staging"]],
    )


class BranchesSection(Section):
    """Which branch may release what, to where."""

    policy: Literal["github-flow", "trunk", "gitflow", "own"] = Field(
        description="A ready policy, or `own`: only `rules` count.", examples=["github-flow"]
    )
    main: BranchName = Field(default="main", description="The main branch.", examples=["master"])
    develop: BranchName = Field(
        default="develop", description="The branch that work is gathered on, in gitflow.", examples=["develop"]
    )
    production: list[Name] | None = Field(
        default=None,
        description="The environments that users see. By default the one called `production`, and those after it, else "
        "the last one.",
        examples=[["production"]],
    )
    rules: list[BranchRuleSection] = Field(
        default_factory=list,
        description="Rules of your own, which count before those of the policy.",
        examples=[[{"branch": "demo/*", "environments": ["staging"]}]],
        max_length=100,
    )


AnyBranches = Annotated[BranchesSection, BeforeValidator(bare_word("policy"))]


def to_branches(section: BranchesSection | None, after: dict[str, str | None]) -> BranchPolicy | None:
    """The section in the words of the domain.

    Args:
        section: None where there is none.
        after: the environments in the order written, each with the one that it comes after.
    """
    if section is None:
        return None
    names, production = tuple(after), production_of(after, section.production)
    own = tuple(
        BranchRule(
            one.branch,
            tuple(one.releases),
            tuple(one.tokens),
            names if ANY in one.environments else tuple(one.environments),
        )
        for one in section.rules
    )
    ready: tuple[BranchRule, ...] = ()
    if section.policy != "own":
        ready = ready_rules(
            section.policy, main=section.main, develop=section.develop, environments=names, production=production
        )
    develop = section.develop if section.policy == "gitflow" else None
    return BranchPolicy(section.policy, (*own, *ready), section.main, develop, production)


def production_of(after: dict[str, str | None], named: list[str] | None = None) -> tuple[str, ...]:
    """The environments that users see.

    Args:
        after: the environments in the order written, each with the one that it comes after.
        named: what the file says; None: nothing.
    """
    if named is not None:
        return tuple(named)
    if "production" not in after:
        return tuple(after)[-1:]
    found = ["production"]
    for name, before in after.items():
        if before in found:
            found.append(name)
    return tuple(found)


def check_branches(document: Document, data: Any) -> Iterator[Problem]:
    """Environments that the section names and that are none; an own policy without rules."""
    section = data.get("branches")
    if not isinstance(section, dict):
        return
    environments = data.get("environments")
    known = list(environments) if isinstance(environments, dict) else []
    places: list[tuple[KeyPath, Any]] = [(("branches", "production"), section.get("production"))]
    rules = section.get("rules")
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            places.append((("branches", "rules", number, "environments"), rule.get("environments")))
    for path, names in places:
        for number, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str) and name not in known and (name != ANY or path[-1] == "production"):
                yield document.problem((*path, number), *one_of(name, "an environment of this file", known))
    if section.get("policy") == "own" and not rules:
        yield document.problem(("branches", "policy"), "an own policy without rules lets nobody release", "add rules")
