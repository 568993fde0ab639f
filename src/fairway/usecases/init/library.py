"""Recognises a library: a package that is built and published, and that nothing starts."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from fairway.ports.folder import Folder
from fairway.usecases.init.finding import Library
from fairway.usecases.init.node import install_steps, read_package
from fairway.usecases.init.python import MAKE_VENV, PIP, PYTHON, mapping, read_pyproject

_TEST = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_TEST_GROUPS = ("test", "tests", "testing", "dev")
# Build backends that ask git for the version, which a checkout without history cannot tell.
_FROM_GIT = re.compile(r"setuptools[-_]scm|hatch-vcs|pdm-backend")
# What only a package has that others import or call.
_FOR_OTHERS = ("main", "exports", "module", "types", "bin", "files")
_NO_TEST = "no test specified"


def find_library(folder: Folder, files: tuple[str, ...]) -> Library | None:
    """How a package of Python or npm is built and tested; None if this is none."""
    return _find_wheel(folder, files) or _find_npm(folder, files)


def _find_wheel(folder: Folder, files: tuple[str, ...]) -> Library | None:
    content = read_pyproject(folder)
    project = mapping(content.get("project")) or mapping(mapping(content.get("tool")).get("poetry"))
    requires = mapping(content.get("build-system")).get("requires")
    if not isinstance(project.get("name"), str) or not isinstance(requires, list):
        return None
    from_git = any(isinstance(one, str) and _FROM_GIT.match(one) for one in requires) and "version" not in project
    variables = "env SETUPTOOLS_SCM_PRETEND_VERSION={version} PDM_BUILD_SCM_VERSION={version} " if from_git else ""
    steps = (MAKE_VENV, f"{PIP} build", f"{variables}{PYTHON} -m build --outdir dist")
    tests: tuple[str, ...] = ()
    if any(_TEST.search(path) for path in files):
        wanted = " ".join(map(shlex.quote, ("pytest", *_test_requirements(content, project))))
        tests = (MAKE_VENV, f"{PIP} {wanted}", f"sh -c '{PIP} dist/*.whl'", f"{PYTHON} -m pytest")
    notes = _version_note("pyproject.toml") if "version" in project else ()
    summary = f"Python package {project['name']}"
    return Library("library", summary, steps, notes=notes, outputs="dist/*", tests=tests)


def _find_npm(folder: Folder, files: tuple[str, ...]) -> Library | None:
    package = read_package(folder) or {}
    scripts = mapping(package.get("scripts"))
    named = isinstance(package.get("name"), str) and isinstance(package.get("version"), str)
    if not named or package.get("private") or "start" in scripts or "index.html" in files:
        return None
    if not any(key in package for key in _FOR_OTHERS):
        return None
    installed = install_steps(folder, files)
    test = scripts.get("test")
    tests = (*installed, "npm test") if isinstance(test, str) and _NO_TEST not in test else ()
    return Library(
        "library",
        f"npm package {package['name']}",
        (*installed, "npm pack"),
        notes=_version_note("package.json"),
        outputs="*.tgz",
        tests=tests,
        registry="npm",
    )


def _test_requirements(content: Mapping[str, Any], project: Mapping[str, Any]) -> tuple[str, ...]:
    """What the tests need, as the project itself says it."""
    for groups in (mapping(content.get("dependency-groups")), mapping(project.get("optional-dependencies"))):
        for name in _TEST_GROUPS:
            if isinstance(groups.get(name), list):
                return tuple(
                    one for one in groups[name] if isinstance(one, str) and not re.search(r"[{}]|^pytest$", one)
                )
    return ()


def _version_note(file: str) -> tuple[str, ...]:
    return (f"The version of what is built stands in {file}: raise it there before that version is released.",)
