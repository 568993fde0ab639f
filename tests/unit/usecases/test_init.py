import json
import shlex
from pathlib import Path

import pytest

from fairway.adapters.machine import LocalFolder
from fairway.config import ConfigError, Known, load, load_pipeline
from fairway.domain.errors import UserError
from fairway.ports.machine import Address
from fairway.usecases.init import Finding, inspect, service_name, write_configuration

KNOWN = Known(targets={"local": None}, routers={"envoy": None}, notifiers={})
FASTAPI = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/health/ready")\ndef ready():\n    return {}\n'
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
DJANGO = "from django.core.{0} import get_{0}_application\napplication = get_{0}_application()\n"
PIP = ".venv/bin/pip install --disable-pip-version-check"


class Ports:
    """A machine that is asked for nothing but addresses."""

    def __init__(self, *taken: int):
        self.taken = taken

    def observe_address(self, host: str, port: int) -> Address:
        return Address(free=port not in self.taken)


@pytest.fixture
def repository(tmp_path):
    def make(files: dict[str, str], name: str = "shop") -> LocalFolder:
        top = tmp_path / name
        top.mkdir()
        for path, text in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text)
        return LocalFolder(top)

    return make


PROJECTS = {
    "FastAPI with requirements": (
        {"main.py": FASTAPI, "requirements.txt": "fastapi\n"},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt", f"{PIP} uvicorn"],
        ".venv/bin/uvicorn --host {host} --port {port} main:app",
    ),
    "FastAPI that brings its server": (
        {"main.py": FASTAPI, "requirements.txt": "fastapi[standard]==0.165.0\n"},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/uvicorn --host {host} --port {port} main:app",
    ),
    "Starlette on granian in a src layout, locked by uv": (
        {
            "src/shop/web.py": "import starlette.applications\napi = starlette.applications.Starlette()\n",
            "src/shop/__init__.py": "",
            "tests/test_web.py": FASTAPI,
            "uv.lock": "",
            "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["starlette", "granian>=2"]\n',
        },
        ["python3 -m venv .venv", f"{PIP} uv", ".venv/bin/uv sync --frozen --no-dev --inexact"],
        ".venv/bin/granian --interface asgi --host {host} --port {port} --working-dir src shop.web:api",
    ),
    "Flask with pyproject and nothing to build": (
        {"app.py": FLASK, "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["Flask"]\n'},
        ["python3 -m venv .venv", f"{PIP} uv", ".venv/bin/uv pip install -r pyproject.toml", f"{PIP} gunicorn"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 app:app",
    ),
    "Flask factory on waitress": (
        {
            "shop/__init__.py": "import flask\n\ndef create_app(config=None):\n    return flask.Flask(__name__)\n",
            "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\n[project]\ndependencies = ["waitress"]\n',
        },
        ["python3 -m venv .venv", f"{PIP} ."],
        ".venv/bin/waitress-serve --call --listen={host}:{port} shop:create_app",
    ),
    "Flask factory on gunicorn": (
        {
            "shop.py": "from flask import Flask\ndef create_app():\n    return Flask('x')\n",
            "requirements.txt": "gunicorn",
        },
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 shop:create_app()",
    ),
    "Django": (
        {
            "manage.py": "",
            "site1/__init__.py": "",
            "site1/asgi.py": DJANGO.format("asgi"),
            "site1/wsgi.py": DJANGO.format("wsgi"),
            "requirements.txt": "Django>=5\n",
        },
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt", f"{PIP} gunicorn"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 site1.wsgi:application",
    ),
    "plain ASGI function below a folder that is no package": (
        {"web/app.py": "import store\nasync def app(scope, receive, send): ...\n", "web/store.py": "", "setup.py": ""},
        ["python3 -m venv .venv", f"{PIP} .", f"{PIP} uvicorn"],
        ".venv/bin/uvicorn --host {host} --port {port} --app-dir web app:app",
    ),
    "plain WSGI function": (
        {"wsgi.py": "def application(environ, start_response): ...\n", "requirements.txt": ""},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt", f"{PIP} gunicorn"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 wsgi:application",
    ),
    "Datasette with its data": (
        {"requirements.txt": "datasette==0.65.1\n", "shop.db": "", "notes.txt": ""},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/datasette serve --host {host} --port {port} shop.db",
    ),
    "script of the standard library with an option": (
        {"serve.py": "import argparse\np.add_argument('--port')\nHTTPServer(('', a.port), H).serve_forever()\n"},
        [],
        "python3 serve.py --port {port}",
    ),
    "Node with a lock file": (
        {
            "package.json": json.dumps({"scripts": {"start": "node server.js"}, "dependencies": {"express": "5"}}),
            "package-lock.json": "{}",
            "server.js": "app.listen(process.env.PORT || 3000)",
        },
        ["npm ci"],
        "node server.js",
    ),
    "Node without a lock file, with a build and a start of many words": (
        {
            "package.json": json.dumps(
                {"scripts": {"start": "next start -p $PORT", "build": "next build"}, "dependencies": {"next": "16"}}
            ),
        },
        ["npm install --no-audit --no-fund", "npm run build"],
        "npm start",
    ),
    "Node with nothing but a main file": (
        {"package.json": '{"main": "./lib/web.js"}', "lib/web.js": "http.createServer(f).listen(process.env.PORT)"},
        [],
        "node lib/web.js",
    ),
    "Node on pnpm that reads its own version": (
        {
            "package.json": json.dumps({"scripts": {"start": "node a.js"}, "dependencies": {"x": "1"}}),
            "pnpm-lock.yaml": "",
            "a.js": "console.log(process.env.npm_package_version)",
        },
        ["pnpm install --frozen-lockfile"],
        "npm start",
    ),
    "pages built by vite": (
        {
            "package.json": json.dumps(
                {"scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "8"}}
            ),
            "index.html": "",
        },
        ["npm install --no-audit --no-fund", "npm run build"],
        "python3 -m http.server --bind {host} --directory dist {port}",
    ),
    "Procfile in Python": (
        {
            "Procfile": "web: gunicorn shop:app -b 0.0.0.0:$PORT\nworker: python work.py\n",
            "requirements.txt": "gunicorn",
        },
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/gunicorn shop:app -b 0.0.0.0:{port}",
    ),
    "Procfile for a shell": (
        {"Procfile": "web: bin/prepare && exec bin/serve --port ${PORT:-3000} > log\n"},
        [],
        "sh -c 'bin/prepare && exec bin/serve --port ${PORT:-3000} > log'",
    ),
    "Procfile in Node": (
        {"Procfile": "web: npm start\n", "package.json": '{"dependencies": {"x": "1"}}', "package-lock.json": ""},
        ["npm ci"],
        "npm start",
    ),
    "pages": ({"index.html": "hi", "style.css": ""}, [], "python3 -m http.server --bind {host} {port}"),
    "pages in a folder": (
        {"public/index.html": "hi"},
        [],
        "python3 -m http.server --bind {host} --directory public {port}",
    ),
}


@pytest.mark.parametrize("project", PROJECTS)
def test_a_project_gets_a_configuration_that_loads_and_says_how_to_build_and_start_it(repository, project):
    files, steps, command = PROJECTS[project]
    folder = repository(files)
    write_configuration(folder, inspect(folder), Ports())
    spec = load_written(folder)
    assert list(spec.build_steps) == steps
    assert spec.environments[0].run.command == command


def load_written(folder: LocalFolder):
    return load(path_of(folder), KNOWN)


def path_of(folder: LocalFolder) -> Path:
    return folder._path / "fairway.yaml"


def test_two_environments_are_written_with_staging_before_production(repository):
    folder = repository({"index.html": ""})
    written = write_configuration(folder, inspect(folder), Ports())
    spec = load_written(folder)
    assert [(each.name, each.after, each.instances) for each in spec.environments] == [
        ("staging", None, 1),
        ("production", "staging", 2),
    ]
    assert written.addresses == (("staging", "127.0.0.1:8100"), ("production", "127.0.0.1:8000"))
    assert [each.router.get("listen") for each in spec.environments] == ["127.0.0.1:8100", "127.0.0.1:8000"]


def test_ports_that_are_taken_are_passed_over(repository):
    folder = repository({"index.html": ""})
    written = write_configuration(folder, inspect(folder), Ports(8000, 8001, 8102))
    assert dict(written.addresses)["production"] == "127.0.0.1:8003"


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


def test_a_repository_that_nothing_recognises_gets_one_blank_that_check_names(repository):
    folder = repository({"main.go": "package main\n"})
    finding = inspect(folder)
    assert finding.kind == "unknown"
    write_configuration(folder, finding, Ports())
    with pytest.raises(ConfigError) as caught:
        load_written(folder)
    (problem,) = caught.value.problems
    assert (problem.key_path, problem.message) == ("run.command", "the command is empty")
    filled = path_of(folder).read_text().replace('command: ""', "command: ./serve {port}")
    path_of(folder).write_text(filled)
    assert load_written(folder).environments[0].run.command == "./serve {port}"


def test_an_existing_configuration_is_kept_unless_forced(repository):
    folder = repository({"index.html": "", "fairway.yaml": "mine"})
    with pytest.raises(UserError) as caught:
        write_configuration(folder, inspect(folder), Ports())
    assert caught.value.code == "config-exists"
    assert path_of(folder).read_text() == "mine"
    assert not (path_of(folder).parent / ".gitignore").exists()
    write_configuration(folder, inspect(folder), Ports(), force=True)
    assert load_written(folder).service == "shop"


def test_the_state_folder_is_ignored_once_and_other_lines_stay(repository):
    folder = repository({"index.html": "", ".gitignore": "*.log"})
    assert write_configuration(folder, inspect(folder), Ports()).ignored is True
    assert write_configuration(folder, inspect(folder), Ports(), force=True).ignored is False
    lines = (path_of(folder).parent / ".gitignore").read_text().splitlines()
    assert lines[0] == "*.log"
    assert lines.count(".fairway/") == 1


def test_writing_leaves_no_other_file_behind(repository):
    folder = repository({"index.html": ""})
    write_configuration(folder, inspect(folder), Ports())
    assert sorted(entry.name for entry in path_of(folder).parent.iterdir()) == [
        ".gitignore",
        "fairway.yaml",
        "index.html",
    ]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("My Shop!", "my-shop"),
        ("2024", "service-2024"),
        ("Ünïcode", "n-code"),
        ("…", "service"),
        ("x" * 99, "x" * 40),
    ],
)
def test_the_service_is_named_after_the_folder(folder, name):
    assert service_name(folder) == name


def health_of(repository, files) -> tuple[str | None, str | None]:
    finding: Finding = inspect(repository(files))
    return finding.ready, finding.live


def test_health_paths_are_taken_from_the_source(repository):
    source = FASTAPI + '\n\n@app.get("/health/live")\ndef live():\n    return {}\n'
    assert health_of(repository, {"main.py": source, "requirements.txt": ""}) == ("/health/ready", "/health/live")


@pytest.mark.parametrize("route", ['@app.post("/up")', '@app.route("/up", methods=["POST"])'])
def test_a_route_that_answers_no_get_is_no_health_check(repository, route):
    source = FLASK + f"{route}\ndef h(): return ''\n"
    assert health_of(repository, {"app.py": source, "requirements.txt": ""}) == (None, None)


def test_a_health_path_keeps_its_last_slash(repository):
    source = FLASK + '@app.get("/healthz/")\ndef h(): return ""\n'
    assert health_of(repository, {"app.py": source, "requirements.txt": ""}) == ("/healthz/", None)


def test_health_paths_of_others_tests_and_prefixed_routes_are_not_taken(repository):
    files = {
        "app.py": FLASK + 'requests.get("/healthz")\n',
        "tests/test_app.py": 'client.get("/health/ready")\n',
        "routes.py": 'router = APIRouter(prefix="/api")\n@router.get("/health")\ndef h(): ...\n',
        "requirements.txt": "",
    }
    assert health_of(repository, files) == (None, None)


def test_a_node_server_shows_its_health_path(repository):
    files = {
        "package.json": '{"scripts": {"start": "node server.js"}}',
        "server.js": "if (req.url === '/up') ok(); listen(process.env.PORT)",
    }
    assert health_of(repository, files) == ("/up", None)


def test_a_release_line_and_django_migrations_become_the_migrate_stage(repository):
    files = {"Procfile": "web: gunicorn a:b\nrelease: python manage.py migrate, all\n", "requirements.txt": ""}
    folder = repository(files)
    write_configuration(folder, inspect(folder), Ports())
    for environment in load_written(folder).environments:
        assert environment.stages["migrate"].commands == (".venv/bin/python manage.py migrate, all",)


def test_a_server_that_takes_no_port_is_pointed_out(repository):
    folder = repository({"package.json": '{"scripts": {"start": "node a.js"}}', "a.js": "app.listen(3000)"})
    (note,) = inspect(folder).notes
    assert "does not seem to read the variable PORT" in note
    write_configuration(folder, inspect(folder), Ports())
    assert f"# {note}" in path_of(folder).read_text()


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": "{not json", "index.html": ""},
        {"package.json": "[1]", "index.html": ""},
        {"package.json": '{"scripts": 5, "dependencies": [1]}', "index.html": ""},
        {"pyproject.toml": "project = 1\ntool = 2\nbuild-system = 3", "index.html": ""},
        {"pyproject.toml": "project = {dependencies = 1}\ntool = {poetry = []}", "index.html": ""},
        {"pyproject.toml": "= broken", "app.py": "def (", "index.html": ""},
        {"requirements.txt": "\x00\n-r other.txt\n", "index.html": ""},
        {"Procfile": "no lines here", "index.html": ""},
    ],
)
def test_broken_files_are_passed_over(repository, files):
    folder = repository(files)
    assert inspect(folder).command == "python3 -m http.server --bind {host} {port}"


def test_hostile_names_of_files_and_folders_still_give_a_file_that_loads(repository):
    folder = repository({"requirements.txt": "datasette", 'a: "b" #c.db': "", "shop\n.db": ""}, name="a: [#\n")
    write_configuration(folder, inspect(folder), Ports())
    spec = load_written(folder)
    assert spec.service == "a"
    assert shlex.split(spec.environments[0].run.command)[-2:] == ['a: "b" #c.db', "shop\n.db"]


def test_a_script_with_a_line_break_in_its_name_does_not_break_the_comments(repository):
    folder = repository({"a\nb: c.py": "import os\nHTTPServer(('', int(os.environ['PORT'])), H).serve_forever()\n"})
    write_configuration(folder, inspect(folder), Ports())
    assert shlex.split(load_written(folder).environments[0].run.command) == ["python3", "a\nb: c.py"]


def test_foreign_folders_are_not_looked_at(repository):
    files = {"node_modules/x/index.html": "", "venv/app.py": FASTAPI, "env2/pyvenv.cfg": "", "env2/main.py": FASTAPI}
    assert inspect(repository(files)).kind == "unknown"
