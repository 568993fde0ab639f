"""What is run to build an image, and what is made of what the programs write."""

import hashlib
import json
import shlex
import tarfile
from pathlib import Path

import pytest

from fairway.adapters.images.builder import LocalImageBuilder
from fairway.domain.errors import UserError
from fairway.domain.images.spec import ImageSpec
from fairway.ports.images import BuiltImage
from fairway.ports.pipeline import Broken

BOTH = ("linux/amd64", "linux/arm64")
NOTES = {"org.opencontainers.image.version": "1.2.0"}


def program(folder, *names):
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder), "STORAGE_DRIVER": "vfs", "TOKEN": "planted"}


def write_layout(folder, architecture, size=100):
    """What buildah writes for one platform."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def keep(content):
        name = hashlib.sha256(content).hexdigest()
        (blobs / name).write_bytes(content)
        return {"digest": f"sha256:{name}", "size": len(content)}

    config = keep(json.dumps({"os": "linux", "architecture": architecture}).encode())
    body = {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **keep(b"x" * size)}],
    }
    manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", **keep(json.dumps(body).encode())}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text("{}")


@pytest.mark.parametrize("name", ["buildah", "podman"])
def test_each_platform_is_built_written_and_removed_again(tmp_path, name):
    builder = LocalImageBuilder(program(tmp_path, name, "docker"))
    recipe = builder.prepare(ImageSpec("shop", platforms=BOTH), folder=str(tmp_path / "out"), annotations=NOTES)
    words = [shlex.split(step) for step in recipe.steps]
    assert [(line[0], line[1]) for line in words] == [(name, "build"), (name, "push"), (name, "rmi")] * 2
    assert words[3][words[3].index("--platform") + 1] == "linux/arm64"
    assert "org.opencontainers.image.version=1.2.0" in words[0]
    assert words[0][-1] == "."
    assert words[4][-1] == f"oci:{tmp_path}/out/1:image"
    # What the program is told by the environment is passed on, and nothing else.
    assert recipe.variables == {"STORAGE_DRIVER": "vfs"}


def test_docker_saves_an_archive_and_is_taken_last_or_when_it_is_named(tmp_path):
    variables = program(tmp_path, "docker")
    recipe = LocalImageBuilder(variables).prepare(ImageSpec("shop"), folder=str(tmp_path), annotations={})
    assert [shlex.split(step)[:2] for step in recipe.steps] == [["docker", one] for one in ("build", "save", "rmi")]
    program(tmp_path, "buildah")
    named = ImageSpec("shop", builder="docker")
    recipe = LocalImageBuilder(variables).prepare(named, folder=str(tmp_path), annotations={})
    assert recipe.steps[0].startswith("docker build ")
    # Without it docker may build for its own platform, whatever it is asked for.
    assert recipe.variables["DOCKER_BUILDKIT"] == "1"
    with pytest.raises(UserError, match="looked for podman on the PATH"):
        LocalImageBuilder(variables).prepare(ImageSpec("shop", builder="podman"), folder=str(tmp_path), annotations={})


def test_two_projects_never_share_a_name_in_the_programs_storage(tmp_path):
    builder = LocalImageBuilder(program(tmp_path, "buildah"))
    one, two = (
        builder.prepare(ImageSpec("shop"), folder=f"{tmp_path}/{each}", annotations={}).steps[0] for each in "ab"
    )
    assert one != two


def test_all_platforms_come_into_one_index_with_the_same_digest_each_time(tmp_path):
    digests = set()
    for attempt in ("first", "second"):
        for number, platform in enumerate(BOTH):
            write_layout(tmp_path / attempt / str(number), platform.partition("/")[2])
        made = LocalImageBuilder({}).assemble(
            ImageSpec("shop", platforms=BOTH), folder=str(tmp_path / attempt), annotations=NOTES
        )
        assert isinstance(made, BuiltImage)
        index = json.loads((tmp_path / attempt / made.digest[7:]).read_text())
        assert [one["platform"]["architecture"] for one in index["manifests"]] == ["amd64", "arm64"]
        assert index["annotations"] == NOTES
        # Two manifests, two configurations, the layer that both share, and the index.
        assert len(made.files) == 6
        digests.add(made.digest)
    assert len(digests) == 1


def test_an_archive_of_docker_is_read_like_a_folder(tmp_path):
    write_layout(tmp_path / "saved", "amd64")
    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        archive.add(tmp_path / "saved", arcname=".")
    made = LocalImageBuilder({}).assemble(ImageSpec("shop"), folder=str(tmp_path), annotations={})
    assert isinstance(made, BuiltImage)


def test_an_image_above_its_budget_is_broken_and_names_what_is_large(tmp_path):
    write_layout(tmp_path / "0", "amd64", size=5000)
    made = LocalImageBuilder({}).assemble(ImageSpec("shop", budget=4000), folder=str(tmp_path), annotations={})
    assert isinstance(made, Broken)
    layer = hashlib.sha256(b"x" * 5000).hexdigest()
    assert made.reason.startswith("image shop for linux/amd64 has 5.0 kB, more than its budget of 4.0 kB; its largest")
    # The configuration counts, and is no layer.
    assert made.reason.endswith(f" layers: 5.0 kB ({layer[:12]})")
    assert isinstance(
        LocalImageBuilder({}).assemble(ImageSpec("shop", budget=6000), folder=str(tmp_path), annotations={}), BuiltImage
    )


def test_an_image_for_another_platform_or_with_a_part_missing_is_broken(tmp_path):
    write_layout(tmp_path / "0", "arm64")
    made = LocalImageBuilder({}).assemble(ImageSpec("shop"), folder=str(tmp_path), annotations={})
    assert "is not what was asked for: it is for linux/arm64" in made.reason
    arm = ImageSpec("shop", platforms=("linux/arm64",))
    layer = hashlib.sha256(b"x" * 100).hexdigest()
    (tmp_path / "0/blobs/sha256" / layer).unlink()
    assert (
        f"sha256:{layer} is missing" in LocalImageBuilder({}).assemble(arm, folder=str(tmp_path), annotations={}).reason
    )
    made = LocalImageBuilder({}).assemble(arm, folder=str(tmp_path / "nothing"), annotations={})
    assert "there is no OCI layout, nor what docker saves" in made.reason


def write_archive(folder, *layers, config=None):
    """What docker saved before version 25; the last layer is a link to the first."""
    folder.mkdir(parents=True)
    body = {"os": "linux", "architecture": "amd64"} if config is None else config
    (folder / "c.json").write_text(json.dumps(body))
    for number, content in enumerate(layers):
        (folder / str(number)).mkdir()
        (folder / str(number) / "layer.tar").write_bytes(content)
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    (folder / "last.tar").symlink_to("0/layer.tar")
    listed = [{"Config": "c.json", "RepoTags": ["localhost/x:0"], "Layers": [*names, "last.tar"]}]
    (folder / "manifest.json").write_text(json.dumps(listed))


def test_what_older_dockers_save_is_made_a_layout_of_the_same_parts(tmp_path):
    write_archive(tmp_path / "saved", b"one", b"two")
    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        archive.add(tmp_path / "saved", arcname=".")
    made = LocalImageBuilder({}).assemble(ImageSpec("shop", budget=1000), folder=str(tmp_path), annotations={})
    assert isinstance(made, BuiltImage), made
    contents = [path.read_bytes() for path in map(Path, made.files)]
    assert [b"one" in contents, b"two" in contents] == [True, True]
    (manifest,) = [json.loads(one) for one in contents if b'"layers"' in one]
    digest = hashlib.sha256(b"one").hexdigest()
    assert [one["digest"] for one in manifest["layers"]][::2] == [f"sha256:{digest}"] * 2
    assert [one["size"] for one in manifest["layers"]] == [3, 3, 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "manifest.json cannot be read"),
        ('[{"Config": "c.json"}]', "manifest.json cannot be read"),
        ('[{"Config": "../outside", "Layers": []}]', "'../outside' leads out of the archive"),
        ("[]", "it is for nothing"),
    ],
)
def test_an_archive_that_is_none_is_broken(tmp_path, text, said):
    (tmp_path / "outside").write_text("{}")
    write_archive(tmp_path / "0", b"one")
    (tmp_path / "0/manifest.json").write_text(text)
    made = LocalImageBuilder({}).assemble(ImageSpec("shop"), folder=str(tmp_path), annotations={})
    assert isinstance(made, Broken)
    assert said in made.reason
