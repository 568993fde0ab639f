"""Names of images in registries: `HOST[:PORT]/PATH[:TAG][@DIGEST]`.

A host is always written: what other tools put in its place when it is missing differs from tool to tool.
"""

import ipaddress
import re
from dataclasses import dataclass, replace

from fairway.domain.errors import UserError

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:localhost|\[[0-9a-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*)(?::[0-9]{1,5})?"
_REFERENCE = re.compile(
    rf"(?P<host>{_HOST})/(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where an image lies.

    Attributes:
        host: of the registry, with its port if it has one.
        path: of the repository in it.
        tag: None: none is given.
        digest: `sha256:<64 hex digits>`; None: none is given. It decides where both are given.
    """

    host: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @property
    def repository(self) -> str:
        """Without tag and digest."""
        return f"{self.host}/{self.path}"

    def at(self, *, tag: str | None = None, digest: str | None = None) -> "Reference":
        """The same repository with another tag or digest."""
        return replace(self, tag=tag, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """The reference that a text is.

    Raises:
        UserError: it is none, or names no host.
    """
    found = _REFERENCE.fullmatch(text)
    # As everywhere, a first part without a dot or a port is no host: `library/nginx` names none.
    host = "" if found is None else found["host"]
    if found is None or not ("." in host or ":" in host or host == "localhost"):
        hint = "write it like registry.example.org/acme/shop:1.2.0, in small letters and with the registry"
        raise UserError("bad-image-reference", f"{text[:200]!r} is no name of an image", hint)
    return Reference(host, found["path"], found["tag"], found["digest"])


def looks_like_reference(text: str) -> bool:
    """It can be nothing else than the name of an image: it names a registry, and a tag or a digest."""
    try:
        found = parse_reference(text)
    except UserError:
        return False
    return found.tag is not None or found.digest is not None


def is_loopback(host: str) -> bool:
    """The host, with or without a port, is this machine: the only one that is asked without TLS."""
    name = host.rpartition(":")[0] if re.search(r":[0-9]+$", host) and not host.endswith("]") else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
