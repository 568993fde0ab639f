"""The history of a git repository.

A release is named by a version (`1.2.3` and `v1.2.3` mean the tag `v1.2.3` or `1.2.3`), a tag, a branch, `HEAD`, or a
full or abbreviated commit. Expressions such as `main~2` are refused: a release is a thing that has a name. A name that
means two different commits is refused too, whatever git's own order of preference: which code goes to production is
never decided by a rule that nobody remembers.
"""

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from fairway.adapters.sources.git_export import export_tree
from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.errors import PermanentError, UserError
from fairway.ports.artifacts import Commit

_LONGEST_NAME = 200
_SHORT = 12
_HEX = re.compile(r"[0-9a-fA-F]{4,64}")
_VERSION = re.compile(r"v?\d+(\.\d+)+([-+.][0-9A-Za-z.+-]+)?")
# Steps from a commit to its ancestors: `HEAD~2`, `main^`, `v1.0.0^2~`.
_STEPS = re.compile(r"(?P<name>.+?)(?P<steps>([~^]\d{0,9})+)")
# What git itself forbids in the name of a reference, plus a leading dash, which other programs read as an option.
_NOT_A_NAME = re.compile(r"^-|^/|/$|//|\.\.|@\{|[\x00-\x20\x7f~^:?*\[\\]|\.$|\.lock$|^@$")


@dataclass(frozen=True, slots=True)
class _Match:
    """One thing that has the name that was asked for."""

    kind: str
    name: str
    commit: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.commit[:_SHORT]})"


class GitSource:
    """The repository that a folder lies in; implements `Source`.

    If the folder is not the top of its repository, only what lies below the folder is exported: a service of its own
    in a repository of several.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._git = GitProcess(folder)

    def resolve(self, release: str) -> Commit:
        """The commit that a version, tag, branch, `HEAD` or (abbreviated) commit names.

        The version is the tag without a leading `v`. A branch, `HEAD` or a commit has the version of the tag that
        lies exactly on it, if that looks like a version (the highest of several), else the commit's first 12 digits.
        """
        _refuse_hostile(release)
        self._require_repository()
        matches = self._named(release) or self._abbreviated(release)
        if not matches:
            raise self._unknown(release)
        if len({match.commit for match in matches}) > 1:
            raise UserError(
                "ambiguous-release",
                f'"{release}" names more than one commit: {", ".join(str(match) for match in matches[:8])}',
                "name the full commit, or delete the name that is wrong",
            )
        chosen = matches[0]
        tag = chosen.name if chosen.kind == "tag" else None
        version = tag or self._tag_on(chosen.commit) or chosen.commit[:_SHORT]
        subject, committed = self._describe(chosen.commit)
        return Commit(chosen.commit, _without_v(version), tag, subject, committed)

    def find_commit(self, name: str) -> str:
        """Full object name of the commit that a name means, or steps from one such as `HEAD~1` and `main^2`.

        For commits that are worked with; what is released or deployed has a name of its own.

        Raises:
            UserError: there is none.
        """
        stepped = _STEPS.fullmatch(name)
        if stepped is None:
            return self.resolve(name).id
        asked = f"{self.resolve(stepped['name']).id}{stepped['steps']}^{{commit}}"
        status, found, _ = self._git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", asked)
        if status != 0:
            raise UserError("unknown-commit", f"{name[:60]!r} names no commit", "git log --graph shows which there are")
        return found.decode().strip()

    def export(self, commit: str, folder: str) -> None:
        """Writes exactly the committed content into the folder, which is empty or does not exist.

        Bytes are taken from the objects themselves: no filter, no conversion of line ends, no `export-ignore`, no
        hook. Files carry the time of the commit. Submodules are exported too where the repository has them.

        Raises:
            UserError: the commit does not hold the folder of this service.
            PermanentError: the commit is not there, or needs git-lfs or a submodule that is not there.
            TransientError: the disk is full.
        """
        prefix = self._require_repository()
        if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
            raise UserError("unknown-commit", f'"{commit[:80]}" is not a full object name of a commit')
        export_tree(self._git, commit, prefix, Path(folder), self._describe(commit)[1])

    def knows(self, commit: str) -> bool:
        """True if the commit is part of the history: reachable from a branch, a tag or `HEAD`.

        An object that merely still lies in the repository, as after a deleted branch, is not.
        """
        self._require_repository()
        if not _HEX.fullmatch(commit) or not self._abbreviated(commit):
            return False
        unreached = self._git.run("rev-list", "--max-count=1", commit.lower(), "--not", "--all", "--")
        return not unreached

    def is_dirty(self) -> bool:
        """True if files that git knows have changes that no commit holds; they are never deployed."""
        if self._is_bare():
            return False
        changes = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=none", "--", ".")
        return bool(self._git.run(*changes))

    def list_new_files(self) -> tuple[str, ...]:
        """Files and folders that git was not told of and does not ignore, relative to the folder; never deployed."""
        if self._is_bare():
            return ()
        found = self._git.run("ls-files", "--others", "--exclude-standard", "--directory", "-z", "--", ".")
        return tuple(os.fsdecode(name) for name in found.split(b"\0") if name)

    def _is_bare(self) -> bool:
        self._require_repository()
        return self._git.run("rev-parse", "--is-bare-repository").strip() == b"true"

    def _require_repository(self) -> str:
        """The path from the top of the repository to the folder, with a trailing slash, empty at the top."""
        status, output, complaint = self._git.attempt("rev-parse", "--show-prefix")
        if status == 0:
            return os.fsdecode(output.removesuffix(b"\n"))
        hint = "name the folder of the repository, or create one with git init"
        if "dubious ownership" in complaint:
            # git refuses what belongs to another account, as in a container or under sudo; no exit status tells that.
            hint = "if you trust its owner: git config --global --add safe.directory FOLDER, with the folder named here"
        sentence = f'"{self._folder}" is not a git repository that can be read: {complaint}'
        raise PermanentError("no-repository", sentence, hint)

    def _named(self, release: str) -> list[_Match]:
        """Tags first, then branches, then remote branches; `HEAD` alone means the checked out commit."""
        if release == "HEAD":
            names = [("commit", "HEAD", "HEAD")]
        else:
            others = [_without_v(release)] if _without_v(release) != release else [f"v{release}"]
            tags = [release, *(others if _VERSION.fullmatch(release) else [])]
            names = [("tag", tag, f"refs/tags/{tag}") for tag in tags]
            names += [("branch", release, f"refs/heads/{release}"), ("branch", release, f"refs/remotes/{release}")]
        objects = self._objects([reference for _, _, reference in names])
        commits = self._objects([f"{reference}^{{commit}}" for _, _, reference in names])
        matches = []
        for (kind, name, _), found, commit in zip(names, objects, commits, strict=True):
            if commit:
                matches.append(_Match(kind, name, commit[0]))
            elif found:
                raise UserError("not-a-commit", f'{kind} "{name}" names a {found[1]}, not a commit')
        # Forty digits are that object, even if somebody made a branch of that name.
        return [] if len(release) >= 40 and self._abbreviated(release) else matches

    def _abbreviated(self, release: str) -> list[_Match]:
        if not _HEX.fullmatch(release):
            return []
        listed = self._git.run("rev-parse", f"--disambiguate={release.lower()}").decode().split()
        found = self._objects(listed)
        return [_Match("commit", item[0][:_SHORT], item[0]) for item in found if item and item[1] == "commit"]

    def _objects(self, names: list[str]) -> list[tuple[str, str] | None]:
        """Object name and type of each, None where there is nothing."""
        asked = "".join(f"{name}\n" for name in names)
        lines = self._git.run("cat-file", "--batch-check", stdin=os.fsencode(asked)).split(b"\n")
        return [_object(line) for line in lines[: len(names)]]

    def _tag_on(self, commit: str) -> str | None:
        listed = self._git.run(
            *("-c", "versionsort.suffix=-"),
            *("for-each-ref", f"--points-at={commit}", "--sort=-version:refname", "--format=%(refname:strip=2)"),
            "refs/tags",
        )
        tags = os.fsdecode(listed).split("\n")
        return next((tag for tag in tags if _VERSION.fullmatch(tag)), None)

    def _describe(self, commit: str) -> tuple[str, float]:
        """First line of the message, and when it was committed; read raw, so that no setting changes the answer."""
        status, raw, complaint = self._git.attempt("cat-file", "commit", commit)
        if status != 0:
            raise PermanentError("unknown-commit", f'commit "{commit}" is not in "{self._folder}": {complaint}')
        header, _, message = raw.partition(b"\n\n")
        committed = re.search(rb"^committer .*> (-?\d+) [+-]\d+$", header, re.MULTILINE)
        subject = message.lstrip(b"\n").split(b"\n", 1)[0].decode(errors="replace")
        return subject, float(committed[1]) if committed else 0.0

    def _unknown(self, release: str) -> UserError | PermanentError:
        if not any(self._objects(["HEAD^{commit}"])) and not self._git.run("for-each-ref", "--count=1"):
            return UserError("no-commits", f'"{self._folder}" has no commit yet', "commit something, then tag it")
        if self._git.run("rev-parse", "--is-shallow-repository").strip() == b"true":
            return PermanentError(
                "shallow-repository",
                f'"{release}" cannot be decided: "{self._folder}" is a shallow clone without the whole history',
                f'run: git -C "{self._folder}" fetch --unshallow --tags',
            )
        listed = self._git.run("for-each-ref", "--format=%(refname:strip=2)", "refs/tags", "refs/heads")
        names = os.fsdecode(listed).split()
        near = difflib.get_close_matches(release, names, n=4, cutoff=0.6)
        hint = f"near names: {', '.join(near)}" if near else _some(names)
        return UserError("unknown-release", f'"{release}" names no version, tag, branch or commit', hint)


def _object(line: bytes) -> tuple[str, str] | None:
    # "<object> <type> <size>", or "<name> missing"; a name holds no space here.
    words = line.decode(errors="replace").split(" ")
    return (words[0], words[1]) if len(words) == 3 else None


def _refuse_hostile(release: str) -> None:
    if release and len(release) <= _LONGEST_NAME and not _NOT_A_NAME.search(release):
        return
    shown = release if len(release) <= 40 else f"{release[:40]}… ({len(release)} characters)"
    raise UserError(
        "bad-release-name",
        f"{shown!r} cannot be the name of a release",
        "give a version such as 1.2.3, a tag, a branch, or a commit",
    )


def _without_v(name: str) -> str:
    return name[1:] if re.match(r"v\d", name) else name


def _some(names: list[str]) -> str:
    if not names:
        return "the repository has no tag; create one with git tag v1.0.0, or name a commit"
    return f"known names: {', '.join(names[-8:])}{' …' if len(names) > 8 else ''}"
