"""A workspace of which some packages are in the registries already, and which may not publish all that it has."""

import json
import shutil
import tomllib
import urllib.request

from test_release_of_a_workspace import manifests, wheels, world

__all__ = ["world"]


def with_a_private_member(version):
    """What nobody may publish stands between two that everybody gets."""
    files = manifests(version, {"app": ["tool"], "tool": ["zero"], "zero": []})
    place = "python/tool/pyproject.toml"
    files[place] = files[place].replace("dependencies", 'classifiers = ["Private :: Do Not Upload"]\ndependencies', 1)
    tomllib.loads(files[place])
    files["node/tool/package.json"] = json.dumps({**json.loads(files["node/tool/package.json"]), "private": True})
    return files


def details(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return {task["task"]: task["detail"] for task in json.loads(done.stdout)["tasks"] if task["stage"] == "publish"}


def test_what_is_there_already_is_not_sent_again_from_another_machine_and_what_is_gone_is(world):
    # Given a workspace with a member that is private
    world.commit(with_a_private_member("1.0.0"))
    first = details(world.run("release", "1.0.0", "--json"))

    # Then everything else is there, each behind what it needs, also over the private one
    assert set(first) == {"tag", *(f"{kind}-acme-{name}" for kind in ("pypi", "npm") for name in ("zero", "app"))}
    assert wheels(world) == {"zero", "app"}
    pypi, npm = world.fronts
    assert (pypi.uploads, len(npm.uploads)) == ([200, 200], 2)
    with urllib.request.urlopen(f"{world.npm_url}@acme%2fapp", timeout=60) as answer:
        assert list(json.loads(answer.read())["versions"]) == ["1.0.0"]

    # When the same version is released where nothing of that is known, and one package is gone from its registry
    shutil.rmtree(world.folder / ".fairway")
    (gone,) = world.packages.glob("acme_app-*")
    gone.unlink()
    again = details(world.run("release", "1.0.0", "--json"))

    # Then only that one is sent, and the tag is as it was
    assert again.pop("pypi-acme-app") == "1 published"
    assert again.pop("tag") == "was there already"
    assert set(again.values()) == {"1 there already"}
    assert (pypi.uploads, len(npm.uploads)) == ([200, 200, 200], 2)
    assert wheels(world) == {"zero", "app"}

    # And a package of other bytes under the same version halts it before anything behind that goes out
    shutil.rmtree(world.folder / ".fairway")
    (kept,) = world.packages.glob("acme_zero-*")
    kept.write_bytes(kept.read_bytes() + b"\0")
    (app,) = world.packages.glob("acme_app-*")
    app.unlink()
    refused = world.run("release", "1.0.0", "--json")
    assert refused.returncode == 1, refused.stderr
    assert "is in the registry with other bytes than" in json.loads(refused.stdout)["reason"]
    assert wheels(world) == {"zero"}
    assert len(pypi.uploads) == 3
