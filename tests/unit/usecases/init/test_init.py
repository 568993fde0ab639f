"""The configuration that is written, and how little can keep it from loading."""

import shlex

import pytest
from init_samples import FASTAPI, FLASK, Ports, load_written, path_of

from fairway.config import ConfigError
from fairway.domain.errors import UserError
from fairway.usecases.init import Finding, inspect, service_name, write_configuration


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
