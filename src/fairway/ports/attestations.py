"""Statements about products, signed."""

from dataclasses import dataclass
from typing import Any, Protocol

from fairway.domain.pipeline.plan import Task
from fairway.domain.pipeline.products import Product


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
