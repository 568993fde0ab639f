"""Histories written as stories, each line a step or a question; made into real repositories without a work tree.

a: commit feat: one\\n\\nbody      a commit on the present branch, which may be named
branch topic [from]               a new branch, here or there, which becomes the present one
checkout main
merge topic [message]             a merge commit of that branch into the present one
forward main                      the present branch is moved to that one
tag v1.0.0 [a]
revert a [message]                what git revert writes
pick a                            a copy of that commit, with its author and time
delete topic                      the branch is gone, its commits are not
odd v9.0.0                        a tag on something that is no commit
shallow                           everything below the present commit is cut off
detach                            no branch is checked out
next [options] -> 1.1.0           the next version, or `nothing`, `refused CODE`, `error CODE`
why -> text                       a part of the last answer's sentence or of a rule in it
notes v1.1.0 -> one; two          the entries of a release, in the order of the changelog; `unreleased` for the rest
"""

import argparse
import datetime
import subprocess
from pathlib import Path

from fairway.adapters.sources.git_history import GitHistory
from fairway.config.load_versioning import load_versioning
from fairway.domain.errors import FairwayError
from fairway.domain.versioning.decision import Asked
from fairway.domain.versioning.level import LEVELS
from fairway.domain.versioning.spec import VersioningSpec
from fairway.usecases.versioning.changelog import read_changelog
from fairway.usecases.versioning.next_version import Answer, Question, next_version
from git_history import History

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
DAY = datetime.date(2026, 11, 21)

_options = argparse.ArgumentParser(exit_on_error=False, add_help=False)
for _name in ("pre", "channel", "bump", "release-as", "build", "branch", "day"):
    _options.add_argument(f"--{_name}")


class Story:
    """A history in the making."""

    def __init__(self, folder: Path, config: Path | None = None) -> None:
        self.folder = folder
        self._history = History(folder)
        self._git = self._history.git
        self._branch = "main"
        self._tips: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._written: dict[str, tuple[str, str]] = {}
        self._clock = 1_700_000_000
        self._spec = load_versioning(config) if config else VersioningSpec()
        self._answer: Answer | None = None
        self._said = ""

    def tell(self, line: str) -> None:
        """Performs one line; a question that is answered otherwise fails."""
        label, _, rest = line.partition(": ")
        name = label if label.isidentifier() and rest.split(" ")[0] in ("commit", "merge", "revert", "pick") else ""
        verb, _, rest = (rest if name else line).partition(" ")
        getattr(self, f"do_{verb}")(rest)
        if name:
            self._labels[name] = self._tips[self._branch]

    def _write(self, message: str, parents: list[str], author: tuple[str, str] | None = None) -> None:
        self._clock += 60
        when = f"{self._clock} +0000"
        given = [part for one in parents for part in ("-p", one)]
        text = message.replace("\\n", "\n")
        dates = {"GIT_AUTHOR_DATE": author[1] if author else when, "GIT_COMMITTER_DATE": when}
        made = subprocess.run(
            ["git", "commit-tree", EMPTY_TREE, *given, "-F", "-"],
            cwd=self.folder,
            input=text.encode(),
            capture_output=True,
            check=True,
            env={
                "PATH": "/usr/bin:/bin:/usr/local/bin",
                **{f"GIT_{who}_NAME": "A Tester" for who in ("AUTHOR", "COMMITTER")},
                **{f"GIT_{who}_EMAIL": "tester@example.org" for who in ("AUTHOR", "COMMITTER")},
                **dates,
            },
        ).stdout.decode()
        commit = made.strip()
        self._written[commit] = (text, dates["GIT_AUTHOR_DATE"])
        self._tips[self._branch] = commit

    def _here(self) -> list[str]:
        return [self._tips[self._branch]] if self._branch in self._tips else []

    def do_commit(self, rest: str) -> None:
        self._write(rest, self._here())

    def do_branch(self, rest: str) -> None:
        name, _, start = rest.partition(" ")
        tip = self._labels.get(start) or self._tips.get(start or self._branch)
        assert tip is not None, f"no branch or label {start}"
        self._branch, self._tips[name] = name, tip

    def do_checkout(self, rest: str) -> None:
        assert rest in self._tips, f"no branch {rest}"
        self._branch = rest

    def do_merge(self, rest: str) -> None:
        name, _, message = rest.partition(" ")
        self._write(message or f"Merge branch '{name}' into {self._branch}", [*self._here(), self._tips[name]])

    def do_forward(self, rest: str) -> None:
        self._tips[self._branch] = self._tips[rest]

    def do_tag(self, rest: str) -> None:
        name, _, label = rest.partition(" ")
        self._sync()
        self._git("tag", name, self._labels[label] if label else self._tips[self._branch])

    def do_odd(self, rest: str) -> None:
        self._git("tag", rest, EMPTY_TREE)

    def do_revert(self, rest: str) -> None:
        label, _, message = rest.partition(" ")
        commit = self._labels[label]
        subject = self._written[commit][0].partition("\n")[0]
        self._write(message or f'Revert "{subject}"\n\nThis reverts commit {commit}.\n', self._here())

    def do_pick(self, rest: str) -> None:
        message, when = self._written[self._labels[rest]]
        self._write(message, self._here(), ("A Tester", when))

    def do_delete(self, rest: str) -> None:
        self._sync()
        self._git("update-ref", "-d", f"refs/heads/{rest}")
        del self._tips[rest]

    def do_shallow(self, rest: str) -> None:
        self._sync()
        (self.folder / ".git/shallow").write_text(self._tips[self._branch] + "\n")

    def do_detach(self, rest: str) -> None:
        self._sync()
        (self.folder / ".git/HEAD").write_text(self._tips[self._branch] + "\n")
        self._branch = ""

    def _sync(self) -> None:
        """Tells git of the branches."""
        updates = "".join(f"update refs/heads/{name} {tip}\n" for name, tip in self._tips.items())
        self._git("update-ref", "--stdin", stdin=updates)
        if self._branch:
            self._git("symbolic-ref", "HEAD", f"refs/heads/{self._branch}")

    def do_next(self, rest: str) -> None:
        options, _, expected = rest.partition("->")
        given = _options.parse_args(options.split())
        if self._tips:
            self._sync()
        level = LEVELS["patch" if given.bump == "hotfix" else given.bump] if given.bump else None
        asked = Asked(level, given.release_as or "", given.build or "")
        pre = "" if given.pre == "stable" else given.pre
        day = datetime.date.fromisoformat(given.day) if given.day else DAY
        history = GitHistory(self.folder, branch=given.branch)
        try:
            self._answer = next_version(history, self._spec.policy, Question(asked, pre, given.channel), day)
        except FairwayError as error:
            found, self._said = f"error {error.code}", f"{error.message} {error.hint}"
        else:
            decision = self._answer.decision
            found = str(decision.version or (f"refused {decision.refusal}" if decision.refusal else "nothing"))
            self._said = "\n".join([decision.sentence, *(f"{one.rule}" for one in decision.weighed)])
        assert found == expected.strip(), f"next {options.strip()}: {found}, not {expected.strip()}: {self._said}"

    def do_why(self, rest: str) -> None:
        wanted = rest.removeprefix("-> ")
        assert wanted in self._said, f"{wanted!r} is not in {self._said!r}"

    def do_notes(self, rest: str) -> None:
        name, _, expected = rest.partition(" -> ")
        self._sync()
        log = read_changelog(GitHistory(self.folder), self._spec.policy, fold=self._spec.pre_releases == "fold")
        release = next(one for one in log.releases if (one.tag or "unreleased") == name)
        found = [entry.description for section in release.sections for entry in section.entries]
        wanted = [one.strip() for one in expected.split(";") if one.strip()]
        assert found == wanted, f"{name}: {found}, not {wanted}"
