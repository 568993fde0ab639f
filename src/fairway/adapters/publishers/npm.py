"""npm packages: one document for a version with its archive in it; implements `Registry`.

https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md
"""

import base64
import hashlib
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fairway.adapters.publishers.http import RegistryHttp, read_secret, understood
from fairway.domain.errors import UserError
from fairway.ports.pipeline import Parcel, Presence, Registry


class NpmRegistry(Registry):
    """A registry of npm packages; see `NpmSettings` for the arguments."""

    def __init__(
        self,
        *,
        kind: str = "npm",  # noqa: ARG002 -- part of the settings
        url: str = "https://registry.npmjs.org/",
        token_variable: str | None = None,
        tag: str = "latest",
        access: str | None = None,
        timeout: float = 120.0,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._url = url.rstrip("/") + "/"
        self._token_variable = token_variable
        self._tag = tag
        self._access = access
        self._environment = environment
        self._http = RegistryHttp("the npm registry", timeout=timeout, authorize=self._authorize)

    def observe(self, parcel: Parcel) -> Presence:
        """The version in the package's document, compared by its integrity."""
        package = _package(parcel)
        name, version = package["name"], package["version"]
        shown = f"{name}@{version}"
        answer = self._http.get(self._place(name), accept="application/json")
        if answer is None:
            return Presence("absent", shown)
        there = understood(lambda: _there(answer.json(), version), "the npm registry", str(answer.url))
        if there is None:
            return Presence("absent", shown)
        integrity, shasum = _digests(Path(parcel.location).read_bytes())
        known, sum_known = there
        same = known == integrity if known else sum_known == shasum
        return Presence("same" if same else "other", shown, str(known or sum_known))

    def publish(self, parcel: Parcel) -> None:
        """One request that holds the version's description and its archive."""
        package = _package(parcel)
        name, version = package["name"], package["version"]
        content = Path(parcel.location).read_bytes()
        integrity, shasum = _digests(content)
        archive = f"{name}-{version}.tgz"
        dist = {"integrity": integrity, "shasum": shasum, "tarball": f"{self._place(name)}/-/{archive}"}
        document: dict[str, Any] = {
            "_id": name,
            "name": name,
            "description": package.get("description", ""),
            "dist-tags": {self._tag: version},
            "versions": {version: package | {"_id": f"{name}@{version}", "dist": dist}},
            "access": self._access,
            "_attachments": {
                archive: {
                    "content_type": "application/octet-stream",
                    "data": base64.b64encode(content).decode(),
                    "length": len(content),
                }
            },
        }
        self._http.send("PUT", self._place(name), json=document)

    def _place(self, name: str) -> str:
        return self._url + quote(name, safe="@")

    def _authorize(self) -> dict[str, str]:
        if self._token_variable is None:
            return {}
        return {"authorization": f"Bearer {read_secret(self._environment, self._token_variable, 'the npm registry')}"}


def _there(document: Any, version: str) -> tuple[str | None, str | None] | None:
    """Integrity and shasum of the version in a package's document; None if it does not have that version."""
    versions = document.get("versions", {})
    if version not in versions:
        return None
    dist = versions[version].get("dist", {})
    return dist.get("integrity"), dist.get("shasum")


def _digests(content: bytes) -> tuple[str, str]:
    """Integrity and shasum, as npm writes them."""
    integrity = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return f"sha512-{integrity}", hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _package(parcel: Parcel) -> dict[str, Any]:
    """The package.json of an archive that `npm pack` made.

    Raises:
        UserError: it is none.
    """
    package: Any = None
    if tarfile.is_tarfile(parcel.location):
        with tarfile.open(parcel.location) as archive:
            # Its first folder may have any name.
            names = [one for one in archive.getnames() if one.count("/") == 1 and one.endswith("/package.json")]
            file = archive.extractfile(names[0]) if names else None
            package = json.loads(file.read()) if file else None
    if not isinstance(package, dict) or not package.get("name") or not package.get("version"):
        hint = "name archives that npm pack makes in files, such as *.tgz"
        raise UserError("not-a-package", f"{parcel.product.path} is no npm package", hint)
    return package
