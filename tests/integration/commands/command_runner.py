"""Commands of real processes in a folder of their own, and what can be seen of them."""

import json
import os
import sys
import time
from pathlib import Path

from fairway.adapters.commands import LocalCommands
from fairway.adapters.commands.client import name_of
from fairway.adapters.commands.place import Place
from fairway.ports.checks import Command

# Runs only alone, counts its executions and prints a result.
COUNTED = """
import fcntl, os, sys, time
guard = open("guard", "a")
fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
with open("count", "a") as count:
    print(os.getpid(), file=count, flush=True)
deadline = time.monotonic() + 60
while os.path.exists("hold") and time.monotonic() < deadline:
    time.sleep(0.01)
print("migrated")
"""

# Fails if another one of it is alive; takes long enough for that to be noticed.
QUICK = "flock --nonblock guard sh -c 'echo $$ >> count; sleep 0.2; echo migrated'"


class Runner:
    """Commands in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.store = folder / "commands"
        (folder / "counted.py").write_text(COUNTED)

    def command(self, line, key="one", *, timeout=20.0, variables=()):
        return Command(key, line, str(self.folder), tuple(variables), timeout)

    def counted(self, key="one"):
        return self.command(f"{sys.executable} -S counted.py", key)

    def quick(self):
        return self.command(QUICK)

    def finish(self, command, *, patience=60.0):
        return waited(lambda: LocalCommands(self.store).ensure_run(command), f"the end of {command.line}", patience)

    def place(self, key="one"):
        return Place(self.store / name_of(key))

    def executions(self):
        found = self.folder / "count"
        return [int(pid) for pid in found.read_text().split()] if found.exists() else []

    def watcher(self, key="one"):
        """The process that watches the command: the parent of what `process.json` names."""
        leader = waited(lambda: self.place(key).process.exists() and self.place(key).process.read_text(), "a start")
        stat = Path(f"/proc/{json.loads(leader)['pid']}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[1])


def waited(find, what, patience=60.0):
    deadline = time.monotonic() + patience
    while not (found := find()):
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain for {what}"
        time.sleep(0.01)
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def fork(work):
    """The pid of a fork of this process that does that work and ends with status 0."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def end_of(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
