"""The branches of a git repository; implements `Branches`."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.errors import TransientError, UserError
from fairway.ports.branches import Branches, Tip

_USUAL = ("main", "master", "trunk")
_MOST = 10


#: Bytes of a part of a branch's name: with what git adds to it for a moment a file may be called so.
_LONGEST = 200


class GitBranches(Branches):
    """The branches of the repository that a folder lies in.

    Args:
        folder: anywhere in the repository.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._git = GitProcess(folder)

    def observe(self, branch: str) -> Tip:
        """Where the branch stands; `origin` counts before other remotes.

        Raises:
            UserError: no branch can have that name.
        """
        # What begins with a dash is an option to git, whatever the rest is; each part is the name of a file.
        too_long = any(len(part.encode("utf-8", "surrogateescape")) > _LONGEST for part in branch.split("/"))
        if branch.startswith("-") or too_long or self._git.attempt("check-ref-format", f"refs/heads/{branch}")[0] != 0:
            raise UserError("bad-branch-name", f"no branch can be called {branch[:60]!r}", "such as hotfix/1.2.1")
        local = self._commit(f"refs/heads/{branch}")
        remotes = self._git.run("remote").decode().split()
        ordered = sorted(remotes, key=lambda one: (one != "origin", one))
        found = (self._commit(f"refs/remotes/{remote}/{branch}") for remote in ordered)
        remote = next((one for one in found if one is not None), None)
        folder = next((place for place, name in self._checked_out() if name == f"refs/heads/{branch}"), "")
        return Tip(local, remote, folder, bool(folder) and self._is_dirty(folder))

    def holding(self, commit: str) -> tuple[str, ...]:
        """Names of the branches, here and in remote repositories as last seen, that hold the commit; those here first.

        None where the commit is unknown.
        """
        asked = (
            "for-each-ref",
            f"--contains={commit}",
            "--format=%(refname)%00%(symref)",
            "refs/heads",
            "refs/remotes",
        )
        status, listed, _ = self._git.attempt(*asked)
        names = []
        for line in os.fsdecode(listed).splitlines() if status == 0 else ():
            name, _, symbolic = line.partition("\0")
            if not symbolic:
                _, kind, short = name.split("/", 2)
                names.append(short if kind == "heads" else short.partition("/")[2])
        return tuple(dict.fromkeys(names))

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Names of the branches here that fit a pattern such as `hotfix/*`."""
        listed = self._git.run("for-each-ref", "--format=%(refname:lstrip=2)", f"refs/heads/{pattern}")
        return tuple(os.fsdecode(listed).splitlines())

    def find_main(self) -> str | None:
        """The branch that `origin` names as its own, else one of the usual names, else the only one there is."""
        status, found, _ = self._git.attempt("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
        if status == 0:
            return os.fsdecode(found).strip().removeprefix("refs/remotes/origin/")
        there = self.matching("**")
        usual = next((name for name in _USUAL if name in there), None)
        return usual or (there[0] if len(there) == 1 else None)

    def fetch(self, remote: str, branch: str) -> str:
        """Asks a remote repository for a branch and the tags; the commit that it is on there. Moves no branch here.

        Raises:
            TransientError: it did not answer, or has no such branch.
        """
        status, _, complaint = self._git.attempt("fetch", "--quiet", "--tags", "--", remote, f"refs/heads/{branch}")
        found = self._commit("FETCH_HEAD") if status == 0 else None
        if found is None:
            sentence = f"git fetch of {branch!r} from {remote!r} failed: {complaint}"
            raise TransientError("remote-silent", sentence, "git remote --verbose lists the remotes")
        return found

    def touching(self, files: Sequence[str], *, since: str, until: str) -> tuple[str, ...]:
        """Commits after one and up to another that change one of the files, the newest first, ten at most."""
        asked = ("log", f"--max-count={_MOST}", "--format=%h %s", "--no-merges", until, f"^{since}", "--", *files)
        # Paths of a conflict are given from the top, wherever the folder lies.
        top = os.fsdecode(self._git.run("rev-parse", "--show-toplevel")).strip() if not self._is_bare() else None
        listed = (GitProcess(Path(top)) if top else self._git).run(*asked)
        return tuple(os.fsdecode(listed).splitlines())

    def _is_bare(self) -> bool:
        return self._git.run("rev-parse", "--is-bare-repository").strip() == b"true"

    def _commit(self, reference: str) -> str | None:
        status, found, _ = self._git.attempt("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
        return found.decode().strip() if status == 0 else None

    def _checked_out(self) -> Iterator[tuple[str, str]]:
        """Folder and branch of each work tree."""
        folder = ""
        for line in os.fsdecode(self._git.run("worktree", "list", "--porcelain")).splitlines():
            word, _, rest = line.partition(" ")
            folder = rest if word == "worktree" else folder
            if word == "branch":
                yield folder, rest

    def _is_dirty(self, folder: str) -> bool:
        if not Path(folder).is_dir():
            return False
        changes = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=none")
        return bool(GitProcess(Path(folder)).run(*changes))
