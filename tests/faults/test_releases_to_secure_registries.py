"""Releases to registries behind TLS and a password: refused, cut off, killed, and there in the end."""

import base64
import json
import signal
from pathlib import Path

import pytest
import trustme
from release_project import Project

from image_tools import builder_variables, image_registry
from tunnels import tunnels

PASSWORD = "secret-of-images"
ENCODED = base64.b64encode(f"release:{PASSWORD}".encode()).decode()
CONFIGURATION = """\
service: tool
release:
  artifact: false
  patience: 2s
  build:
    binary: {run: sh -c 'mkdir dist && head -c 12000000 /dev/urandom > dist/tool', outputs: dist/tool}
  images:
    tool: {inputs: [Containerfile]}
  publish:
    staging: {kind: oci, images: [tool], repository: staging.test/acme/tool, user: release, password_variable: IMAGES}
    production:
      kind: oci
      images: [tool]
      repository: production.test/acme/tool
      user: release
      password_variable: IMAGES
      after: [staging]
"""


@pytest.fixture
def registries(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    names = ("staging.test", "production.test")
    with (
        image_registry(tmp_path / "staging", closed=True, identity=authority.issue_cert(names[0])) as staging,
        image_registry(tmp_path / "production", closed=True, identity=authority.issue_cert(names[1])) as production,
        tunnels(dict(zip(names, map(_port, (staging, production)), strict=True))) as proxy,
    ):
        yield staging, proxy


def _port(server):
    return int(server.url.rpartition(":")[2].strip("/"))


@pytest.fixture
def project(tmp_path, registries):
    (tmp_path / "builder").mkdir()
    login = {"auths": {name: {"auth": ENCODED} for name in ("staging.test", "production.test")}}
    (tmp_path / "auth.json").write_text(json.dumps(login))
    variables = {
        **builder_variables(tmp_path / "builder"),
        "HTTPS_PROXY": registries[1].url,
        "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
        "IMAGES": "another-secret",
    }
    made = Project(tmp_path, CONFIGURATION, variables)
    made.commit({"Containerfile": "FROM scratch\nCOPY dist/tool /tool\n"})
    yield made
    made.close()


def said(done, status):
    """What the release says of itself."""
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def seen_in_processes():
    """Arguments of all processes."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue


def test_whatever_stops_a_push_is_told_in_one_sentence_and_the_same_bytes_arrive_in_the_end(
    project, registries, tmp_path
):
    staging, proxy = registries
    arguments = []

    # Given a password that is refused
    first = project.run("release", "1.0.0", "--json")
    answer = said(first, 3)
    assert "staging.test/acme/tool answered 401 Unauthorized: UNAUTHORIZED" in answer["reason"]
    assert "password_variable" in first.stdout

    # When it is the right one, and the registry dies in the middle of the layer
    project.variables["IMAGES"] = PASSWORD

    def die():
        arguments.extend(seen_in_processes())
        staging.process.kill()

    proxy.cut, proxy.limit = die, proxy.sent + 5_000_000
    second = project.run("release", "resume", "--json")
    assert "staging.test/acme/tool " in said(second, 3)["reason"]
    assert arguments

    # And when it is back, and the command dies in the middle of the layer
    staging.process.wait(timeout=60)
    staging.start()
    proxy.cut, proxy.limit = lambda: process.send_signal(signal.SIGKILL), proxy.sent + 5_000_000
    process = project.begin("release", "resume", "--json")
    third = process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL, third

    # Then the next one brings what is missing, and both registries have it under one digest
    fourth = project.run("release", "resume", "--json")
    (digest,) = {one["digest"] for one in said(fourth, 0)["products"] if one["kind"] == "image"}
    project.variables["REGISTRY_AUTH_FILE"] = str(tmp_path / "auth.json")
    for name in ("staging.test", "production.test"):
        shown = project.run("image", "show", f"{name}/acme/tool:1.0.0", "--json")
        assert said(shown, 0)["digest"] == digest
    copied = project.run("image", "copy", "staging.test/acme/tool:1.0.0", "production.test/spare/tool", "--json")
    assert said(copied, 0)["digest"] == digest

    # And nobody has seen the password: not in what was said, not in arguments, not in what is kept
    told = "".join([*third, *(one.stdout + one.stderr for one in (first, second, fourth, copied))])
    kept = b"".join(path.read_bytes() for path in project.folder.rglob("*") if path.is_file() and path.name != "tool")
    for secret in (PASSWORD, ENCODED, "another-secret"):
        assert secret not in told + "".join(arguments)
        assert secret.encode() not in kept
