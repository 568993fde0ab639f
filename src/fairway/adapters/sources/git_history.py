"""The commits and tags of a git repository, for the decision of versions.

One `git log` reads everything that is asked for, and what a commit says is kept under its object name, so that it is
read and parsed once ever. Nothing is written but that file, in the repository's own folder.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.errors import PermanentError, UserError
from fairway.domain.versioning.commits import Commit
from fairway.ports.history import Place

#: More commits than these are named on standard input, for a command line has an end.
_MOST_ARGUMENTS = 200
_TAG, _PEELED, _HEADS = " refs/tags/", "^{}", "refs/heads/"


class GitHistory:
    """The repository that a folder lies in; implements `History`.

    Args:
        folder: anywhere in the repository.
        revision: the commit that is asked about.
        branch: its branch, in place of what the repository says.
        build: its branch, where the repository does not say: most build machines check out a bare commit.
    """

    def __init__(
        self, folder: Path, revision: str = "HEAD", branch: str | None = None, build: str | None = None
    ) -> None:
        self._folder = folder
        self._revision = revision
        self._branch = branch
        self._build = build
        self._git = GitProcess(folder)
        self._common: Path | None = None

    def locate(self) -> Place:
        """Where it stands.

        Raises:
            UserError: there is no commit yet, or none of that name.
            PermanentError: no repository, or a shallow clone, in which no version can be decided.
        """
        # Beside each other: both only read, and a git takes longer to start than to answer.
        looked, listed = self._git.attempt_beside(self._asked(), ("show-ref", "--dereference"))
        head, branch = self._look(looked)
        tags, branches = _references(listed[1]) if listed[0] == 0 else ({}, [])
        here = (name for name, commit in branches if commit == head)
        branch = self._branch or branch or (self._build if self._revision == "HEAD" else None) or _only(here)
        return Place(head, branch, list(tags.items()), [one for one in branches if one[0] != branch])

    def read(self, include: Iterable[str], exclude: Iterable[str] = ()) -> dict[str, Commit]:
        """The commits that can be reached from some and not from others, by id.

        A whole history is read from what is kept; only what is new in it is asked of git.
        """
        wanted, without = list(include), [f"^{one}" for one in exclude]
        if not wanted or without:
            return self._log([*wanted, *without]) if wanted else {}
        # Only a whole history is worth what loading this takes.
        from fairway.adapters.sources.commit_cache import CommitCache, missing, tips  # noqa: PLC0415

        cache = CommitCache(self._common_folder() / "fairway")
        kept, starts = cache.load()
        if starts == set(wanted):
            return kept
        found, unknown = missing(wanted, kept)
        if not unknown:
            return found
        new = self._log([*unknown, *(f"^{one}" for one in starts)])
        everything = {**new, **kept} if kept else new
        found = missing(wanted, everything)[0] if kept else new
        cache.keep(everything.values(), wanted if len(found) == len(everything) else tips(everything))
        return found

    def _log(self, wanted: Sequence[str]) -> dict[str, Commit]:
        from fairway.adapters.sources.commit_lines import FORMAT, read_log  # noqa: PLC0415 - as above

        options = ("log", "-z", f"--format={FORMAT}", "--encoding=UTF-8", "--no-show-signature", "--no-color")
        plain = ("--no-decorate", "--no-notes", "--no-patch")
        if len(wanted) <= _MOST_ARGUMENTS:
            pieces = self._git.pieces(*options, *plain, *wanted, "--")
        else:
            pieces = iter([self._git.run(*options, *plain, "--stdin", stdin="\n".join(wanted).encode())])
        return {commit.id: commit for commit in read_log(pieces)}

    def _common_folder(self) -> Path:
        """Where git keeps what all work trees of the repository share."""
        if self._common is None:
            self._look(self._git.attempt(*self._asked()))
        return self._common or self._folder

    def touching(self, paths: Sequence[str], include: str, exclude: str | None) -> frozenset[str]:
        """Which of the commits between two change a file below one of the paths, given from the top."""
        places = [f":/{path.strip('/')}" if path.strip("/.") else ":/" for path in paths]
        without = [f"^{exclude}"] if exclude else []
        listed = GitProcess(self._folder, literal=False).run(
            "rev-list", "--full-history", include, *without, "--", *places
        )
        return frozenset(listed.decode().split())

    def holds(self, commit: str, other: str) -> bool | None:
        """The other one is the commit or can be reached from it; None if the other one is no commit at all."""
        status, _, _ = self._git.attempt("merge-base", "--is-ancestor", other, commit)
        return {0: True, 1: False}.get(status)

    def merged(self, commit: str) -> frozenset[str]:
        """The commits with tags that can be reached from the commit."""
        listed = self._git.run(
            "for-each-ref", f"--merged={commit}", "--format=%(objectname) %(*objectname)", "refs/tags"
        )
        return frozenset(line.split()[-1] for line in listed.decode().splitlines())

    def held(self, names: Sequence[str], by: str) -> frozenset[str]:
        """Full object names of those (abbreviated) ones that are the commit or can be reached from it."""
        asked = "".join(f"{name}^{{commit}}\n" for name in names)
        answers = self._git.run("cat-file", "--batch-check=%(objectname)", stdin=asked.encode()).decode().splitlines()
        found = [line for line in answers if " " not in line]
        return frozenset(one for one in found if self._git.attempt("merge-base", "--is-ancestor", one, by)[0] == 0)

    def remote(self) -> str:
        """The address of the remote `origin`, empty if there is none."""
        status, output, _ = self._git.attempt("config", "--get", "remote.origin.url")
        return os.fsdecode(output).strip() if status == 0 else ""

    def _asked(self) -> tuple[str, ...]:
        """What says where the repository is, and the commit that is asked about."""
        common = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--is-shallow-repository")
        if self._revision == "HEAD":
            return (*common, "HEAD^{commit}", "--symbolic-full-name", "HEAD")
        return (*common, "--verify", "--end-of-options", f"{self._revision}^{{commit}}")

    def _look(self, answer: tuple[int, bytes, str]) -> tuple[str, str | None]:
        """The commit that is asked about, and its branch, as git answered."""
        status, output, complaint = answer
        lines = os.fsdecode(output).splitlines()
        if not lines:
            raise self._no_repository(complaint)
        self._common = Path(lines[0])
        if lines[1] == "true":
            sentence = f'"{self._folder}" is a shallow clone: releases and commits that decide the version are missing'
            raise PermanentError(
                "shallow-repository", sentence, f'run: git -C "{self._folder}" fetch --unshallow --tags'
            )
        if status != 0:
            raise self._no_commit()
        if self._revision != "HEAD":
            return lines[2], self._revision if self._is_branch(self._revision) else None
        # A branch is told by its whole name, a bare commit by HEAD itself.
        return lines[2], lines[3].removeprefix(_HEADS) if lines[3].startswith(_HEADS) else None

    def _is_branch(self, name: str) -> bool:
        return self._git.attempt("show-ref", "--verify", "--quiet", f"refs/heads/{name}")[0] == 0

    def _no_repository(self, complaint: str) -> PermanentError:
        hint = "run the command in the repository, or create one with git init"
        if "dubious ownership" in complaint:
            hint = "if you trust its owner: git config --global --add safe.directory FOLDER, with the folder named here"
        return PermanentError(
            "no-repository", f'"{self._folder}" is not a git repository that can be read: {complaint}', hint
        )

    def _no_commit(self) -> UserError:
        if self._revision == "HEAD":
            return UserError("no-commits", f'"{self._folder}" has no commit yet', "commit something first")
        hint = "name a branch, a tag or a commit"
        return UserError("unknown-release", f"{self._revision[:80]!r} names no commit", hint)


def _references(listed: bytes) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The tags with their commits, and the branches, here and of remotes, with theirs, as git lists them."""
    lines = os.fsdecode(listed).splitlines()
    width = lines[0].index(" ")
    place = width + len(_TAG)
    # An annotated tag is followed by a second line of the same name: what it points at.
    tags = {one[place:].removesuffix(_PEELED): one[:width] for one in lines if one.startswith(_TAG, width)}
    others = [(one[:width], one[width + 6 :]) for one in lines if not one.startswith(_TAG, width)]
    branches = []
    for commit, name in others:
        kind, _, short = name.partition("/")
        if kind == "heads":
            branches.append((short, commit))
        elif kind == "remotes" and not short.endswith("/HEAD"):
            branches.append((short.partition("/")[2], commit))
    return tags, branches


def _only(names: Iterable[str]) -> str | None:
    found = set(names)
    return found.pop() if len(found) == 1 else None
