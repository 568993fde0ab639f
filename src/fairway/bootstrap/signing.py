"""Keys and signatures of a project: its public keys lie in the repository, the rest in the state folder.

Nothing of cryptography is loaded before something is signed or verified.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.bootstrap.project import STATE_FOLDER, Project, find_config
from fairway.domain.provenance.envelope import Envelope
from fairway.domain.provenance.statement import Subject, is_about
from fairway.ports.attestations import KeyInfo, Keys
from fairway.usecases.trusting import Verifier

if TYPE_CHECKING:
    from fairway.adapters.signing import LocalAttestations, LocalAttestor, LocalKeys
    from fairway.domain.pipeline.products import Product
    from fairway.domain.provenance.bill import Component
    from fairway.ports.attestations import Origin

#: The folder of public keys, beside the configuration.
PUBLIC_FOLDER = "release-keys"


def keys_in(folder: Path) -> "LocalKeys":
    """The keys of the project in this folder."""
    from fairway.adapters.commands.confidential import LocalSecretCommands
    from fairway.adapters.signing import LocalKeys

    ask = _ask if sys.stdin.isatty() else None
    private = folder / STATE_FOLDER / "keys"
    return LocalKeys(folder / PUBLIC_FOLDER, private, commands=LocalSecretCommands(), ask=ask)


def home_of(config: Path | None) -> Path:
    """The folder of the configuration, whether it can be used or not."""
    return find_config(config).absolute().parent


def attestations_in(folder: Path) -> "LocalAttestations":
    """The envelopes of the project in this folder."""
    from fairway.adapters.signing.envelopes import LocalAttestations

    return LocalAttestations(folder / STATE_FOLDER / "attestations")


def envelopes_of(project: Project, product: "Product") -> tuple[str, ...]:
    """The signed statements about a product, each as it is written down."""
    from fairway.domain.provenance.envelope import write_envelope

    about = Subject(product.path, product.digest, tree=product.kind == "artifact")
    found = attestations_in(project.folder).list_for(about)
    return tuple(write_envelope(one) for one in found if is_about(one.statement, about))


def verifier_of(project: Project) -> Verifier:
    """Who verifies signatures for this project."""
    return Verifier(_LateKeys(project.folder), attestations_in(project.folder))


def attestor_of(project: Project) -> "LateAttestor":
    """Who attests what a release made."""
    return LateAttestor(project)


class LateAttestor:
    """Made at the first product: a release without a key needs none of it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._made: LocalAttestor | None = None

    def ensure_attested(self, product: "Product", origin: "Origin", *, key: str) -> None:
        """See the port `Attestor`."""
        if self._made is None:
            self._made = self._make()
        self._made.ensure_attested(product, origin, key=key)

    def _make(self) -> "LocalAttestor":
        from fairway.adapters.signing import LocalAttestor

        project = self._project
        return LocalAttestor(
            keys=keys_in(project.folder),
            attestations=attestations_in(project.folder),
            locks=lambda commit: _locks(project, commit),
            installed=lambda digest: _installed(project, digest),
        )


class _LateKeys(Keys):
    """The keys of a folder, loaded when one is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list_keys(self) -> tuple[KeyInfo, ...]:
        """See the port."""
        return keys_in(self._folder).list_keys()

    def sign(self, name: str, message: bytes) -> tuple[str, bytes]:
        """See the port."""
        return keys_in(self._folder).sign(name, message)

    def signer_of(self, envelope: Envelope, names: Sequence[str]) -> str | None:
        """See the port."""
        return keys_in(self._folder).signer_of(envelope, names)


def _ask(name: str) -> str:
    import getpass

    return getpass.getpass(f"passphrase of key {name}: ")


def _locks(project: Project, commit: str) -> Mapping[str, str]:
    from fairway.adapters.sources.git_tree import GitTree
    from fairway.domain.provenance.bill import lock_reader

    tree = GitTree(project.folder)
    found = [path for path, _ in tree.list_files(commit) if lock_reader(path) is not None]
    return {path: tree.read_text(commit, path) for path in found}


def _installed(project: Project, digest: str) -> "set[Component]":
    from fairway.adapters.artifacts.local.installed import find_installed
    from fairway.adapters.images.contents import find_packages

    artifact = project.artifacts(project.spec.service).find(digest)
    if artifact is not None:
        return find_installed(Path(artifact.location))
    blobs = project.state / "releases" / "blobs"
    return find_packages(digest, lambda part: blobs / part.removeprefix("sha256:"))


def subject_of_path(path: Path) -> Subject:
    """A file as statements name it, by the digest of its bytes as they are now."""
    from fairway.adapters.builders.blobs import digest_of

    return Subject(path.name, digest_of(path))
