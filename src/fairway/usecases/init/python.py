"""Recognises a Python project: how it is installed, and what serves it."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from typing import Any

from fairway.ports.folder import Folder
from fairway.usecases.init.finding import Finding
from fairway.usecases.init.health import find_health
from fairway.usecases.init.python_apps import App, find_apps

_MARKS = ("pyproject.toml", "requirements.txt", "uv.lock", "setup.py", "manage.py", "Pipfile")
_MOST_SOURCES = 300
_NOT_THE_APP = re.compile(r"(^|/)(tests?|docs?|examples?|migrations|scripts|benchmarks|test_[^/]*|conftest\.py)(/|$)")

PYTHON = ".venv/bin/python"
MAKE_VENV = "python3 -m venv .venv"
PIP = ".venv/bin/pip install --disable-pip-version-check"

# Servers by what they can serve, and how each is told what and where.
_SERVERS = {
    "asgi": {
        "uvicorn": ".venv/bin/uvicorn{factory} --host {{host}} --port {{port}}{folder} {app}",
        "granian": ".venv/bin/granian --interface asgi{factory} --host {{host}} --port {{port}}{folder} {app}",
        "hypercorn": ".venv/bin/hypercorn --bind {{host}}:{{port}} {app}{call}",
    },
    "wsgi": {
        "gunicorn": ".venv/bin/gunicorn --bind {{host}}:{{port}} --threads 8{folder} {app}{call}",
        "waitress": ".venv/bin/waitress-serve{factory} --listen={{host}}:{{port}} {app}",
        "granian": ".venv/bin/granian --interface wsgi{factory} --host {{host}} --port {{port}}{folder} {app}",
    },
}
_FACTORY = {"uvicorn": " --factory", "granian": " --factory", "waitress": " --call"}
_FOLDER = {"uvicorn": " --app-dir {0}", "granian": " --working-dir {0}", "gunicorn": " --pythonpath {0}"}

# Programs that serve by themselves, by the package that brings them.
_PROGRAMS = {
    "datasette": ".venv/bin/datasette serve --host {host} --port {port}",
    "streamlit": ".venv/bin/streamlit run --server.headless true --server.address {host} --server.port {port}",
}


Served = tuple[str, tuple[str, ...], str, tuple[str, ...]]
"""Summary, steps, command, notes."""


def find_python(folder: Folder, files: tuple[str, ...]) -> Finding | None:
    """What a Python project needs; None if this is none, or nothing in it can be served."""
    sources = python_sources(folder, files)
    if not sources and not any(mark in files for mark in _MARKS):
        return None
    apps = find_apps(sources)
    health = find_health(_main_first(sources, apps[0].file if apps else ""))
    found: Served | None = _served(folder, files, sources, apps) if apps else _program(folder, files)
    found = found or _script(folder, files, sources)
    if found is None:
        return None
    summary, steps, command, notes = found
    migrate = (f"{PYTHON} manage.py migrate --noinput",) if "manage.py" in files and "Django" in summary else ()
    return Finding("python", summary, steps, command, health.ready, health.seen, health.live, migrate, notes)


def python_sources(folder: Folder, files: tuple[str, ...]) -> dict[str, str]:
    """The project's own Python files with their text; tests, examples and the like left out."""
    paths = [path for path in files if path.endswith(".py") and not _NOT_THE_APP.search(path)]
    texts = {path: folder.read_text(path) for path in paths[:_MOST_SOURCES]}
    return {path: text for path, text in texts.items() if text is not None}


def declared_packages(folder: Folder) -> frozenset[str]:
    """The packages that the project asks for, by their normalised names; extras such as `fastapi[standard]` too."""
    lines = (folder.read_text("requirements.txt") or "").splitlines()
    project = read_pyproject(folder)
    wanted = mapping(project.get("project")).get("dependencies")
    lines += [line for line in wanted if isinstance(line, str)] if isinstance(wanted, list) else []
    lines += mapping(mapping(mapping(project.get("tool")).get("poetry")).get("dependencies"))
    found = set()
    for line in lines:
        if match := re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?", line):
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            found |= {name, name + (match[2] or "").replace(" ", "")}
    # What these bring along.
    if found & {"fastapi[standard]", "fastapi[all]", "uvicorn[standard]"}:
        found.add("uvicorn")
    return frozenset(found)


def mapping(value: Any) -> Mapping[str, Any]:
    """A table of somebody's file; an empty one if something else stands there."""
    return value if isinstance(value, dict) else {}


def read_pyproject(folder: Folder) -> Mapping[str, Any]:
    """The content of pyproject.toml; empty if there is none or it cannot be parsed."""
    try:
        return tomllib.loads(folder.read_text("pyproject.toml") or "")
    except tomllib.TOMLDecodeError:
        return {}


def install_steps(folder: Folder, files: tuple[str, ...], extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The steps that install the project, and some packages besides, into a virtual environment of its own."""
    builds = "build-system" in read_pyproject(folder)
    steps = [MAKE_VENV]
    if "uv.lock" in files:
        # Inexact: uv itself and what is added below would be removed again.
        steps += [f"{PIP} uv", ".venv/bin/uv sync --frozen --no-dev --inexact"]
    elif "requirements.txt" in files:
        steps.append(f"{PIP} -r requirements.txt")
        if builds or "setup.py" in files:
            steps.append(f"{PIP} --no-deps .")
    elif builds or "setup.py" in files:
        steps.append(f"{PIP} .")
    elif "pyproject.toml" in files:
        # There is nothing to build: uv reads the dependencies alone, which pip cannot.
        steps += [f"{PIP} uv", ".venv/bin/uv pip install -r pyproject.toml"]
    if extra:
        steps.append(f"{PIP} {' '.join(extra)}")
    return tuple(steps)


def _served(folder: Folder, files: tuple[str, ...], sources: Mapping[str, str], apps: tuple[App, ...]) -> Served:
    app, packages = apps[0], declared_packages(folder)
    servers = _SERVERS[app.protocol]
    server = next((name for name in servers if name in packages), None)
    extra = () if server else (next(iter(servers)),)
    server = server or next(iter(servers))
    module, source = _module(app.file, files, sources)
    name = f"{module}:{app.name}"
    command = servers[server].format(
        app=name,
        factory=_FACTORY.get(server, "") if app.factory else "",
        call="()" if app.factory and server not in _FACTORY else "",
        folder=_FOLDER.get(server, "").format(source) if source else "",
    )
    if source and server not in _FOLDER:
        command = f"env PYTHONPATH={source} {command}"
    notes = []
    if extra:
        notes.append(f"The project names no server, so that {server} is added to the build; pin it with the project.")
    others = [f"{_module(other.file, files, sources)[0]}:{other.name}" for other in apps[1:4]]
    if others:
        notes.append(f"Other applications were seen: {', '.join(others)}.")
    summary = f"{app.framework} application {name}, served by {server}"
    return summary, install_steps(folder, files, extra), command, tuple(notes)


def _program(folder: Folder, files: tuple[str, ...]) -> Served | None:
    packages = declared_packages(folder)
    for package, command in _PROGRAMS.items():
        if package not in packages:
            continue
        suffixes = (".db", ".sqlite", ".sqlite3") if package == "datasette" else (".py",)
        named = [path for path in files if "/" not in path and path.endswith(suffixes)]
        if package == "streamlit":
            named = named[:1]
        return f"{package}", install_steps(folder, files), " ".join([command, *map(shlex.quote, named)]), ()
    return None


def _script(folder: Folder, files: tuple[str, ...], sources: Mapping[str, str]) -> Served | None:
    """A script that serves with the standard library, aiohttp or the like, and is started as it is."""
    serving = re.compile(r"HTTPServer\(|serve_forever\(|\.run_app\(|make_server\(|uvicorn\.run\(|tornado|\.run\(.*port")
    for path, text in sources.items():
        if not serving.search(text):
            continue
        needs = any(mark in files for mark in _MARKS)
        python = PYTHON if needs else "python3"
        steps = install_steps(folder, files) if needs else ()
        arguments, notes = _script_arguments(path, text)
        return f"Python script {path}", steps, f"{python} {shlex.quote(path)}{arguments}", notes
    return None


def _script_arguments(path: str, text: str) -> tuple[str, tuple[str, ...]]:
    if re.search(r"[\"']--port[\"']", text):
        host = " --host {host}" if re.search(r"[\"']--host[\"']", text) else ""
        return f"{host} --port {{port}}", ()
    if re.search(r"[\"']PORT[\"']", text):
        return "", (f"{path} takes its port from the variable PORT, which Fairway sets for each instance.",)
    if "sys.argv" in text:
        return " {port}", ()
    return "", (f"{path} does not seem to take its port from outside: make it listen on the variable PORT.",)


def _module(file: str, files: tuple[str, ...], sources: Mapping[str, str]) -> tuple[str, str]:
    """The module's name, and the folder that it is imported from; empty if that is the top."""
    source = _import_folder(file, files, sources[file])
    inner = file.removeprefix(f"{source}/") if source else file
    return inner.removesuffix(".py").removesuffix("/__init__").replace("/", "."), source


def _import_folder(file: str, files: tuple[str, ...], text: str) -> str:
    folder = file.rpartition("/")[0]
    if not folder or file.startswith("src/"):
        return "src" if folder else ""
    if f"{folder}/__init__.py" not in files:
        # A folder without __init__.py is a package only if its modules speak of themselves as one.
        beside = [
            path.rpartition("/")[2][:-3] for path in files if path.endswith(".py") and path.rpartition("/")[0] == folder
        ]
        names = "|".join(map(re.escape, beside))
        return folder if re.search(rf"^(from|import) +({names})\b", text, re.MULTILINE) else ""
    while f"{folder}/__init__.py" in files:
        folder = folder.rpartition("/")[0]
    return folder


def _main_first(sources: dict[str, str], main: str) -> dict[str, str]:
    return {main: sources[main], **sources} if main in sources else sources
