"""Python packages: uploads by the legacy protocol, and the simple index; implements `Registry`.

https://docs.pypi.org/api/upload/ and https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import base64
import email
import email.message
import hashlib
import os
import re
import tarfile
import zipfile
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from fairway.adapters.publishers.http import RegistryHttp, read_secret, understood
from fairway.domain.errors import UserError
from fairway.ports.pipeline import Parcel, Presence, Registry

_PYPI = "upload.pypi.org"
#: Fields of the metadata that may come more than once, and what the upload calls them.
_MANY = {
    "classifier": "classifiers",
    "requires-dist": "requires_dist",
    "project-url": "project_urls",
    "provides-extra": "provides_extra",
    "license-file": "license_file",
    "dynamic": "dynamic",
    "platform": "platform",
}


class PypiRegistry(Registry):
    """A registry of Python packages; see `PypiSettings` for the arguments."""

    def __init__(
        self,
        *,
        kind: str = "pypi",  # noqa: ARG002 -- part of the settings
        url: str = "https://upload.pypi.org/legacy/",
        index: str | None = None,
        user: str = "__token__",
        password_variable: str | None = None,
        timeout: float = 120.0,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._url = url
        own = (
            "https://pypi.org/simple/" if urlsplit(url).hostname == _PYPI else urljoin(url.rstrip("/") + "/", "simple/")
        )
        self._index = (index or own).rstrip("/") + "/"
        self._user = user
        self._password_variable = password_variable
        self._environment = environment
        self._http = RegistryHttp("the package registry", timeout=timeout, authorize=self._authorize)

    def observe(self, parcel: Parcel) -> Presence:
        """The file of that name in the simple index, compared by its hash, or by its bytes where there is none."""
        name = str(_metadata(parcel)["Name"])
        shown = parcel.product.name
        page = urljoin(self._index, f"{normalized(name)}/")
        answer = self._http.get(page, accept="application/vnd.pypi.simple.v1+json, text/html;q=0.5")
        if answer is None:
            return Presence("absent", shown)
        kind, url = answer.headers.get("content-type", ""), str(answer.url)
        listed = understood(lambda: _listed(answer.text, url, kind), "the package registry", url)
        if shown not in listed:
            return Presence("absent", shown)
        url, digest = listed[shown]
        if digest is None:
            content = self._http.get(url)
            digest = None if content is None else hashlib.sha256(content.content).hexdigest()
        same = digest == parcel.product.digest.removeprefix("sha256:")
        return Presence("same" if same else "other", shown, f"sha256:{digest}")

    def publish(self, parcel: Parcel) -> None:
        """One upload of one file, with all of its metadata."""
        content = Path(parcel.location).read_bytes()
        metadata = _metadata(parcel)
        fields = _fields(metadata) | {
            ":action": "file_upload",
            "protocol_version": "1",
            "filetype": "bdist_wheel" if parcel.product.name.endswith(".whl") else "sdist",
            "pyversion": _python(parcel.product.name),
            "sha256_digest": hashlib.sha256(content).hexdigest(),
            "md5_digest": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        }
        files = {"content": (parcel.product.name, content, "application/octet-stream")}
        self._http.send("POST", self._url, data=fields, files=files)

    def _authorize(self) -> dict[str, str]:
        if self._password_variable is None:
            return {}
        password = read_secret(self._environment, self._password_variable, "the package registry")
        words = base64.b64encode(f"{self._user}:{password}".encode()).decode()
        return {"authorization": f"Basic {words}"}


def normalized(name: str) -> str:
    """A project's name as the index writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _python(name: str) -> str:
    return name.removesuffix(".whl").split("-")[-3] if name.endswith(".whl") else "source"


def _metadata(parcel: Parcel) -> email.message.Message:
    """What a wheel or source archive says about itself.

    Raises:
        UserError: it is none of them.
    """
    name = parcel.product.name
    raw: bytes | None = None
    if name.endswith(".whl") and zipfile.is_zipfile(parcel.location):
        with zipfile.ZipFile(parcel.location) as wheel:
            place = next((one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")), None)
            raw = wheel.read(place) if place else None
    elif name.endswith(".tar.gz") and tarfile.is_tarfile(parcel.location):
        with tarfile.open(parcel.location) as archive:
            member = next((one for one in archive.getmembers() if re.fullmatch(r"[^/]+/PKG-INFO", one.name)), None)
            file = archive.extractfile(member) if member else None
            raw = file.read() if file else None
    metadata = email.message_from_bytes(raw) if raw else None
    if metadata is None or not metadata["Name"] or not metadata["Version"]:
        hint = "name wheels and source archives in files, such as dist/*.whl"
        raise UserError("not-a-package", f"{parcel.product.path} is neither a wheel nor a source archive", hint)
    return metadata


def _fields(metadata: email.message.Message) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    for header in dict.fromkeys(key.lower() for key in metadata):
        values = [str(value) for value in metadata.get_all(header, [])]
        fields[_MANY.get(header, header.replace("-", "_"))] = values if header in _MANY else values[0]
    body = metadata.get_payload()
    if isinstance(body, str) and body.strip():
        fields["description"] = body
    return fields


def _listed(text: str, page: str, kind: str) -> dict[str, tuple[str, str | None]]:
    """Address and SHA-256 of each file in the index, by name."""
    if "json" in kind:
        import json  # noqa: PLC0415 -- only some indexes answer so

        return {
            one["filename"]: (urljoin(page, one["url"]), one["hashes"].get("sha256"))
            for one in json.loads(text)["files"]
        }
    links = _Links()
    links.feed(text)
    found = {}
    for address in links.found:
        url, _, fragment = urljoin(page, address).partition("#")
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else None
        found[urlsplit(url).path.rpartition("/")[2]] = (url, digest)
    return found


class _Links(HTMLParser):
    """The targets of the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects one link."""
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append(address)
