"""Tags, here and in remote repositories; implements `Tags`."""

import getpass
import re
import socket
from pathlib import Path

from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.ports.pipeline import Tags


class GitTags(Tags):
    """The tags of one repository.

    Args:
        folder: where the repository is.
    """

    def __init__(self, folder: Path) -> None:
        self._git = GitProcess(folder)

    def observe(self, tag: str, *, remote: str | None = None) -> str | None:
        """The commit that the tag stands on, here or in a remote repository; None if there is none."""
        if remote is None:
            status, found, _ = self._git.attempt("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
            return found.decode().strip() if status == 0 else None
        status, listed, complaint = self._git.attempt("ls-remote", remote, f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}")
        if status != 0:
            self._refuse_unknown(remote)
            raise TransientError("remote-silent", f"remote {remote!r} did not answer: {complaint}", "try again")
        pairs = (line.split("\t", 1) for line in listed.decode().splitlines())
        lines = {name: commit for commit, name in pairs}
        # An annotated tag is an object of its own; its commit stands on a second line.
        return lines.get(f"refs/tags/{tag}^{{}}") or lines.get(f"refs/tags/{tag}")

    def create(self, tag: str, commit: str, *, message: str) -> None:
        """Makes an annotated tag, in the name of whoever runs this where git knows no name."""
        if self._git.attempt("check-ref-format", f"refs/tags/{tag}")[0] != 0:
            raise UserError("bad-tag", f"{tag!r} cannot be the name of a tag", "see release.tag in the configuration")
        status, _, complaint = self._git.attempt(*self._identity(), "tag", "-a", "-m", message, tag, commit)
        if status != 0:
            raise PermanentError("tag-refused", f"git does not make the tag {tag!r}: {complaint}")

    def push(self, tag: str, remote: str) -> None:
        """Sends the tag; never replaces one."""
        status, _, complaint = self._git.attempt("push", "--porcelain", remote, f"refs/tags/{tag}:refs/tags/{tag}")
        if status == 0:
            return
        self._refuse_unknown(remote)
        # One that is reachable and still does not take the tag refuses it.
        if self._git.attempt("ls-remote", "--exit-code", remote, "HEAD")[0] in (0, 2):
            raise PermanentError("push-refused", f"remote {remote!r} does not take the tag {tag!r}: {complaint}")
        raise TransientError("remote-silent", f"remote {remote!r} did not answer: {complaint}", "try again")

    def origin(self) -> str:
        """Address of the repository that this one was cloned from, without a name or password; empty if unknown."""
        status, found, _ = self._git.attempt("remote", "get-url", "origin")
        return re.sub(r"//[^/@]*@", "//", found.decode(errors="replace").strip()) if status == 0 else ""

    def _identity(self) -> list[str]:
        if self._git.attempt("config", "user.email")[0] == 0:
            return []
        name = getpass.getuser()
        return ["-c", f"user.name={name}", "-c", f"user.email={name}@{socket.gethostname()}"]

    def _refuse_unknown(self, remote: str) -> None:
        known = self._git.run("remote").decode().split()
        if remote not in known and "/" not in remote:
            hint = f"known are {', '.join(known)}" if known else "git remote add names one"
            raise UserError("unknown-remote", f"there is no remote {remote!r}", hint)
