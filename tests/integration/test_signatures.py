"""Keys and envelopes with real cryptography, and another implementation of DSSE that must agree."""

import hashlib
import json

import pyrage
import pytest
from cryptography.hazmat.primitives import serialization
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import SSlibKey

from fairway.adapters.commands.confidential import LocalSecretCommands
from fairway.adapters.signing import LocalAttestations, LocalAttestor, LocalKeys
from fairway.adapters.signing.attestor import subject_of
from fairway.domain.errors import UserError
from fairway.domain.pipeline.actions import RunSteps
from fairway.domain.pipeline.plan import Task
from fairway.domain.pipeline.products import Product
from fairway.domain.provenance.envelope import (
    PAYLOAD_TYPE,
    Envelope,
    Signature,
    read_envelope,
    to_be_signed,
    write_envelope,
)
from fairway.domain.provenance.statement import Subject
from fairway.domain.provenance.trust import Distrusted, Trusted, TrustPolicy
from fairway.ports.attestations import Origin
from fairway.usecases.trusting import Verifier

PRODUCT = Product("dist/shop.whl", "sha256:" + hashlib.sha256(b"wheel").hexdigest(), 5)


@pytest.fixture
def identity():
    return pyrage.x25519.Identity.generate()


def ring(folder, identity, **variables):
    environment = {"FAIRWAY_AGE_IDENTITY": str(identity), **variables}
    commands = LocalSecretCommands()
    return LocalKeys(folder / "release-keys", folder / "private", commands=commands, environment=environment)


def origin(commit="c" * 40):
    task = Task("wheel", "build", RunSteps(("make",)))
    return Origin("shop", "1.0.0", "v1.0.0", commit, "https://example.org/shop", "rel-1", task, (), {"began": 1.0})


def attestor(folder, keys):
    locks = {"requirements.txt": "idna==3.10\n"}
    return LocalAttestor(
        keys=keys,
        attestations=LocalAttestations(folder / "attestations"),
        locks=lambda commit: locks,
        installed=lambda digest: set(),
    )


def test_the_private_half_is_never_on_the_disk_in_the_clear(tmp_path, identity):
    key = ring(tmp_path, identity).create("release", recipient=str(identity.to_public()))
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"PRIVATE KEY" not in content
    assert b"BEGIN AGE ENCRYPTED FILE" in content
    assert (tmp_path / "private/release.age").stat().st_mode & 0o077 == 0
    assert key.id == ring(tmp_path, identity).list_keys()[0].id


def test_another_implementation_of_dsse_verifies_what_we_sign_and_refuses_what_was_altered(tmp_path, identity):
    keys = ring(tmp_path, identity)
    keys.create("release", recipient=str(identity.to_public()))
    attestor(tmp_path, keys).ensure_attested(PRODUCT, origin(), key="release")
    files = sorted((tmp_path / "attestations").rglob("*.intoto.json"))
    assert [path.name for path in files] == ["bom.intoto.json", "provenance.intoto.json"]
    public = (tmp_path / "release-keys/release.pub").read_text()
    for path in files:
        body = json.loads(path.read_text())
        key = SSlibKey(body["signatures"][0]["keyid"], "ed25519", "ed25519", {"public": _raw(public)})
        OtherEnvelope.from_dict(body).verify([key], 1)
        altered = OtherEnvelope.from_dict(json.loads(path.read_text()))
        altered.payload = altered.payload.replace(b"shop", b"sho0")
        with pytest.raises((VerificationError, UnverifiedSignatureError)):
            altered.verify([key], 1)


def _raw(pem):
    key = serialization.load_pem_public_key(pem.encode())
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def test_what_the_envelope_says_about_its_key_is_not_believed(tmp_path, identity):
    keys = ring(tmp_path, identity)
    trusted = keys.create("release", recipient=str(identity.to_public()))
    keys.create("mallory", recipient=str(identity.to_public()))
    payload = b'{"_type": "x"}'
    _, forged = keys.sign("mallory", to_be_signed(PAYLOAD_TYPE, payload))
    envelope = Envelope(payload, (Signature(trusted.id, forged),))
    assert keys.signer_of(envelope, ("release",)) is None
    assert keys.signer_of(envelope, ("release", "mallory")) == "mallory"


def test_a_signature_over_another_type_of_payload_does_not_hold(tmp_path, identity):
    keys = ring(tmp_path, identity)
    keys.create("release", recipient=str(identity.to_public()))
    name, signature = keys.sign("release", to_be_signed("text/plain", b"{}"))
    assert keys.signer_of(Envelope(b"{}", (Signature(name, signature),)), ("release",)) is None


def test_what_is_attested_is_verified_and_not_signed_again(tmp_path, identity):
    keys = ring(tmp_path, identity)
    keys.create("release", recipient=str(identity.to_public()))
    attestor(tmp_path, keys).ensure_attested(PRODUCT, origin(), key="release")
    before = {path: path.read_bytes() for path in (tmp_path / "attestations").rglob("*.json")}
    closed = ring(tmp_path, pyrage.x25519.Identity.generate())
    attestor(tmp_path, closed).ensure_attested(PRODUCT, origin("d" * 40), key="release")
    assert {path: path.read_bytes() for path in (tmp_path / "attestations").rglob("*.json")} == before
    verifier = Verifier(keys, LocalAttestations(tmp_path / "attestations"))
    policy = TrustPolicy(("release",), ("https://example.org/shop",))
    assert isinstance(verifier.verify(subject_of(PRODUCT), policy), Trusted)


def test_a_damaged_envelope_is_made_again(tmp_path, identity):
    keys = ring(tmp_path, identity)
    keys.create("release", recipient=str(identity.to_public()))
    attestor(tmp_path, keys).ensure_attested(PRODUCT, origin(), key="release")
    for path in (tmp_path / "attestations").rglob("provenance*"):
        path.write_text(path.read_text()[:100])
    verifier = Verifier(keys, LocalAttestations(tmp_path / "attestations"))
    assert isinstance(verifier.verify(subject_of(PRODUCT), TrustPolicy(("release",))), Distrusted)
    attestor(tmp_path, keys).ensure_attested(PRODUCT, origin(), key="release")
    assert isinstance(verifier.verify(subject_of(PRODUCT), TrustPolicy(("release",))), Trusted)


def test_a_copy_that_was_altered_is_told_from_one_that_was_never_signed(tmp_path, identity):
    keys = ring(tmp_path, identity)
    keys.create("release", recipient=str(identity.to_public()))
    attestor(tmp_path, keys).ensure_attested(PRODUCT, origin(), key="release")
    verifier, policy = Verifier(keys, LocalAttestations(tmp_path / "attestations")), TrustPolicy(("release",))
    altered = verifier.verify(Subject("shop.whl", "sha256:" + "0" * 64), policy)
    stranger = verifier.verify(Subject("other.whl", "sha256:" + "0" * 64), policy)
    assert [altered.code, stranger.code] == ["altered", "unsigned"]


def test_a_wrong_identity_names_the_key_and_the_variable_and_not_the_secret(tmp_path, identity):
    ring(tmp_path, identity).create("release", recipient=str(identity.to_public()))
    other = pyrage.x25519.Identity.generate()
    with pytest.raises(UserError, match="key 'release' cannot be opened: FAIRWAY_AGE_IDENTITY") as error:
        ring(tmp_path, other).sign("release", b"x")
    assert str(other) not in f"{error.value} {error.value.hint}"


def test_a_passphrase_opens_a_key(tmp_path):
    # Opening takes a second of work each time, on purpose; wrong secrets are tried with identities, which are quick.
    variables = {"FAIRWAY_KEY_PASSPHRASE": "correct horse"}
    keys = LocalKeys(tmp_path / "k", tmp_path / "p", commands=LocalSecretCommands(), environment=variables)
    keys.create("release")
    assert keys.sign("release", b"x")[1] != keys.sign("release", b"y")[1]


def test_a_key_without_a_passphrase_is_not_made(tmp_path):
    with pytest.raises(UserError, match="needs a passphrase"):
        LocalKeys(tmp_path / "k", tmp_path / "p", commands=LocalSecretCommands(), environment={}).create("release")
    assert not list(tmp_path.rglob("*.pub"))


def test_a_key_is_never_replaced(tmp_path, identity):
    keys = ring(tmp_path, identity)
    first = keys.create("release", recipient=str(identity.to_public()))
    with pytest.raises(UserError, match="there is a key 'release' already"):
        keys.create("release", recipient=str(identity.to_public()))
    assert keys.list_keys() == (first,)


def test_the_encrypted_half_may_come_from_a_variable(tmp_path, identity):
    keys = ring(tmp_path, identity)
    keys.create("release", recipient=str(identity.to_public()))
    private = tmp_path / "private/release.age"
    text = private.read_text()
    private.unlink()
    with pytest.raises(UserError, match="is not in"):
        ring(tmp_path, identity).sign("release", b"x")
    assert ring(tmp_path, identity, FAIRWAY_SIGNING_KEY=text).sign("release", b"x")


def test_an_envelope_is_read_back_as_it_was_written():
    envelope = Envelope(b'{"_type": "x"}', (Signature("k", b"\x00\xff"),))
    assert read_envelope(write_envelope(envelope)) == envelope
    for text in ("", "{}", '{"payload": "!", "payloadType": "x", "signatures": []}', "[]"):
        with pytest.raises(ValueError, match="no DSSE envelope"):
            read_envelope(text)
