"""Changes of branches, in a work tree beside the user's; implements `BranchWriter`.

Commits are made on no branch, in a folder in the repository's own, so that whatever happens meanwhile nobody sees half
of it. Only then is the branch put there, by one command of git that fails where somebody else was faster. No command
here can take anything back that a branch holds. A process that is killed leaves such a folder, which the next one
removes.
"""

import fcntl
import getpass
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.branching.work import BranchWork, Change
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.ports.branches import BranchWriter, Conflict

#: Hooks are for what people do by hand; resolutions remembered elsewhere would make commits that nobody looked at.
_QUIETLY = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "rerere.enabled=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=0",
)
_PATIENCE = 60.0
_LOOK_AGAIN = 0.05


class GitWork(BranchWriter):
    """Changes branches of the repository that a folder lies in.

    Args:
        folder: anywhere in the repository.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._git = GitProcess(folder)
        self._known: Path | None = None

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Nobody else changes branches through Fairway meanwhile; what a killed process left is removed.

        Raises:
            TransientError: somebody else has done so for a minute.
        """
        place = self._place()
        place.mkdir(parents=True, exist_ok=True)
        with (place / "lock").open("ab") as file:
            deadline = time.monotonic() + _PATIENCE
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() > deadline:
                    sentence = f"another command of Fairway changes branches of {self._git.folder}"
                    raise TransientError("branches-busy", sentence, "try again when it has ended")
                time.sleep(_LOOK_AGAIN)
            self._tidy()
            yield

    def make(self, start: str, changes: Sequence[Change]) -> str | Conflict:
        """Makes the changes on top of a commit; the last commit's name."""
        folder = self._place() / secrets.token_hex(4)
        self._git.run(*_QUIETLY, "worktree", "add", "--quiet", "--detach", str(folder), start)
        try:
            there = GitProcess(folder)
            for change in changes:
                status, _, complaint = there.attempt(*_QUIETLY, *self._identity(), *change.command)
                if status != 0:
                    return self._conflict(there, change, complaint)
            return there.run("rev-parse", "HEAD").decode().strip()
        finally:
            self._remove(folder)

    def _conflict(self, there: GitProcess, change: Change, complaint: str) -> Conflict:
        unmerged = there.run("diff", "--name-only", "--diff-filter=U", "-z")
        files = tuple(os.fsdecode(name) for name in unmerged.split(b"\0") if name)
        if not files and there.run("status", "--porcelain", "--untracked-files=no"):
            sentence = f"git {change.kind} of {change.commit[:12]} ({change.subject[:60]}) failed: {complaint}"
            raise PermanentError("git-refused", sentence, "nothing was changed; run the same command to see more")
        return Conflict(change, files)

    def put(self, made: Sequence[tuple[BranchWork, str]]) -> None:
        """Each branch is on its commit afterwards, or none has moved.

        Those that are checked out go forward with their files, while git holds the others for the change. Where a
        second one that is checked out cannot, the first one stays where it went.
        """
        with self._held([one for one in made if not one[0].folder]):
            for work, commit in made:
                if work.folder:
                    there = GitProcess(Path(work.folder))
                    status, _, complaint = there.attempt(*_QUIETLY, "merge", "--ff-only", "--quiet", commit)
                    if status != 0:
                        raise self._refused([work], complaint)

    @contextmanager
    def _held(self, moves: Sequence[tuple[BranchWork, str]]) -> Iterator[None]:
        """These branches are on their commits after the block; none is if the block fails."""
        if not moves:
            yield
            return
        words = [
            f"update refs/heads/{work.branch} {commit} {work.before or '0' * len(commit)}" for work, commit in moves
        ]
        prepared = "\n".join(("start", *words, "prepare", ""))
        command = (*_QUIETLY, "update-ref", "-m", "fairway: goes forward", "--stdin")
        with self._git.dialogue(*command) as (ask, answer):
            ask.write(prepared.encode())
            ask.flush()
            if (answer.readline(), answer.readline()) == (b"start: ok\n", b"prepare: ok\n"):
                # Without a word to the contrary git lets go of everything when it hears no more.
                yield
                ask.write(b"commit\n")
                ask.flush()
                if answer.readline() == b"commit: ok\n":
                    return
        complaint = self._git.attempt(*command, stdin=f"{prepared}abort\n".encode())[2]
        raise self._refused([work for work, _ in moves], complaint)

    def _refused(self, works: Sequence[BranchWork], complaint: str) -> TransientError | PermanentError:
        for work in works:
            status, found, _ = self._git.attempt("rev-parse", "--verify", "--quiet", f"refs/heads/{work.branch}")
            if (found.decode().strip() if status == 0 else None) != work.before:
                sentence = f"branch {work.branch!r} has moved meanwhile"
                return TransientError("branch-moved", sentence, "run the command again")
        listed = ", ".join(repr(work.branch) for work in works)
        return PermanentError("branch-refused", f"git does not move branch {listed}: {complaint}")

    def require(self, remote: str) -> None:
        """Nothing, if git knows where to send to; whether that place answers is another question."""
        if remote.startswith("-"):
            raise UserError(
                "unknown-remote", f"there is no remote {remote!r}", "git remote --verbose lists the remotes"
            )
        known = self._git.run("remote").decode().split()
        if remote in known or "/" in remote or ":" in remote:
            return
        # Settings may stand for an address, and git takes folders, from the top of the work tree.
        status, found, _ = self._git.attempt("ls-remote", "--get-url", "--", remote)
        top = os.fsdecode(self._git.run("rev-parse", "--show-cdup").removesuffix(b"\n"))
        if (status == 0 and os.fsdecode(found).strip() != remote) or (self._git.folder / top / remote).exists():
            return
        hint = f"known are {', '.join(known)}" if known else "git remote add names one"
        raise UserError("unknown-remote", f"there is no remote {remote!r}", hint)

    def push(self, remote: str, branches: Sequence[str]) -> None:
        """Sends branches, all or none; never replaces what is there."""
        names = [f"refs/heads/{name}:refs/heads/{name}" for name in branches]
        together = ["--atomic"] if len(names) > 1 else []
        status, _, complaint = self._git.attempt("push", "--porcelain", *together, "--", remote, *names)
        if status == 0:
            return
        self.require(remote)
        listed = ", ".join(branches)
        # One that is reachable and still does not take them refuses them.
        if self._git.attempt("ls-remote", "--exit-code", "--", remote, "HEAD")[0] in (0, 2):
            sentence = f"remote {remote!r} does not take {listed}: {complaint}"
            raise PermanentError(
                "push-refused", sentence, "it may have commits that are not here: git fetch, then again"
            )
        raise TransientError("remote-silent", f"remote {remote!r} did not answer: {complaint}", "try again")

    def _place(self) -> Path:
        """Where the work trees of commands stand: in what all work trees of the repository share."""
        if self._known is None:
            found = self._git.run("rev-parse", "--path-format=absolute", "--git-common-dir")
            self._known = Path(os.fsdecode(found).removesuffix("\n")) / "fairway" / "work"
        return self._known

    def _tidy(self) -> None:
        """Removes what killed processes left."""
        place = self._place()
        for line in os.fsdecode(self._git.run("worktree", "list", "--porcelain")).splitlines():
            word, _, rest = line.partition(" ")
            if word == "worktree" and Path(rest).parent == place:
                self._remove(Path(rest))
        for left in place.iterdir():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)

    def _remove(self, folder: Path) -> None:
        """The work tree is gone, from the disk and from git's list."""
        if self._git.attempt("worktree", "remove", "--force", "--force", str(folder))[0] != 0:
            shutil.rmtree(folder, ignore_errors=True)
            self._git.attempt("worktree", "remove", "--force", "--force", str(folder))

    def _identity(self) -> list[str]:
        """Who makes the commits: as the environment or git's settings say, else whoever runs this."""
        named = {
            "name": os.environ.get("GIT_COMMITTER_NAME") or os.environ.get("GIT_AUTHOR_NAME"),
            "email": os.environ.get("GIT_COMMITTER_EMAIL") or os.environ.get("GIT_AUTHOR_EMAIL"),
        }
        if not named["email"] and self._git.attempt("config", "user.email")[0] != 0:
            named["email"] = f"{getpass.getuser()}@{socket.gethostname()}"
            if self._git.attempt("config", "user.name")[0] != 0:
                named["name"] = named["name"] or getpass.getuser()
        return [word for key, value in named.items() if value for word in ("-c", f"user.{key}={value}")]
