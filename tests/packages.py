"""Small real packages, made without building tools, so that a test can have many."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path


def make_wheel(folder: Path, name: str, version: str, *, text: str = "") -> Path:
    """A wheel of one module; the same text gives the same bytes."""
    place = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: a test\nClassifier: Private :: a\n"
    files = {
        f"{name}.py": f"TEXT = {text!r}\n",
        f"{info}/METADATA": metadata + "Requires-Dist: attrs\nRequires-Dist: idna\n\nlong words\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_hash(content)},{len(content.encode())}" for path, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(place, "w") as wheel:
        for path, content in files.items():
            wheel.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), content)
    return place


def make_sdist(folder: Path, name: str, version: str, *, text: str = "") -> Path:
    """A source archive; the same text gives the same bytes."""
    place = folder / f"{name}-{version}.tar.gz"
    files = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", f"{name}.py": f"# {text}\n"}
    _archive(place, f"{name}-{version}", files)
    return place


def make_npm(folder: Path, name: str, version: str, *, text: str = "") -> Path:
    """What `npm pack` makes."""
    place = folder / f"{name.replace('@', '').replace('/', '-')}-{version}.tgz"
    package = {"name": name, "version": version, "description": "a test", "main": "index.js"}
    _archive(place, "package", {"package.json": json.dumps(package), "index.js": f"// {text}\n"})
    return place


def _archive(place: Path, top: str, files: dict[str, str]) -> None:
    with tarfile.open(place, "w:gz", compresslevel=1) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    # The header of gzip holds the time.
    raw = bytearray(place.read_bytes())
    raw[4:8] = bytes(4)
    place.write_bytes(raw)


def _hash(content: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
