"""A real Go program for five platforms, by a matrix: each file is what it says it is.

The first time on a machine Go compiles its runtime for each platform; its own cache, in the home folder, keeps that.
"""

import json
import platform
import struct
import subprocess
import sys
from pathlib import Path

from release_project import Project

CONFIGURATION = """\
service: tool
release:
  build:
    binary:
      run: go build -trimpath -buildvcs=false -o dist/tool-{os}-{arch} .
      variables: {GOOS: "{os}", GOARCH: "{arch}", CGO_ENABLED: "0", GOFLAGS: "-p=1", PATH: "@PATH@"}
      matrix: {os: [linux, darwin, windows], arch: [amd64, arm64]}
      exclude: [{os: windows, arch: arm64}]
      inputs: ["*.go", go.mod]
      versioned: false
      outputs: dist/tool-{os}-{arch}
"""
PROGRAM = 'package main\n\nfunc main() {\n\tprintln("tool works")\n}\n'
PLATFORMS = {
    "linux-amd64": ("ELF", 62),
    "linux-arm64": ("ELF", 183),
    "darwin-amd64": ("Mach-O", 0x01000007),
    "darwin-arm64": ("Mach-O", 0x0100000C),
    "windows-amd64": ("PE", 0x8664),
}


def kind_of(content: bytes) -> tuple[str, int]:
    """Format and processor, from the header of a program."""
    if content[:4] == b"\x7fELF":
        return "ELF", struct.unpack_from("<H", content, 18)[0]
    if content[:4] == b"\xcf\xfa\xed\xfe":
        return "Mach-O", struct.unpack_from("<I", content, 4)[0]
    if content[:2] == b"MZ":
        return "PE", struct.unpack_from("<H", content, struct.unpack_from("<I", content, 60)[0] + 4)[0]
    raise AssertionError(content[:8])


def test_one_program_becomes_five_files_each_for_its_platform_and_a_second_release_builds_none_anew(tmp_path):
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    project = Project(tmp_path, CONFIGURATION.replace("@PATH@", path), {})
    project.commit({"main.go": PROGRAM, "go.mod": "module example.org/tool\n\ngo 1.21\n"})
    first = project.run("release", "1.0.0", "--json", seconds=240)
    assert first.returncode == 0, first.stderr
    products = json.loads(first.stdout)["products"]
    assert len({one["digest"] for one in products}) == 5
    blobs = {one["path"]: project.folder / ".fairway/releases/blobs" / one["digest"][7:] for one in products}
    found = {path.removeprefix("dist/tool-"): kind_of(place.read_bytes()) for path, place in blobs.items()}
    assert found == PLATFORMS
    own = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    program = tmp_path / "tool"
    program.write_bytes(blobs[f"dist/tool-linux-{own}"].read_bytes())
    program.chmod(0o755)
    assert subprocess.run([program], capture_output=True, text=True, check=True).stderr == "tool works\n"

    # Another release of the same source: the same bytes, and nothing is run for them.
    project.commit({"notes.md": "words\n"})
    second = json.loads(project.run("release", "1.0.1", "--json").stdout)
    assert second["products"] == products
    cached = {task["task"]: task["data"]["cached"] for task in second["tasks"] if task["stage"] == "build"}
    assert set(cached.values()) == {True}, cached
