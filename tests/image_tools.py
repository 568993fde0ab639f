"""A real registry of images and a real builder for tests: Debian's docker-registry and buildah."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from debian_programs import TOOLS, unpacked
from registries import Server

if TYPE_CHECKING:
    import trustme

# What buildah is linked with and small installations lack.
_LIBRARIES = ("libgpgme11", "libassuan0", "libgpg-error0", "libdevmapper1.02.1", "libseccomp2")
# What podman looks for before it does anything, also where it runs no container.
_BESIDE_PODMAN = ("libsubid4", "conmon", "crun", "libyajl2", "libcap2", "libsystemd0", "libglib2.0-0")
_PODMAN = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
conmon_path = ["{place}/usr/bin/conmon"]
static_dir = "{folder}/static"
tmp_dir = "{folder}/tmp"
[engine.runtimes]
crun = ["{place}/usr/bin/crun"]
[network]
network_config_dir = "{folder}/networks"
"""
_WRAPPER = """\
#!/bin/sh
export LD_LIBRARY_PATH="{libraries}"
# Who is not root and has no range of users gets a namespace with one user; that is enough for files.
if [ "$(id -u)" != 0 ]; then
  export _CONTAINERS_USERNS_CONFIGURED=done
  exec unshare --user --map-root-user --mount "{program}" "$@"
fi
exec "{program}" "$@"
"""


def find_docker_registry() -> str:
    """The program; fetched from Debian's archive at the first call where it is not installed."""
    return shutil.which("docker-registry") or str(
        unpacked("docker-registry", "docker-registry") / "usr/bin/docker-registry"
    )


def find_builder(name: str = "buildah") -> Path:
    """A folder for the PATH with buildah or podman in it; fetched like the registry."""
    installed = shutil.which(name)
    packages = (*_LIBRARIES, *_BESIDE_PODMAN) if name == "podman" else _LIBRARIES
    place = unpacked(name, name, *packages) if installed is None else TOOLS / f"{name}-installed"
    wrapper = place / "bin" / name
    if not wrapper.exists():
        wrapper.parent.mkdir(parents=True, exist_ok=True)
        libraries = ":".join(str(path) for path in place.glob("usr/lib/*-linux-gnu"))
        draft = wrapper.with_name(f".{os.getpid()}")
        draft.write_text(_WRAPPER.format(libraries=libraries, program=installed or place / "usr/bin" / name))
        draft.chmod(0o755)
        draft.rename(wrapper)
    return wrapper.parent


def podman_variables(folder: Path) -> dict[str, str]:
    """The same for podman, which also wants to know with what it would run containers."""
    settings = _PODMAN.format(folder=folder, place=find_builder("podman").parent)
    variables = builder_variables(folder)
    (folder / "containers.conf").write_text(settings)
    return {
        **variables,
        "PATH": f"{find_builder('podman')}:{os.environ['PATH']}",
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
    }


def builder_variables(folder: Path) -> dict[str, str]:
    """The environment in which buildah works without rights, with all it keeps below the folder."""
    home = folder / "home"
    (home / ".config/containers").mkdir(parents=True, exist_ok=True)
    (home / ".config/containers/policy.json").write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
    storage = folder / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n')
    (folder / "registries.conf").write_text("")
    return {
        "HOME": str(home),
        "PATH": f"{find_builder()}:{os.environ['PATH']}",
        "BUILDAH_ISOLATION": "chroot",
        "CONTAINERS_STORAGE_CONF": str(storage),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
    }


# The hash of "secret-of-images", as htpasswd writes it with bcrypt, the only one that this registry reads.
_PASSWORDS = "release:$2y$05$abcdefghijklmnopqrstuuXcCP1LlPimR89KPegMfYUKXNTI9DFQK\n"
_CONFIGURATION = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/storage}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"{tls}}}
{auth}"""
_TLS = ", tls: {{certificate: {folder}/certificate.pem, key: {folder}/key.pem}}"
_AUTH = "auth: {{htpasswd: {{realm: images, path: {folder}/htpasswd}}}}\n"


@contextlib.contextmanager
def image_registry(
    folder: Path, *, closed: bool = False, identity: "trustme.LeafCert | None" = None
) -> Iterator[Server]:
    """A running registry of images; its `host` is what references begin with.

    Args:
        folder: where it keeps its files.
        closed: only `release` with the password `secret-of-images` may do anything.
        identity: its certificate and key, by which it speaks TLS; None: it does not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text(_PASSWORDS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    auth = _AUTH.format(folder=folder) if closed else ""
    tls = _TLS.format(folder=folder) if identity else ""
    if identity is not None:
        identity.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
        identity.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "registry.yml").write_text(_CONFIGURATION.format(folder=folder, port=port, auth=auth, tls=tls))
    argv = [find_docker_registry(), "serve", str(folder / "registry.yml")]
    server = Server(f"{'https' if identity else 'http'}://127.0.0.1:{port}/", argv, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def host_of(server: Server) -> str:
    """What references begin with."""
    return server.url.partition("://")[2].rstrip("/")


def make_image(folder: Path, text: str, *, version: str = "1.0.0") -> str:
    """A small image of one layer for each of two platforms, written part by part; gives the digest of its index."""
    folder.mkdir(parents=True, exist_ok=True)
    manifests = []
    for architecture in ("amd64", "arm64"):
        layer = _keep(folder, f"{text} for {architecture}".encode())
        config = _keep(folder, json.dumps({"os": "linux", "architecture": architecture, "rootfs": {}}).encode())
        body = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **layer}],
        }
        platform = {"os": "linux", "architecture": architecture}
        manifests.append({"mediaType": body["mediaType"], **_keep(folder, _json(body)), "platform": platform})
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
        "annotations": {"org.opencontainers.image.version": version},
    }
    return str(_keep(folder, _json(index))["digest"])


def _keep(folder: Path, content: bytes) -> dict[str, object]:
    name = hashlib.sha256(content).hexdigest()
    (folder / name).write_bytes(content)
    return {"digest": f"sha256:{name}", "size": len(content)}


def _json(body: dict[str, object]) -> bytes:
    return json.dumps(body).encode()
