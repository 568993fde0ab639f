"""Recorded histories, rebuilt with plain git, and what the tool says at each release."""

import datetime
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from fairway.adapters.sources.git_history import GitHistory
from fairway.domain.versioning.decision import Asked
from fairway.domain.versioning.policy import Channel, Policy
from fairway.usecases.versioning.next_version import Question, next_version

DATA = Path(__file__).parents[3] / "shared" / "data" / "versioning"
DAY = datetime.date(2026, 11, 21)


class Outcome(NamedTuple):
    """What was recorded, and what was said."""

    branch: str
    recorded: str
    said: str
    why: str


class Recording:
    """One history in the making."""

    def __init__(self, steps: list[dict[str, Any]], folder: Path) -> None:
        self._steps, self._folder = steps, folder
        self._clock, self._files, self._place = 1_700_000_000, 0, "."
        self._rules: dict[str, dict[str, Any]] = {}
        folder.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")

    def replay(self) -> Iterator[Outcome]:
        """The outcome of each release, as it comes."""
        for step in self._steps:
            yield from self._perform(step)

    def _git(self, *arguments: str) -> str:
        self._clock += 1
        who = {f"GIT_{one}_{what}": "a@b.example" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        when = {f"GIT_{one}_DATE": f"{self._clock} +0000" for one in ("AUTHOR", "COMMITTER")}
        none = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self._folder,
            env=os.environ | who | when | none,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.strip()

    def _perform(self, step: dict[str, Any]) -> Iterator[Outcome]:
        action, details = step["action"], step["details"]
        if action == "RELEASE":
            yield self._release(details)
            return
        for inner in details.get("pre_actions", []):
            yield from self._perform(inner)
        getattr(self, f"_do_{action.lower()}")(details)
        for inner in details.get("post_actions", []):
            yield from self._perform(inner)

    def _do_configure(self, details: dict[str, Any]) -> None:
        self._rules[details["tag_format_str"] or ""] = details

    _do_configure_monorepo = _do_configure

    def _do_create_monorepo(self, details: dict[str, Any]) -> None:
        """Its packages come as further actions."""

    def _do_write_changelogs(self, details: dict[str, Any]) -> None:
        """Their text is another tool's."""

    def _do_change_directory(self, details: dict[str, Any]) -> None:
        self._place = details["directory"].lstrip("/") or "."

    def _do_make_commits(self, details: dict[str, Any]) -> None:
        for commit in details["commits"]:
            self._files += 1
            self._write(f"{self._place}/{'other' if self._place == '.' else 'src'}/{self._files}.txt")
            self._git("commit", "--quiet", "--message", commit["msg"])

    def _do_git_checkout(self, details: dict[str, Any]) -> None:
        if "create_branch" in details:
            made = details["create_branch"]
            self._git("checkout", "--quiet", "-b", made["name"], made["start_branch"])
        else:
            self._git("checkout", "--quiet", details["branch"])

    def _do_git_merge(self, details: dict[str, Any]) -> None:
        if details.get("fast_forward"):
            self._git("merge", "--quiet", "--ff", details["branch_name"])
        else:
            message = details["commit_def"]["msg"]
            self._git("merge", "--quiet", "--no-ff", "--message", message, details["branch_name"])

    def _do_git_squash(self, details: dict[str, Any]) -> None:
        self._git("merge", "--quiet", "--squash", "--strategy-option=theirs", details["branch"])
        self._git("commit", "--quiet", "--message", details["commit_def"]["msg"])

    def _write(self, name: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{self._clock}\n")
        self._git("add", "--all")

    def _release(self, details: dict[str, Any]) -> Outcome:
        rules = self._rules.get(details["tag_format"]) or next(iter(self._rules.values()))
        recorded, branch = details["version"], self._git("symbolic-ref", "--short", "HEAD")
        policy = policy_of(rules)
        own = next((one.pre for one in policy.channels if one.has(branch)), None)
        token = recorded.partition("+")[0].partition("-")[2].rpartition(".")[0]
        question = Question(Asked(build=recorded.partition("+")[2]), pre=None if token == own else token)
        decision = next_version(GitHistory(self._folder), policy, question, DAY).decision
        self._write(f"{rules.get('package_dir', '.')}/VERSION")
        form = details.get("commit_message_format", "{version}\n\nAutomatically generated")
        self._git("commit", "--quiet", "--message", form.replace("{version}", recorded))
        self._git("tag", "--message", recorded, details["tag_format"].format(version=recorded))
        return Outcome(branch, recorded, str(decision.version), decision.sentence)


def policy_of(rules: dict[str, Any]) -> Policy:
    """The rules of the recording in ours; what its tool calls no version below 1 is a first version here."""
    given = {key.partition("semantic_release.")[2]: value for key, value in rules["extra_configs"].items()}
    channels = [
        Channel(one["match"], key.partition(".")[2], one.get("prerelease_token", "rc") if one["prerelease"] else "")
        for key, one in given.items()
        if key.startswith("branches.")
    ]
    from_zero = given.get("allow_zero_version", False)
    package = rules.get("package_name")
    return Policy(
        tag=rules["tag_format_str"] or "",
        channels=tuple(channels),
        initial="" if from_zero else "1.0.0",
        zero="major" if from_zero else "never",
        paths=(rules["package_dir"], f"docs/source/{package}") if package else (),
        scope=f"{package}(-.*)?" if package else "",
    )


def load(name: str) -> Any:
    """A file of the data."""
    return json.loads((DATA / name).read_text())
