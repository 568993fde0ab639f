"""Envelopes by DSSE 1.0.2: a payload, its type and signatures over both.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and a hint whose it is; the hint is not to be believed."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A statement with its signatures."""

    payload: bytes
    signatures: tuple[Signature, ...]
    kind: str = PAYLOAD_TYPE

    @property
    def statement(self) -> dict[str, Any]:
        """The in-toto statement.

        Raises:
            ValueError: the payload is none.
        """
        try:
            found = json.loads(self.payload)
        except RecursionError as error:
            raise ValueError("the payload is nested too deeply") from error
        if self.kind != PAYLOAD_TYPE or not isinstance(found, dict) or "_type" not in found:
            raise ValueError("the payload is no in-toto statement")
        return found


def to_be_signed(kind: str, payload: bytes) -> bytes:
    """What a signature is over: type and payload with their lengths, so that neither passes for a part of the other."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def write_envelope(envelope: Envelope) -> str:
    """One line of JSON."""
    signatures = [{"keyid": one.key, "sig": _text(one.value)} for one in envelope.signatures]
    body = {"payloadType": envelope.kind, "payload": _text(envelope.payload), "signatures": signatures}
    return json.dumps(body, separators=(",", ":"))


def read_envelope(text: str) -> Envelope:
    """The envelope that the text holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        body = json.loads(text)
        payload = base64.b64decode(body["payload"], validate=True)
        signatures = tuple(
            Signature(str(one.get("keyid", "")), base64.b64decode(one["sig"], validate=True))
            for one in body["signatures"]
        )
        return Envelope(payload, signatures, str(body["payloadType"]))
    except (KeyError, TypeError, AttributeError, binascii.Error, ValueError, RecursionError) as error:
        raise ValueError(f"no DSSE envelope: {error}") from error


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
