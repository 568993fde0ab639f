"""Statements about products, signed; and the keys that sign and verify them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fairway.domain.pipeline.plan import Task
from fairway.domain.pipeline.products import Product
from fairway.domain.provenance.envelope import Envelope
from fairway.domain.provenance.statement import Subject


@dataclass(frozen=True, slots=True)
class Origin:
    """How a product came about.

    Attributes:
        source: address of the repository; empty if it has none.
        release: id of the release.
        task: what made it.
        materials: products that were laid into the checkout.
        data: facts about the execution: `began` and `ended` in seconds since the epoch, UTC, and the cache key.
    """

    service: str
    version: str
    tag: str
    commit: str
    source: str
    release: str
    task: Task
    materials: tuple[Product, ...]
    data: dict[str, Any]


class Attestor(Protocol):
    """Makes and keeps bills of materials, provenances and signatures."""

    def ensure_attested(self, product: Product, origin: Origin, *, key: str) -> None:
        """The product has a bill of materials and a provenance, signed by the key of that name.

        A second call leaves what is there and verifies.

        Raises:
            UserError: there is no such key, or it cannot be opened: the passphrase is missing or wrong.
        """
        ...


class Attestations(Protocol):
    """The envelopes that are kept."""

    def list_for(self, subject: Subject) -> Sequence[Envelope]:
        """The envelopes about what has this digest; where there are none, those about what has this name."""
        ...

    def keep(self, subject: Subject, kind: str, envelope: Envelope) -> str:
        """Keeps the envelope as the subject's one of that kind and gives the path of its file."""
        ...


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key.

    Attributes:
        id: SHA-256 of its public half, 64 hex digits.
        public: path of the file with the public half, which everyone may have.
        private: path of the file with the encrypted private half; None if it is not here.
    """

    name: str
    id: str
    public: str
    private: str | None


class Keys(Protocol):
    """The keys of a project."""

    def list_keys(self) -> tuple[KeyInfo, ...]:
        """All keys whose public half is here, by name."""
        ...

    def sign(self, name: str, message: bytes) -> tuple[str, bytes]:
        """Id of the key and its signature.

        Raises:
            UserError: there is no such key, or it cannot be opened.
        """
        ...

    def signer_of(self, envelope: Envelope, names: Sequence[str]) -> str | None:
        """The first of these keys of which a signature of the envelope holds; None if none does.

        Raises:
            UserError: there is no key of such a name.
        """
        ...
