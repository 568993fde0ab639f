"""Does what a page says: one shell a page, in a folder of its own, with addresses that are free on this machine.

Pages speak of ports such as 127.0.0.1:8000, of runs such as r-7kq2mz and of postgresql://fairway@db.example/fairway.
Here each port of a page becomes a free one, the first run that a page shows becomes the run that really came, and the
database is the one given.
"""

import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from document_package import install, make_environment
from document_pages import Block, Page, ShellCommand, commands_of

from free_ports import free_port

PATIENCE = 240.0
DATABASE = "postgresql://fairway@db.example/fairway"

_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d{4,5}\b")
_ENDED_JOB = re.compile(r"bash: line \d+: +\d+ (Killed|Terminated)\b")
_RUN = re.compile(r"\br-[23456789bcdfghjkmnpqrstvwxz]{6}\b")
#: What differs from one execution to the next, in this order.
_VARYING = (
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    r"sha256:[0-9a-f]{12,64}",
    r"\b[0-9a-f]{12}\b",
    r"(?<=-)[0-9a-f]{8}\b",
    r"\b\d+(?:\.\d)? s\b",
)


class MismatchError(AssertionError):
    """The page says one thing, the machine another."""


class Session:
    """One page's shell.

    Args:
        folder: an empty one.
        database: URL of an empty PostgreSQL database, where a page speaks of one.
        packages: the page makes a package of its own, which is installed beside Fairway when its pyproject.toml is
            written.
    """

    def __init__(self, folder: Path, database: str | None = None, *, packages: bool = False) -> None:
        self.folder = folder
        self._python = make_environment(folder / "venv") if packages else Path(sys.executable)
        self.runs: dict[str, str] = {}
        self._ports: dict[str, str] = {}
        self._database = database
        self._output: queue.Queue[str | None] = queue.Queue()
        for name in ("home", "bin", "work"):
            (folder / name).mkdir()
        if shutil.which("curl") is None:
            _write_curl(folder / "bin" / "curl")
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            cwd=folder / "work",
            env=self._variables(),
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        """Brings down every project of the page; nothing of it runs on."""
        try:
            for state in self.folder.rglob(".fairway"):
                if (state / "project").exists():
                    self._bring_down(state)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._shell.pid, signal.SIGKILL)
            self._shell.wait(10)
            self._reader.join(10)
            for stream in (self._shell.stdin, self._shell.stdout):
                with contextlib.suppress(OSError):
                    stream.close()

    def follow(self, page: Page) -> None:
        """Does all that the page says, in its order.

        Raises:
            MismatchError: something came out other than the page says.
        """
        for block in page.blocks:
            if block.language == "console":
                for command in commands_of(block):
                    self._check(page, command)
            elif block.title.startswith("fairway "):
                self._check_keys(page, block)
            elif block.title:
                self._write(block)

    def run(self, command: str) -> tuple[int, str]:
        """Runs a command in the shell; returns its status and what it wrote."""
        mark = f"@@ {time.monotonic_ns()} "
        script = f"{{\n{self._real(command)}\n}} </dev/null\nprintf '\\n%s%s\\n' '{mark}' \"$?\"\n"
        self._shell.stdin.write(script)
        self._shell.stdin.flush()
        lines: list[str] = []
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._output.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise MismatchError(f"`{command}` did not end in {PATIENCE:g} s:\n" + "\n".join(lines)) from None
            if line is None:
                raise MismatchError(f"the shell ended at `{command}`:\n" + "\n".join(lines))
            if line.startswith(mark):
                if "fairway init" in command:
                    self._move_generated_ports()
                return int(line.removeprefix(mark)), "\n".join(lines).rstrip()
            # The shell says that a job was ended when it notices, which may be during any later command.
            if not _ENDED_JOB.match(line):
                lines.append(line)

    def _check(self, page: Page, command: ShellCommand) -> None:
        status, output = self.run(command.text)
        where = f"{page.name}:{command.line}: `{command.text}`"
        if status != command.status:
            raise MismatchError(f"{where} ended with {status}, not {command.status}:\n{output}")
        if command.expected:
            expected = [self._real(line) for line in command.expected]
            problem = self._compare(expected, output.splitlines())
            if problem:
                raise MismatchError(f"{where}: {problem}; it wrote:\n{output}")

    def _check_keys(self, page: Page, block: Block) -> None:
        command = block.title.split(" #")[0]
        status, output = self.run(f"{command} 2>/dev/null")
        where = f"{page.name}:{block.line}: `{command}`"
        try:
            found = json.loads(output)
        except ValueError:
            raise MismatchError(f"{where} ended with {status} and printed no JSON:\n{output}") from None
        problem = _compare_keys(json.loads(block.text), found, "$")
        if problem:
            raise MismatchError(f"{where}: {problem}")

    def _compare(self, expected: list[str], output: list[str]) -> str | None:
        """What is wrong with the output; None if it is as expected. New run ids are remembered."""
        patterns = [_pattern(line, self.runs) for line in expected]
        found = _match(patterns, [_normal(line.rstrip()) for line in output])
        if found is None:
            return "it did not write what the page shows"
        for line, place in zip(expected, found, strict=True):
            if place is not None:
                for shown, real in zip(_RUN.findall(line), _RUN.findall(output[place]), strict=False):
                    self.runs.setdefault(shown, real)
        return None

    def _write(self, block: Block) -> None:
        """Writes a file into the folder in which the shell is."""
        _, here = self.run("pwd")
        path = Path(here.strip()) / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._real(block.text), encoding="utf-8")
        if path.name == "pyproject.toml":
            install(path, self._python)

    def _real(self, text: str) -> str:
        """The text with this session's ports, runs and database."""
        if self._database is not None:
            text = text.replace(DATABASE, self._database)
        text = _PORT.sub(lambda found: self._port(found[0]), text)
        return _RUN.sub(lambda found: self.runs.get(found[0], found[0]), text)

    def _port(self, shown: str) -> str:
        if shown in self._ports.values():
            return shown
        if shown not in self._ports:
            self._ports[shown] = str(free_port())
        return self._ports[shown]

    def _move_generated_ports(self) -> None:
        """What `fairway init` chose may be taken by another page a moment later."""
        for path in self.folder.glob("work/**/fairway.yaml"):
            text = path.read_text(encoding="utf-8")
            for first, shown in ((r"80\d\d", "8000"), (r"81\d\d", "8100")):
                if shown not in self._ports or self._ports[shown] not in text:
                    text = re.sub(rf"(?<=127\.0\.0\.1:){first}\b", self._port(shown), text)
            path.write_text(text, encoding="utf-8")

    def _bring_down(self, state: Path) -> None:
        down = [self._python, "-m", "fairway", "down", "--config", str(state.parent / "fairway.yaml")]
        subprocess.run(down, env=self._variables(), timeout=180, capture_output=True, check=True)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            # It would end by itself a few seconds later, when its folder may be gone.
            os.kill(int(json.loads((state / "supervisor" / "supervisor.json").read_text())["pid"]), signal.SIGTERM)

    def _variables(self) -> dict[str, str]:
        person = {"NAME": "Reader", "EMAIL": "reader@example.org"}
        programs = [str(self.folder / "bin"), str(self._python.parent), os.environ["PATH"]]
        return {
            "PATH": os.pathsep.join(programs),
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "COLUMNS": "80",
            **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()},
        }

    def _read(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in self._shell.stdout:
                self._output.put(line.rstrip("\n"))
        self._output.put(None)


def _normal(line: str) -> str:
    for varying in _VARYING:
        line = re.sub(varying, "~", line)
    return line


def _pattern(line: str, runs: dict[str, str]) -> re.Pattern[str] | None:
    """What a line of output must look like; None for any number of lines."""
    if line.strip() == "...":
        return None
    parts = []
    for part in _normal(line).split("..."):
        pieces = re.split(f"({_RUN.pattern})", part)
        known = set(runs.values())
        parts.append("".join(_RUN.pattern if _RUN.fullmatch(p) and p not in known else re.escape(p) for p in pieces))
    return re.compile(".*".join(parts))


def _match(patterns: list[re.Pattern[str] | None], lines: list[str]) -> list[int | None] | None:
    """The line that each pattern matches, all lines being accounted for; None if they cannot be."""
    if not patterns:
        return [] if not lines else None
    if patterns[0] is None:
        for skipped in range(len(lines) + 1):
            rest = _match(patterns[1:], lines[skipped:])
            if rest is not None:
                return [None, *(place if place is None else place + skipped for place in rest)]
        return None
    if not lines or not patterns[0].fullmatch(lines[0]):
        return None
    rest = _match(patterns[1:], lines[1:])
    return None if rest is None else [0, *(place if place is None else place + 1 for place in rest)]


def _compare_keys(shown: Any, found: Any, where: str) -> str | None:
    """The first difference in keys; of lists the first entries are compared, and a null says nothing."""
    if isinstance(shown, dict) and isinstance(found, dict):
        if shown.keys() != found.keys():
            missing, extra = sorted(found.keys() - shown.keys()), sorted(shown.keys() - found.keys())
            return f"at {where} the page lacks {missing} and invents {extra}"
        return next((p for key in shown if (p := _compare_keys(shown[key], found[key], f"{where}.{key}"))), None)
    if isinstance(shown, list) and isinstance(found, list):
        return _compare_keys(shown[0], found[0], f"{where}[0]") if shown and found else None
    kinds = {type(value) for value in (shown, found)} & {dict, list}
    return (
        f"at {where} the page shows {shown!r}, but it was {found!r}" if kinds and None not in (shown, found) else None
    )


def _write_curl(path: Path) -> None:
    """Stands in for curl on a machine without it, as far as the pages use it."""
    path.write_text(
        f"#!{sys.executable}\n"
        "import sys, urllib.error, urllib.request\n"
        "words = [word for word in sys.argv[1:] if word not in ('-s', '-si')]\n"
        "headers = [words.pop(words.index('-H') + 1) for _ in range(words.count('-H'))]\n"
        "address = next(word for word in words if word.startswith('http'))\n"
        "request = urllib.request.Request(address, headers=dict(one.split(': ', 1) for one in headers))\n"
        "try:\n"
        "    answer = urllib.request.urlopen(request, timeout=10)\n"
        "except urllib.error.HTTPError as error:\n"
        "    answer = error\n"
        "except OSError:\n"
        "    sys.exit(7)\n"
        "if '-si' in sys.argv:\n"
        "    print(f'HTTP/1.1 {answer.status} {answer.reason}')\n"
        "    print(str(answer.headers).lower())\n"
        "sys.stdout.write(answer.read().decode())\n"
    )
    path.chmod(0o755)
