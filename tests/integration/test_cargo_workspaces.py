"""The members of a workspace of cargo, as cargo itself names them."""

import json
import os
import shutil
import subprocess

import pytest

from debian_programs import unpacked
from fairway.domain.pipeline.workspaces import read_workspace

FILES = {
    "Cargo.toml": """
[workspace]
members = ["crates/*"]
exclude = ["crates/old"]
resolver = "2"
[workspace.package]
version = "1.0.0"
edition = "2021"
[workspace.dependencies]
acme-zero = {path = "crates/zero", version = "1.0.0"}
""",
    # By folder the first stands in the alphabet before what it needs.
    "crates/app/Cargo.toml": """
[package]
name = "acme-app"
version.workspace = true
edition.workspace = true
[dependencies]
lib = {package = "acme-lib", path = "../lib", version = "1.0.0"}
[dev-dependencies]
acme-tool = {path = "../tool"}
""",
    "crates/lib/Cargo.toml": """
[package]
name = "acme-lib"
version.workspace = true
edition.workspace = true
[target."cfg(unix)".dependencies]
acme-zero = {workspace = true}
[build-dependencies]
acme-beside = {path = "../../beside", version = "1.0.0"}
""",
    "crates/zero/Cargo.toml": '[package]\nname = "acme-zero"\nversion = "1.0.0"\nedition = "2021"\n',
    "crates/tool/Cargo.toml": '[package]\nname = "acme-tool"\nversion = "1.0.0"\nedition = "2021"\npublish = false\n',
    "crates/old/Cargo.toml": '[package]\nname = "acme-old"\nversion = "1.0.0"\nedition = "2021"\n',
    "beside/Cargo.toml": '[package]\nname = "acme-beside"\nversion = "1.0.0"\nedition = "2021"\n',
}


@pytest.fixture
def told(tmp_path):
    """What cargo says of the workspace, by the names of its members."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        if "[package]" in text:
            (tmp_path / name).with_name("src").mkdir()
            (tmp_path / name).with_name("src").joinpath("lib.rs").write_text("")
    command = [*find_cargo(), "metadata", "--format-version", "1", "--no-deps", "--offline"]
    variables = {**os.environ, "CARGO_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)["packages"]}


def find_cargo():
    """Its argument line; Debian's, where none is installed."""
    installed = shutil.which("cargo")
    if installed is not None:
        return [installed]
    place = unpacked(
        "cargo",
        "cargo",
        "libgit2-1.5",
        "libhttp-parser2.9",
        "libmbedcrypto7",
        "libmbedtls14",
        "libmbedx509-1",
        "libssh2-1",
    )
    libraries = ":".join(str(path) for path in place.glob("usr/lib/*-linux-gnu"))
    return ["env", f"LD_LIBRARY_PATH={libraries}", str(place / "usr/bin/cargo")]


def test_cargo_names_the_same_members_with_the_same_needs_and_the_same_may_be_published(told):
    found = {one.name: one for one in read_workspace("cargo", FILES.keys(), FILES.__getitem__)}
    assert found.keys() == told.keys()
    for name, one in found.items():
        needs = {each["name"] for each in told[name]["dependencies"] if each["kind"] != "dev"}
        assert one.needs == needs & told.keys(), name
        assert one.is_published == (told[name]["publish"] is None), name
    places = list(found)
    assert places.index("acme-zero") < places.index("acme-lib") < places.index("acme-app")
    assert places.index("acme-beside") < places.index("acme-lib")
