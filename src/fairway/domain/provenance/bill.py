"""Bills of materials by CycloneDX 1.6, and the lock files that they are made from.

Lock files say what was resolved, not what was asked for; a file that only asks for something adds nothing.
"""

import json
import re
import tomllib
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """Something that an artifact is made from.

    Attributes:
        ecosystem: the type of its package URL: pypi, npm, golang, cargo.
        digest: `ALGORITHM:<hex>`, empty where the lock file gives none.
    """

    ecosystem: str
    name: str
    version: str
    digest: str = ""

    @property
    def url(self) -> str:
        """Its package URL."""
        name = "/".join(quote(part, safe="") for part in self.name.split("/"))
        return f"pkg:{self.ecosystem}/{name}@{quote(self.version, safe='')}"


def bill_of(name: str, version: str, digest: str, components: Iterable[Component]) -> dict[str, Any]:
    """The bill of materials of an artifact; the same components always make the same one.

    Args:
        name: what the artifact is called.
        version: of the release.
        digest: `sha256:<64 hex digits>`.
        components: what it is made from.
    """
    listed = sorted({one.url: one for one in components}.values())
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join([name, version, digest, *(one.url for one in listed)]))
    subject = {
        "type": "application",
        "bom-ref": "subject",
        "name": name,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": subject},
        "components": [_describe(one) for one in listed],
        "dependencies": [{"ref": "subject", "dependsOn": [one.url for one in listed]}],
    }


_ALGORITHMS = {"sha256": "SHA-256", "sha512": "SHA-512", "sha1": "SHA-1"}


def _describe(one: Component) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.url,
        "name": one.name,
        "version": one.version,
        "purl": one.url,
    }
    algorithm, _, value = one.digest.partition(":")
    if algorithm in _ALGORITHMS and value:
        body["hashes"] = [{"alg": _ALGORITHMS[algorithm], "content": value}]
    return body


def read_locks(files: Mapping[str, str]) -> set[Component]:
    """What the lock files among these say; one that cannot be read adds nothing.

    Args:
        files: text by path.
    """
    found: set[Component] = set()
    for path, text in files.items():
        reader = lock_reader(path)
        if reader is not None:
            try:
                found |= reader(text)
            except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
                continue
    return found


def lock_reader(path: str) -> "Callable[[str], set[Component]] | None":
    """What reads the lock file with this path; None if it is none."""
    name = path.rpartition("/")[2]
    if re.fullmatch(r"requirements[\w.-]*\.txt", name):
        return _requirements
    return _READERS.get(name)


def _requirements(text: str) -> set[Component]:
    pins = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([A-Za-z0-9.!+_-]+)", text, re.MULTILINE)
    return {Component("pypi", _normal(name), version) for name, version in pins}


def _toml_packages(ecosystem: str) -> Callable[[str], set[Component]]:
    def read(text: str) -> set[Component]:
        found = set()
        for one in tomllib.loads(text).get("package", []):
            # The project itself, and what lies beside it, is no dependency.
            source = one.get("source", {})
            own = isinstance(source, dict) and {"editable", "virtual", "directory"} & source.keys()
            if one.get("version") and not own and not (ecosystem == "cargo" and not source):
                name = _normal(one["name"]) if ecosystem == "pypi" else one["name"]
                digest = f"sha256:{one['checksum']}" if one.get("checksum") else ""
                found.add(Component(ecosystem, name, one["version"], digest))
        return found

    return read


def _pylock(text: str) -> set[Component]:
    packages = tomllib.loads(text).get("packages", [])
    return {Component("pypi", _normal(one["name"]), one["version"]) for one in packages if one.get("version")}


def _npm(text: str) -> set[Component]:
    found = set()
    for place, one in json.loads(text).get("packages", {}).items():
        name = one.get("name") or place.rpartition("node_modules/")[2]
        if "node_modules/" in place and one.get("version") and not one.get("link"):
            found.add(Component("npm", name, one["version"]))
    return found


def _go(text: str) -> set[Component]:
    modules = re.findall(r"^(\S+) (v[^\s/]+) h1:", text, re.MULTILINE)
    return {Component("golang", name, version) for name, version in modules}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_READERS: dict[str, Callable[[str], set[Component]]] = {
    "uv.lock": _toml_packages("pypi"),
    "poetry.lock": _toml_packages("pypi"),
    "pylock.toml": _pylock,
    "package-lock.json": _npm,
    "npm-shrinkwrap.json": _npm,
    "go.sum": _go,
    "Cargo.lock": _toml_packages("cargo"),
}
