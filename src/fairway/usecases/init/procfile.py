"""Recognises a Procfile: its `web` line starts the service, its `release` line changes the database before."""

import re
import shlex

from fairway.ports.folder import Folder
from fairway.usecases.init import node, python
from fairway.usecases.init.finding import Finding
from fairway.usecases.init.health import find_health

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+?)\s*$", re.MULTILINE)
_PORT = re.compile(r"\$PORT\b|\$\{PORT(:?-[^}]*)?\}")
# What only a shell understands.
_SHELL = re.compile(r"[|&;<>$`()*?]|^\s*[A-Za-z_][A-Za-z0-9_]*=")


def find_procfile(folder: Folder, files: tuple[str, ...]) -> Finding | None:
    """What the Procfile says; None if there is none with a `web` line."""
    lines = dict(_LINE.findall(folder.read_text("Procfile") or ""))
    web = lines.get("web")
    if web is None:
        return None
    is_python = any(path in files for path in ("requirements.txt", "pyproject.toml", "uv.lock", "setup.py"))
    steps = python.install_steps(folder, files) if is_python else ()
    steps += node.install_steps(folder, files) if "package.json" in files else ()
    health = find_health({**python.python_sources(folder, files), **node.node_sources(folder, files)})
    command = translate(web, in_venv=is_python)
    migrate = (translate(lines["release"], in_venv=is_python),) if "release" in lines else ()
    others = [name for name in lines if name not in ("web", "release")]
    notes = []
    if "{port}" not in command:
        notes.append("The port comes from the variable PORT, which Fairway sets for each instance.")
    if others:
        notes.append(f"Only web and release are taken from the Procfile; it also names {', '.join(others)}.")
    summary = "the web line of the Procfile"
    return Finding("procfile", summary, steps, command, health.ready, health.seen, health.live, migrate, tuple(notes))


def translate(line: str, *, in_venv: bool) -> str:
    """A line of a Procfile, which a shell would run, as an argument line.

    Args:
        line: the line.
        in_venv: programs without a path come from the virtual environment in `.venv`.
    """
    plain = _PORT.sub("{port}", line)
    try:
        words = shlex.split(plain)
    except ValueError:
        words = []
    if not words or _SHELL.search(plain):
        # PORT is set for the shell as well, and a brace of its own must not be taken for ours.
        path = 'PATH="$PWD/.venv/bin:$PATH" ' if in_venv else ""
        simple = not re.search(r"[|&;]|^\s*[A-Za-z_][A-Za-z0-9_]*=", line)
        return f"sh -c {shlex.quote(path + ('exec ' if simple else '') + line)}"
    if in_venv and "/" not in words[0] and words[0] not in ("node", "npm", "npx", "sh", "bash", "env"):
        program = "python" if re.fullmatch(r"python[0-9.]*", words[0]) else words[0]
        plain = plain.replace(words[0], f".venv/bin/{program}", 1)
    return plain
