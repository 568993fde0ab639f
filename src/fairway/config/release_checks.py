"""What the section `release` makes impossible together with itself and with others, and where its parts stand."""

from collections.abc import Iterator, Mapping
from typing import Any

from fairway.config.complaints import one_of
from fairway.config.document import Document
from fairway.config.problems import Problem
from fairway.config.release import STAGES, PublishSection, ReleaseSection, to_pipeline
from fairway.config.scans import ScanSection, SecuritySection
from fairway.domain.pipeline.compile import problems_of
from fairway.domain.pipeline.scanners import Scanner, find_scanner

#: Keys of an entry of `publish` that are no settings of its registry.
_OUR_OWN = ("files", "images", "after", "workspace", "changed")


def registry_settings(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and own settings of each entry of `publish` in the file's plain data."""
    release = data.get("release")
    publish = release.get("publish") if isinstance(release, dict) else None
    for name, entry in publish.items() if isinstance(publish, dict) else ():
        if isinstance(entry, dict):
            yield name, {key: value for key, value in entry.items() if key not in _OUR_OWN}


def check_pipeline(document: Document, section: ReleaseSection) -> Iterator[Problem]:
    """What the tasks make impossible together."""
    for name, entry in section.publish.items():
        yield from _check_products(document, name, entry)
    for name, task in section.security.items():
        yield from _check_scan(document, name, task)
    for problem in problems_of(to_pipeline(section)):
        yield document.problem(("release", *problem.path), problem.sentence, problem.hint)


def _check_scan(document: Document, name: str, task: SecuritySection) -> Iterator[Problem]:
    """Either a scanner by its name, or commands and where their report is."""
    scan, path = task.scan, ("release", "security", name)
    if scan is None or scan.tool is None:
        if not task.run:
            yield document.problem(path, "run is missing", "write the commands, or a scanner by its name: scan: bandit")
        if scan is not None and scan.report is None:
            yield document.problem((*path, "scan"), "report is missing", "say where the commands write it")
    if scan is None:
        return
    scanner = None if scan.tool is None else find_scanner(scan.tool)
    for key in ("paths", "arguments", "image"):
        if getattr(scan, key) and (scanner is None or task.run):
            yield document.problem((*path, "scan", key), f"{key} is for a scanner that is called by its name", "")
    if scan.history and (scanner is None or not scanner.history or task.run):
        sentence = "only kingfisher, called by its name, looks at the history"
        yield document.problem((*path, "scan", "history"), sentence, "leave it out")
    if scanner is not None:
        yield from _check_scanner(document, (*path, "scan"), scan, scanner)


def _check_scanner(document: Document, path: tuple[str, ...], scan: ScanSection, scanner: Scanner) -> Iterator[Problem]:
    """What the scanner looks at is something that it can look at."""
    if scan.image and not scanner.image:
        yield document.problem((*path, "image"), f"{scanner.name} looks at no images", "trivy and grype do")
    if scan.paths and "{paths}" not in scanner.command:
        sentence = f"{scanner.name} looks at its lock file, not at paths"
        yield document.problem((*path, "paths"), sentence, "leave it out")
    if len(scan.paths) > 1 and scanner.single:
        sentence = f"{scanner.name} looks at one path, not at {len(scan.paths)}"
        yield document.problem((*path, "paths"), sentence, "write an entry of security for each")


def _check_products(document: Document, name: str, entry: PublishSection) -> Iterator[Problem]:
    """Images go to registries of images, files to all others."""
    wanted, other = ("images", "files") if entry.kind == "oci" else ("files", "images")
    path = ("release", "publish", name)
    if getattr(entry, other):
        sentence = f"a registry of the kind {entry.kind!r} takes {wanted}, not {other}"
        yield document.problem((*path, other), sentence, f"name them under {wanted}")
    elif not getattr(entry, wanted):
        yield document.problem(path, f"{wanted} is missing", f"name the {wanted} that go there")
    if entry.workspace and not any("{package}" in one or "{folder}" in one for one in entry.files):
        sentence = "files are the same for each package of the workspace"
        yield document.problem((*path, "files"), sentence, "such as dist/{package}-*")
    if entry.changed and not entry.workspace:
        yield document.problem((*path, "changed"), "changed is for the packages of a workspace", "say workspace: uv")


def check_demands(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Tasks that an environment demands and that no release has."""
    known = {path[-1] for path, _ in task_places(data)}
    environments = data.get("environments")
    for name, environment in environments.items() if isinstance(environments, dict) else ():
        gates = environment.get("gates") if isinstance(environment, dict) else None
        demanded = gates.get("passed") if isinstance(gates, dict) else None
        for number, task in enumerate(demanded if isinstance(demanded, list) else ()):
            if task not in known:
                path = ("environments", str(name), "gates", "passed", number)
                yield document.problem(path, *one_of(task, "a task of release", sorted(known)))


def task_places(data: Mapping[str, Any]) -> list[tuple[tuple[str, str, str], Any]]:
    """Where tasks stand in the file's plain data."""
    release = data.get("release")
    found: list[tuple[tuple[str, str, str], Any]] = []
    for stage in (*STAGES, "images"):
        tasks = release.get(stage) if isinstance(release, dict) else None
        for name, task in tasks.items() if isinstance(tasks, dict) else ():
            found.append((("release", stage, str(name)), task))
    return found
