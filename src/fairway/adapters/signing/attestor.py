"""Bills of materials and provenances, made and signed once for each product; implements `Attestor`."""

from collections.abc import Callable, Mapping
from typing import Any

from fairway import __version__
from fairway.domain.codec import to_json
from fairway.domain.pipeline.products import Product
from fairway.domain.provenance.bill import Component, bill_of, read_locks
from fairway.domain.provenance.envelope import PAYLOAD_TYPE, Envelope, Signature, to_be_signed
from fairway.domain.provenance.statement import BILL, PROVENANCE, Build, Subject, is_about, provenance, statement
from fairway.ports.attestations import Attestations, Attestor, Keys, Origin

_KINDS = {PROVENANCE: "provenance", BILL: "bom"}


def subject_of(product: Product) -> Subject:
    """A product as statements name it."""
    return Subject(product.path, product.digest, tree=product.kind == "artifact")


class LocalAttestor(Attestor):
    """Attests with the keys of a project.

    Args:
        keys: who signs.
        attestations: where envelopes are kept.
        locks: the lock files of a commit, text by path.
        installed: what lies in a sealed artifact or an image, by its digest.
    """

    def __init__(
        self,
        *,
        keys: Keys,
        attestations: Attestations,
        locks: Callable[[str], Mapping[str, str]],
        installed: Callable[[str], set[Component]],
    ) -> None:
        self._keys = keys
        self._attestations = attestations
        self._locks = locks
        self._installed = installed

    def ensure_attested(self, product: Product, origin: Origin, *, key: str) -> None:
        """The product has a bill of materials and a provenance, signed by the key of that name."""
        subject = subject_of(product)
        present = self._present(subject, key)
        if PROVENANCE not in present:
            self._sign(subject, PROVENANCE, provenance(subject, _build(origin)), key)
        if BILL not in present:
            components = read_locks(self._locks(origin.commit))
            if subject.tree or product.kind == "image":
                components |= self._installed(product.digest)
            name = origin.service if subject.tree else product.name
            bill = bill_of(name, origin.version, product.digest, components)
            self._sign(subject, BILL, statement(subject, BILL, bill), key)

    def _present(self, subject: Subject, key: str) -> set[str]:
        """The kinds of statements about the subject that the key has signed already."""
        return {
            str(one.statement.get("predicateType"))
            for one in self._attestations.list_for(subject)
            if is_about(one.statement, subject) and self._keys.signer_of(one, (key,)) is not None
        }

    def _sign(self, subject: Subject, kind: str, payload: bytes, key: str) -> None:
        identity, signature = self._keys.sign(key, to_be_signed(PAYLOAD_TYPE, payload))
        self._attestations.keep(subject, _KINDS[kind], Envelope(payload, (Signature(identity, signature),)))


def _build(origin: Origin) -> Build:
    action = to_json(origin.task.action)
    parameters: dict[str, Any] = {
        "service": origin.service,
        "version": origin.version,
        "task": origin.task.id,
        "values": dict(origin.task.values),
        "action": action,
    }
    return Build(
        source=origin.source,
        commit=origin.commit,
        tag=origin.tag,
        parameters=parameters,
        materials=[subject_of(one) for one in origin.materials],
        invocation=f"{origin.release}/{origin.task.id}",
        began=float(origin.data.get("began", 0.0)),
        ended=float(origin.data.get("ended", 0.0)),
        program=__version__,
    )
