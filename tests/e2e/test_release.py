"""Releases by the command line, with real processes, real registries and a real remote repository."""

import json
import signal
import urllib.error
import urllib.request

import pytest
from release_project import await_true, publishing

from packages import make_npm, make_sdist, make_wheel

CONFIGURATION = """\
service: shop
release:
  push: origin
  patience: 120s
  build:
    packages:
      run: sh -c 'mkdir dist && cp fixed/* dist/'
      outputs: dist/*
  test:
    unit: {{run: sh -c 'test -e dist/shop-1.0.0.tar.gz'}}
  publish:
    pypi:
      kind: pypi
      url: {pypi_url}
      user: release
      password_variable: PYPI_TOKEN
      files: [dist/*.whl, dist/shop-*.tar.gz]
    npm:
      kind: npm
      url: {npm_url}
      token_variable: NPM_TOKEN
      files: dist/*.tgz
"""


@pytest.fixture
def world(tmp_path):
    with publishing(tmp_path, CONFIGURATION) as project:
        fixed = project.folder / "fixed"
        fixed.mkdir()
        for make in (make_wheel, make_sdist, make_npm):
            make(fixed, "shop", "1.0.0")
        project.commit({})
        yield project


def _published(project):
    python = sorted(path.name for path in project.packages.iterdir())
    try:
        with urllib.request.urlopen(f"{project.npm_url}shop", timeout=60) as answer:
            versions = sorted(json.loads(answer.read())["versions"])
    except urllib.error.HTTPError:
        versions = []
    return python, versions


def hold_pushes(remote):
    """A push is written down, and its answer waits until the file `killed` is there."""
    hook = remote / "hooks/post-receive"
    hook.write_text("#!/bin/sh\necho pushed >> pushes\nwhile [ ! -e killed ]; do sleep 0.02; done\n")
    hook.chmod(0o755)


def test_a_release_killed_after_any_single_side_effect_converges_when_it_is_resumed(world):
    # Given a command that dies, as by kill -9, the moment each of its side effects in turn has happened: the push
    # of the tag, two uploads to one registry, one to another. The answer never reaches it.
    project, (pypi, npm) = world, world.fronts

    def kill():
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        return True

    hold_pushes(project.remote)
    process = project.begin("release", "1.0.0", "--json")
    await_true((project.remote / "pushes").exists)
    kill()
    (project.remote / "killed").touch()
    for registry, uploads in ((pypi, 1), (pypi, 2), (npm, 1)):
        registry.after = lambda registry=registry, uploads=uploads: len(registry.uploads) == uploads and kill()
        process = project.begin("release", "resume", "--json")
        _, error = process.communicate(timeout=180)
        assert process.returncode == -signal.SIGKILL, error
        registry.after = lambda: None

    # When it is resumed for the last time
    done = project.run("release", "resume", "--json")

    # Then everything is there once, and nothing was ever sent twice.
    assert done.returncode == 0, done.stderr
    release = json.loads(done.stdout)
    assert release["phase"] == "completed"
    assert _published(project) == (["shop-1.0.0-py3-none-any.whl", "shop-1.0.0.tar.gz"], ["1.0.0"])
    assert (len(pypi.uploads), len(npm.uploads)) == (2, 1)
    assert (project.remote / "pushes").read_text() == "pushed\n"
    assert project.git("ls-remote", "origin", "refs/tags/v1.0.0^{}").split()[0] == project.git("rev-parse", "HEAD")
    outcomes = {task["task"]: task["detail"] for task in release["tasks"]}
    assert outcomes["pypi"] == "2 there already"
    assert outcomes["npm"] == "1 there already"
    assert "there already" in outcomes["tag"]
    # And what had been built was built once.
    assert [task["tries"] for task in release["tasks"] if task["task"] == "packages"] == [1]
