"""A release with a container image for two processors: built by buildah, pushed to two real registries, verified."""

import base64
import hashlib
import io
import json
import shutil
import tarfile
import urllib.request

import pytest
from release_project import Project

from image_tools import builder_variables, host_of, image_registry

CONFIGURATION = """\
service: tool
release:
  key: release
  build:
    binary:
      run: sh -c 'mkdir dist && echo tool for {arch} > dist/tool-{arch}'
      matrix: {arch: [amd64, arm64]}
      inputs: [Containerfile]
      versioned: false
      outputs: dist/tool-{arch}
  images:
    tool:
      platforms: [linux/amd64, linux/arm64]
      inputs: [Containerfile]
      budget: 20MB
      arguments: {TITLE: "the tool {version}"}
  test:
    layout:
      run: sh -c 'ls images/tool/blobs/sha256 | wc -l > count'
      needs: [tool]
      outputs: count
  publish:
    staging:
      kind: oci
      images: [tool]
      repository: @STAGING@/acme/tool
      moving: ["{major}.{minor}", latest]
    production:
      kind: oci
      images: [tool]
      repository: @PRODUCTION@/acme/tool
      user: release
      password_variable: IMAGES
      after: [staging]
"""
CONTAINERFILE = """\
FROM scratch
ARG TARGETARCH
ARG TITLE
LABEL title=$TITLE
COPY dist/tool-${TARGETARCH} /tool
ENTRYPOINT ["/tool"]
"""
PASSWORD = "secret-of-images"


def get(host, path, kind="application/vnd.oci.image.index.v1+json"):
    """Body and digest of something in the registry that needs no password."""
    request = urllib.request.Request(f"http://{host}/v2/acme/tool/{path}", headers={"accept": kind})
    with urllib.request.urlopen(request, timeout=30) as answer:
        content = answer.read()
    return content, f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def registries(tmp_path):
    with (
        image_registry(tmp_path / "staging") as staging,
        image_registry(tmp_path / "production", closed=True) as production,
    ):
        yield host_of(staging), host_of(production)


@pytest.fixture
def project(tmp_path, registries):
    def make():
        (tmp_path / "builder").mkdir()
        variables = {
            **builder_variables(tmp_path / "builder"),
            "IMAGES": PASSWORD,
            "FAIRWAY_KEY_PASSPHRASE": "planted-passphrase",
        }
        text = CONFIGURATION.replace("@STAGING@", registries[0]).replace("@PRODUCTION@", registries[1])
        made.append(Project(tmp_path, text, variables))
        made[0].commit({"Containerfile": CONTAINERFILE})
        return made[0]

    made: list[Project] = []
    yield make
    for one in made:
        one.close()


def check_platform(host, one):
    """The image of one platform holds the program that was built for it."""
    manifest = json.loads(get(host, f"manifests/{one['digest']}", "application/vnd.oci.image.manifest.v1+json")[0])
    config = json.loads(get(host, f"blobs/{manifest['config']['digest']}")[0])
    assert config["architecture"] == one["platform"]["architecture"]
    assert config["config"]["Labels"]["title"] == "the tool 1.2.0"
    layer = get(host, f"blobs/{manifest['layers'][0]['digest']}")[0]
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        assert files.extractfile("tool").read() == f"tool for {config['architecture']}\n".encode()


def sign_in(shop, host, place):
    """Keeps the password as a login does."""
    entry = {"auth": base64.b64encode(f"release:{PASSWORD}".encode()).decode()}
    place.write_text(json.dumps({"auths": {host: entry}}))
    shop.variables["REGISTRY_AUTH_FILE"] = str(place)


def check_verified(shop, host, digest):
    verified = shop.run("verify", f"{host}/acme/tool:1.2.0", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["artifacts"][0] | {"name": ""} == {
        "name": "",
        "digest": digest,
        "verified": True,
        "signer": "release",
        "source": str(shop.remote),
        "commit": shop.git("rev-parse", "HEAD"),
        "builder": "urn:fairway:builder:local",
    }


@pytest.mark.timeout(300)
def test_an_image_for_two_processors_goes_to_two_registries_with_one_digest_and_is_verified_there(
    project, registries, tmp_path
):
    staging, production = registries
    shop = project()
    assert shop.run("keys", "create", "release").returncode == 0
    released = shop.run("release", "1.2.0", "--json", seconds=240)
    assert released.returncode == 0, released.stderr
    answer = json.loads(released.stdout)
    (image,) = [one for one in answer["products"] if one["kind"] == "image"]

    index, digest = get(staging, "manifests/1.2.0")
    assert digest == image["digest"]
    assert get(staging, "manifests/latest")[1] == get(staging, "manifests/1.2")[1] == digest
    body = json.loads(index)
    assert body["annotations"]["org.opencontainers.image.version"] == "1.2.0"
    assert [one["platform"]["architecture"] for one in body["manifests"]] == ["amd64", "arm64"]
    for one in body["manifests"]:
        check_platform(staging, one)

    # The registry for production wants a password; what a login kept is used.
    sign_in(shop, production, tmp_path / "auth.json")
    for host in (staging, production):
        check_verified(shop, host, digest)

    # A further copy, for disaster recovery: the same digest, and what is signed comes along.
    copied = shop.run("image", "copy", f"{production}/acme/tool:1.2.0", f"{staging}/spare/tool", "--key", "release")
    assert copied.returncode == 0, copied.stderr
    assert copied.stdout.strip() == f"{staging}/spare/tool:1.2.0@{digest}"
    shown = json.loads(shop.run("image", "show", f"{staging}/spare/tool:1.2.0", "--json").stdout)
    assert (shown["digest"], shown["version"], shown["statements"]) == (digest, "1.2.0", 2)
    assert [one["platform"] for one in shown["platforms"]] == ["linux/amd64", "linux/arm64"]
    everything = (
        released.stdout
        + released.stderr
        + "".join(path.read_text(errors="replace") for path in shop.folder.rglob("log") if path.is_file())
    )
    assert PASSWORD not in everything


def test_without_a_program_that_builds_images_the_release_says_what_it_looked_for(project, tmp_path):
    shop = project()
    shop.run("keys", "create", "release")
    (tmp_path / "bin").mkdir()
    for name in ("sh", "git", "mkdir"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    shop.variables["PATH"] = str(tmp_path / "bin")
    released = shop.run("release", "1.2.0", "--json")
    assert released.returncode == 3, released.stderr
    wanted = "no program that builds images is there: looked for buildah, podman, docker on the PATH"
    assert wanted in json.loads(released.stdout)["reason"]
