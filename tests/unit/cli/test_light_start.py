"""What a command loads before it does anything is time that its user waits."""

import subprocess
import sys


def test_a_command_does_not_load_what_only_migrations_need():
    program = (
        "import sys; from fairway.cli import run; run(['deploy', 'v1', '--env', 'production', '--config', '/nowhere']);"
        "print(sorted({'sqlalchemy', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout == "[]\n"
    assert "/nowhere" in done.stderr


def loaded_by(folder, *arguments):
    """The modules that a command has loaded when it is over."""
    program = (
        "import sys; from fairway.cli import run; run(sys.argv[1:]);sys.stderr.write('LOADED ' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, timeout=180, check=True
    )
    return done.stdout, set(done.stderr.rpartition("LOADED ")[2].split())


def test_the_next_version_is_said_without_the_parser_the_configuration_and_what_keeps_whole_histories(tmp_path):
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "feat: a", "--allow-empty"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    said, modules = loaded_by(tmp_path, "next", "--initial", "1.0.0")
    assert said == "1.0.0\n"
    heavy = {"cyclopts", "pydantic", "ruamel", "sqlalchemy", "jinja2", "hashlib", "fairway.domain.rollout"}
    others = {
        "fairway.domain.versioning.changelog",
        "fairway.domain.versioning.pep440",
        "fairway.domain.versioning.calver",
    }
    assert modules & (heavy | others) == set()


def test_the_store_is_opened_without_what_releases_are_made_by(tmp_path):
    program = "import sys; import fairway.cli.status, fairway.adapters.stores.sql.store; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180, check=True)
    loaded = set(done.stdout.split())
    assert {one for one in loaded if one.startswith("fairway.domain.pipeline")} == set()
    assert not {"alembic", "cyclopts", "jinja2"} & loaded
