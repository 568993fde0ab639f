"""What is found out about what is released and never deployed."""

import json

import pytest
from init_samples import FLASK, KNOWN, PIP, Ports, load_written, path_of

from fairway.config import load_pipeline
from fairway.usecases.init import inspect, write_configuration

BACKEND = '[build-system]\nrequires = ["{0}"]\n'
WHEEL = '[project]\nname = "shapes"\nversion = "1.0"\n' + BACKEND.format("hatchling")
LIBRARIES = {
    "Python with tests and a page about itself": (
        {
            "pyproject.toml": WHEEL + '[dependency-groups]\ntest = ["pytest", "hypothesis>=6"]\n',
            "src/shapes/__init__.py": "def area():\n    return 1\n",
            "tests/test_area.py": "",
            "docs/index.html": "",
        },
        ("python3 -m venv .venv", f"{PIP} build", ".venv/bin/python -m build --outdir dist"),
        (
            *("python3 -m venv .venv", f"{PIP} pytest 'hypothesis>=6'"),
            *(f"sh -c '{PIP} dist/*.whl'", ".venv/bin/python -m pytest"),
        ),
        "dist/*",
    ),
    "Python with its version from git": (
        {"pyproject.toml": '[project]\nname = "shapes"\ndynamic = ["version"]\n' + BACKEND.format("setuptools-scm>=8")},
        (
            *("python3 -m venv .venv", f"{PIP} build"),
            "env SETUPTOOLS_SCM_PRETEND_VERSION={version} PDM_BUILD_SCM_VERSION={version} "
            ".venv/bin/python -m build --outdir dist",
        ),
        None,
        "dist/*",
    ),
    "npm": (
        {
            "package.json": '{"name": "shapes", "version": "1.0.0", "main": "index.js",'
            ' "scripts": {"test": "node --test", "build": "tsc"}, "devDependencies": {"typescript": "6"}}',
            "package-lock.json": "",
            "index.js": "exports.area = () => 1;",
        },
        ("npm ci", "npm run build", "npm pack"),
        ("npm ci", "npm run build", "npm test"),
        "*.tgz",
    ),
}


@pytest.mark.parametrize("project", LIBRARIES)
def test_a_library_gets_a_release_and_no_environment(repository, project):
    files, build, tests, outputs = LIBRARIES[project]
    folder = repository(files)
    written = write_configuration(folder, inspect(folder), Ports())
    assert (written.finding.kind, written.addresses) == ("library", ())
    assert load_written(folder).environments == ()
    tasks = {task.name: task for task in load_pipeline(path_of(folder), KNOWN).tasks}
    assert (tasks["package"].steps, tasks["package"].outputs) == (build, (outputs,))
    assert (tasks["unit"].steps if "unit" in tasks else None) == tests
    text = path_of(folder).read_text()
    assert "docs/tutorial/release-a-library.md" in text
    before, mark, after = text.partition("  # publish:\n")
    path_of(folder).write_text(before + (mark + after).replace("  # ", "  ").replace("  #   ", "    "))
    (publish,) = load_pipeline(path_of(folder), KNOWN).publish
    assert publish.files == (outputs,)


@pytest.mark.parametrize(
    "package",
    [
        {"name": "shapes", "version": "1.0.0", "main": "a.js", "private": True},
        {"name": "shapes", "version": "1.0.0"},
        {"main": "a.js"},
    ],
)
def test_a_package_that_is_not_for_others_is_no_library(repository, package):
    assert inspect(repository({"package.json": json.dumps(package)})).kind == "unknown"


@pytest.mark.parametrize("content", ['[project]\nname = "x"\n', 'build-system = 2\n[project]\nname = "x"\n'])
def test_a_project_that_nothing_builds_is_no_library(repository, content):
    assert inspect(repository({"pyproject.toml": content})).kind == "unknown"


def test_an_application_with_a_build_backend_is_no_library(repository):
    assert inspect(repository({"pyproject.toml": WHEEL, "shapes/web.py": FLASK})).kind == "python"
