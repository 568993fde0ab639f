"""Images built by podman and by docker: the same release as with buildah, and pushed to a real registry."""

import json
import shutil
from pathlib import Path

import pytest
from release_project import Project

from docker_daemon import docker_daemon
from fairway.adapters.images.registries import OciRegistries
from fairway.domain.images.manifests import read_document
from fairway.domain.images.reference import parse_reference
from image_tools import host_of, image_registry, podman_variables

CONFIGURATION = """\
service: tool
release:
  artifact: false
  build:
    binary:
      run: sh -c 'mkdir dist && echo tool for {arch} > dist/tool-{arch}'
      matrix: {arch: [amd64, arm64]}
      versioned: false
      outputs: dist/tool-{arch}
  images:
    tool: {builder: @BUILDER@, platforms: [linux/amd64, linux/arm64], arguments: {TITLE: "the tool {version}"}}
  test:
    layout:
      run: grep -c manifest images/tool.linux-arm64/index.json
      needs: [tool]
  publish:
    staging: {kind: oci, images: [tool], repository: @HOST@/acme/tool}
"""
CONTAINERFILE = """\
FROM scratch
ARG TARGETARCH
ARG TITLE
LABEL title=$TITLE
COPY dist/tool-${TARGETARCH} /tool
"""


@pytest.fixture
def registry(tmp_path):
    with image_registry(tmp_path / "registry") as server:
        yield server


def project_of(tmp_path, registry, builder, variables):
    text = CONFIGURATION.replace("@BUILDER@", builder).replace("@HOST@", host_of(registry))
    made = Project(tmp_path, text, variables)
    made.commit({"Containerfile": CONTAINERFILE})
    return made


def released(project):
    """The digest of the image."""
    done = project.run("release", "1.0.0", "--json", seconds=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(one["digest"] for one in json.loads(done.stdout)["products"] if one["kind"] == "image")


def built(registry):
    """Architecture and title of each platform, as the registry has them."""
    place, places = parse_reference(f"{host_of(registry)}/acme/tool:1.0.0"), OciRegistries({})
    index = read_document(places.read(place.at(digest=places.resolve(place).digest)))
    found = []
    for one in index.manifests:
        document = read_document(places.read(place.at(digest=one.digest)))
        body = json.loads(_blob(registry, document.blobs[0]))
        found.append((body["architecture"], body["config"]["Labels"]["title"]))
    return found


def _blob(registry, part):
    name = part.digest.removeprefix("sha256:")
    return (registry.folder / f"storage/docker/registry/v2/blobs/sha256/{name[:2]}/{name}/data").read_bytes()


BOTH = [("amd64", "the tool 1.0.0"), ("arm64", "the tool 1.0.0")]


@pytest.mark.timeout(900)
def test_podman_builds_for_both_platforms_and_makes_the_same_image_again(tmp_path, registry):
    (tmp_path / "podman").mkdir()
    project = project_of(tmp_path, registry, "podman", podman_variables(tmp_path / "podman"))
    first = released(project)
    assert built(registry) == BOTH
    # Where nothing of the first release is known, not even what was built.
    shutil.rmtree(project.folder / ".fairway")
    assert released(project) == first


@pytest.mark.timeout(900)
def test_docker_builds_for_both_platforms_and_a_daemon_that_is_away_is_told(tmp_path, registry):
    with docker_daemon() as variables:
        project = project_of(tmp_path, registry, "docker", {**variables, "HOME": str(tmp_path)})
        released(project)
        assert built(registry) == BOTH
    refused = project.run("release", "1.1.0", "--json")
    assert refused.returncode == 1, refused.stderr
    reason = json.loads(refused.stdout)["reason"]
    assert "docker daemon" in reason
    assert not Path(variables["DOCKER_HOST"].removeprefix("unix://")).parent.exists()
