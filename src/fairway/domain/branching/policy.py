"""Which branch may release what, to where.

The first rule whose pattern has the branch counts; a branch that no rule has may do nothing. A stable release counts as
a hotfix as well if it only raises the last number of a version that was released.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

ReleaseKind = Literal["stable", "hotfix", "pre"]

#: Branches that are named as a way out.
_FEW = 3
_KINDS: dict[str, str] = {"stable": "stable releases", "hotfix": "hotfixes", "pre": "pre-releases"}


@dataclass(frozen=True, slots=True)
class BranchRule:
    """What the branches of one pattern may do.

    Attributes:
        branch: name, or a pattern with `*`; a regular expression if it begins with `^`.
        releases: the kinds of releases that may be made there.
        tokens: of pre-releases that may be made there, such as rc; empty: any.
        environments: where commits of such a branch may be deployed.
    """

    branch: str
    releases: tuple[ReleaseKind, ...] = ()
    tokens: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def has(self, branch: str) -> bool:
        """The branch is one of those."""
        if self.branch.startswith("^"):
            return re.search(self.branch, branch) is not None
        return fnmatchcase(branch, self.branch)

    def allows(self, release: "Candidate") -> bool:
        """Such a release may be made there."""
        if release.token:
            return "pre" in self.releases and (not self.tokens or release.token in self.tokens)
        return "stable" in self.releases or ("hotfix" in self.releases and release.fixes != "")

    @property
    def words(self) -> str:
        """What may be released there, in words."""
        kinds = [_KINDS[one] for one in self.releases]
        if self.tokens and "pre" in self.releases:
            kinds[self.releases.index("pre")] = f"pre-releases {', '.join(self.tokens)}"
        return _listed(kinds) or "nothing"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that somebody wants to make.

    Attributes:
        token: of the pre-release; empty: it is a stable one.
        fixes: the released version of which it only raises the last number; empty: there is none.
    """

    version: str
    token: str = ""
    fixes: str = ""

    def __str__(self) -> str:
        """The release in words."""
        return f"pre-release {self.version}" if self.token else f"stable release {self.version}"


@dataclass(frozen=True, slots=True)
class BranchPolicy:
    """The branches of a project.

    Attributes:
        name: `github-flow`, `trunk`, `gitflow`, or `own`.
        main: the branch that hotfixes are merged into.
        develop: the branch that they are merged into as well, and that other work goes to; None: `main` is that too.
        production: the environments that users see.
    """

    name: str
    rules: tuple[BranchRule, ...]
    main: str = "main"
    develop: str | None = None
    production: tuple[str, ...] = ()

    @property
    def integration(self) -> str:
        """The branch that finished work goes to."""
        return self.develop or self.main

    def rule_of(self, branch: str) -> BranchRule | None:
        """The rule that counts for a branch; None: it may do nothing."""
        return next((rule for rule in self.rules if rule.has(branch)), None)

    def find_releasing(self, branches: Iterable[str], release: Candidate) -> str | None:
        """The first of the branches that may make the release; None if none of them may."""
        return next((one for one in branches if (rule := self.rule_of(one)) and rule.allows(release)), None)

    def find_deploying(self, branches: Iterable[str], environment: str) -> str | None:
        """The first of the branches whose commits may go to the environment; None if none of them may."""
        rules = ((one, self.rule_of(one)) for one in branches)
        return next((one for one, rule in rules if rule is not None and environment in rule.environments), None)

    def explain_release(self, branches: tuple[str, ...], release: Candidate) -> tuple[str, str]:
        """Why none of the branches may make the release, and what to do about it."""
        rule = self.rule_of(branches[0])
        may = f"it may release {rule.words}" if rule is not None else "no rule has it"
        if rule is not None and "hotfix" in rule.releases and not release.token:
            may += ", which raise only the last number of a released version"
        sentence = f"{_named(branches)} may not make {release} under the branch policy {self.name}: {may}"
        able = [one.branch for one in self.rules if one.allows(release)]
        pre = rule is not None and "pre" in rule.releases and not release.token
        other = f", or make a pre-release by --pre {rule.tokens[0] if rule and rule.tokens else 'TOKEN'}" if pre else ""
        if not able:
            return sentence, f"no branch may: change branches in fairway.yaml{other}"
        return sentence, f"merge it into {_either(able[:_FEW])} and release there{other}"

    def explain_deploy(self, branches: tuple[str, ...], environment: str, what: str) -> tuple[str, str]:
        """Why what lies on these branches may not go to the environment, and what to do about it."""
        rule = self.rule_of(branches[0])
        places = _listed(rule.environments) if rule is not None else ""
        may = f"it may go to {places}" if places else "it may go nowhere"
        sentence = (
            f"{what} lies on {_named(branches)}, which may not go to {environment} under the branch policy "
            f"{self.name}: {may}"
        )
        able = [one.branch for one in self.rules if environment in one.environments]
        if not able:
            return sentence, "no branch may go there: change branches in fairway.yaml"
        return sentence, f"merge it into {_either(able[:_FEW])}, and deploy what lies there"


def _named(branches: tuple[str, ...]) -> str:
    first = f"branch {branches[0][:80]!r}"
    return first if len(branches) == 1 else f"{first} (and {len(branches) - 1} more)"


def _listed(words: Iterable[str]) -> str:
    *others, last = list(words) or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
