"""`fairway init`: looks at a repository and writes a `fairway.yaml` that works.

Files are read, never run. Each kind of project is recognised in a module of its own; `finding` is what they say,
`render` the text. A repository that nothing recognises gets a file with one blank, which `fairway check` names.
"""

import re
from dataclasses import dataclass

from fairway.domain.errors import UserError
from fairway.ports.folder import Folder
from fairway.ports.machine import Machine
from fairway.usecases.init.finding import Finding, Library
from fairway.usecases.init.library import find_library
from fairway.usecases.init.node import find_node
from fairway.usecases.init.procfile import find_procfile
from fairway.usecases.init.python import find_python
from fairway.usecases.init.render import render_configuration
from fairway.usecases.init.render_library import render_library
from fairway.usecases.init.static import find_static

__all__ = ["Finding", "Written", "inspect", "service_name", "write_configuration"]

FILE = "fairway.yaml"
IGNORED = ".fairway/"
FIRST_PORT = 8000
STAGING_OFFSET = 100
_PORTS_TRIED = 100

# The first that recognises something wins: a Procfile says in so many words how the service is started; pages are
# looked for last, because applications have an index.html too, and libraries a page about themselves.
_RECOGNISERS = (find_procfile, find_python, find_node, find_library, find_static)


@dataclass(frozen=True, slots=True)
class Written:
    """What `fairway init` did.

    Attributes:
        path: the file written, relative to the folder.
        service: the name that the service got.
        addresses: environment and address, in order; none for a library.
        ignored: a line was added to .gitignore.
    """

    path: str
    service: str
    finding: Finding
    addresses: tuple[tuple[str, str], ...]
    ignored: bool


def inspect(folder: Folder) -> Finding:
    """How the project in the folder seems to be built and started; of kind `unknown` if nothing is recognised."""
    files = folder.list_files()
    for recognise in _RECOGNISERS:
        found = recognise(folder, files)
        if found is not None:
            return found
    notes = ("What builds and starts the service is for you to fill in: build.steps and run.command.",)
    return Finding("unknown", "nothing that Fairway knows how to start", notes=notes)


def write_configuration(folder: Folder, finding: Finding, machine: Machine, *, force: bool = False) -> Written:
    """Writes `fairway.yaml`, and a line to `.gitignore` if it is missing there.

    Args:
        folder: the repository.
        finding: what `inspect` said.
        machine: is asked for free ports.
        force: replace a file that exists.

    Raises:
        UserError: the file exists and `force` is not given, or cannot be written.
    """
    if not force and folder.read_text(FILE) is not None:
        raise UserError("config-exists", f"there is a {FILE} in {folder.name!r} already", "--force replaces it")
    name = service_name(folder.name)
    if isinstance(finding, Library):
        folder.write_text(FILE, render_library(name, finding))
        return Written(FILE, name, finding, (), _ignore_state(folder))
    production, staging = _free_ports(machine)
    folder.write_text(FILE, render_configuration(name, finding, staging=staging, production=production))
    addresses = (("staging", f"127.0.0.1:{staging}"), ("production", f"127.0.0.1:{production}"))
    return Written(FILE, name, finding, addresses, _ignore_state(folder))


def service_name(folder: str) -> str:
    """A valid name for a service, as near to the folder's name as possible."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    if not name or not name[0].isalpha():
        name = f"service-{name}".strip("-")
    return name[:40].rstrip("-")


def _free_ports(machine: Machine) -> tuple[int, int]:
    """Ports for production and for staging."""
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        if all(machine.observe_address("127.0.0.1", number).free for number in (port, port + STAGING_OFFSET)):
            return port, port + STAGING_OFFSET
    raise UserError(
        "no-free-port", f"no port from {FIRST_PORT} to {FIRST_PORT + _PORTS_TRIED - 1} is free on 127.0.0.1"
    )


def _ignore_state(folder: Folder) -> bool:
    text = folder.read_text(".gitignore") or ""
    lines = {line.strip().strip("/") for line in text.splitlines()}
    if IGNORED.strip("/") in lines:
        return False
    before = text if not text or text.endswith("\n") else text + "\n"
    folder.write_text(".gitignore", f"{before}# Fairway's own state: releases, history, logs\n{IGNORED}\n")
    return True
