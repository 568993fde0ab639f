"""Recognises a Node project."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from fairway.ports.folder import Folder
from fairway.usecases.init.finding import Finding
from fairway.usecases.init.health import find_health

_INSTALL = (
    ("package-lock.json", "npm ci"),
    ("npm-shrinkwrap.json", "npm ci"),
    ("pnpm-lock.yaml", "pnpm install --frozen-lockfile"),
    ("yarn.lock", "yarn install --frozen-lockfile"),
)
_SOURCES = (".js", ".mjs", ".cjs", ".ts", ".mts")
_NOT_THE_APP = re.compile(r"(^|/)(tests?|__tests__|docs?|examples?|dist|build|public)/|\.(test|spec|config|min)\.")
_MOST_SOURCES = 200
_MAINS = ("server.js", "index.js", "app.js", "main.js", "src/server.js", "src/index.js", "src/app.js")
# A start script that one process can be started from without npm, its shell and their memory in between.
_PLAIN_START = re.compile(r"node( [A-Za-z0-9_./=-]+)+")
_DEVELOPMENT = re.compile(
    r"\b(vite|react-scripts start|webpack(-dev-server)? serve|ng serve|parcel|nodemon)\b(?! preview)"
)
_READS_PORT = re.compile(r"env\.PORT|env\[[\"']PORT[\"']\]|\{[^}]*\bPORT\b[^}]*\}\s*=\s*process\.env")
_OWN_PORT = (
    "next",
    "nuxt",
    "@nestjs/core",
    "serve",
    "http-server",
    "@remix-run/serve",
    "astro",
    "@sveltejs/adapter-node",
)


def find_node(folder: Folder, files: tuple[str, ...]) -> Finding | None:
    """What a Node project needs; None if there is no package.json, or nothing in it can be served."""
    package = read_package(folder)
    if package is None:
        return None
    sources = node_sources(folder, files)
    scripts = _mapping(package.get("scripts"))
    start = scripts.get("start") if isinstance(scripts.get("start"), str) else None
    if (start is None or _DEVELOPMENT.search(start)) and "build" in scripts and _makes_pages(package):
        return _pages(package, files)
    command = _command(package, start, files, sources)
    if command is None:
        return None
    main = next((path for path in sources if path in command.split()), "")
    health = find_health({main: sources[main], **sources} if main else sources)
    summary = f"Node application, started by {command}"
    steps = install_steps(folder, files)
    notes = _notes(package, sources)
    return Finding("node", summary, steps, command, health.ready, health.seen, health.live, (), notes)


def install_steps(folder: Folder, files: tuple[str, ...]) -> tuple[str, ...]:
    """The steps that install the project's packages and build it; none if it asks for none."""
    package = read_package(folder) or {}
    wanted = {**_mapping(package.get("dependencies")), **_mapping(package.get("devDependencies"))}
    steps = []
    if wanted or "workspaces" in package:
        steps.append(next((step for lock, step in _INSTALL if lock in files), "npm install --no-audit --no-fund"))
    if "build" in _mapping(package.get("scripts")):
        steps.append("npm run build")
    return tuple(steps)


def _command(
    package: Mapping[str, Any], start: str | None, files: tuple[str, ...], sources: Mapping[str, str]
) -> str | None:
    uses_npm = any("npm_package_" in text or "npm_config_" in text for text in sources.values())
    hooks = {"prestart", "poststart"} & _mapping(package.get("scripts")).keys()
    if start is not None:
        return start if _PLAIN_START.fullmatch(start) and not uses_npm and not hooks else "npm start"
    main = package.get("main")
    if (
        isinstance(main, str)
        and main.removeprefix("./") in files
        and ".listen(" in sources.get(main.removeprefix("./"), "")
    ):
        return f"node {shlex.quote(main.removeprefix('./'))}"
    found = next((path for path in _MAINS if ".listen(" in sources.get(path, "")), None)
    return f"node {found}" if found else None


def _notes(package: Mapping[str, Any], sources: Mapping[str, str]) -> tuple[str, ...]:
    wanted = _mapping(package.get("dependencies"))
    reads_port = any(_READS_PORT.search(text) for text in sources.values()) or any(name in wanted for name in _OWN_PORT)
    if reads_port:
        return ("The port comes from the variable PORT, which Fairway sets for each instance.",)
    return ("The source does not seem to read the variable PORT: make it listen there, or name {port} in the command.",)


def _makes_pages(package: Mapping[str, Any]) -> bool:
    wanted = {**_mapping(package.get("dependencies")), **_mapping(package.get("devDependencies"))}
    return any(name in wanted for name in ("vite", "react-scripts", "parcel", "@angular/cli", "@11ty/eleventy"))


def _pages(package: Mapping[str, Any], files: tuple[str, ...]) -> Finding:
    wanted = {**_mapping(package.get("dependencies")), **_mapping(package.get("devDependencies"))}
    made = "build" if "react-scripts" in wanted else "_site" if "@11ty/eleventy" in wanted else "dist"
    install = next((step for lock, step in _INSTALL if lock in files), "npm install --no-audit --no-fund")
    command = f"python3 -m http.server --bind {{host}} --directory {made} {{port}}"
    notes = (f"The pages are expected in {made}/ after the build.",)
    return Finding("node", "pages built with Node", (install, "npm run build"), command, notes=notes)


def node_sources(folder: Folder, files: tuple[str, ...]) -> dict[str, str]:
    """The project's own JavaScript and TypeScript files with their text."""
    paths = [path for path in files if path.endswith(_SOURCES) and not _NOT_THE_APP.search(path)]
    texts = {path: folder.read_text(path) for path in paths[:_MOST_SOURCES]}
    return {path: text for path, text in texts.items() if text is not None}


def read_package(folder: Folder) -> Mapping[str, Any] | None:
    """The content of package.json; None if there is none or it cannot be parsed."""
    text = folder.read_text("package.json")
    if text is None:
        return None
    try:
        package = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return package if isinstance(package, dict) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
