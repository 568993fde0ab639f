"""Ed25519 keys: the public half a file of the repository, the private half encrypted by age; implements `Keys`.

A private half is opened by a passphrase, or by an age identity where it was encrypted for its recipient. Passphrase,
identity and, where the file is not on this machine, the encrypted half itself come from variables, so that a pipeline
can give them; or a command reads the private half from a vault. Opened keys stay in memory for the time of one command.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fairway.adapters.signing.vault import PLAIN, Vault
from fairway.domain.errors import UserError
from fairway.domain.provenance.envelope import Envelope, to_be_signed
from fairway.ports.attestations import KeyInfo, Keys
from fairway.ports.secrets import SecretCommands

PASSPHRASE, IDENTITY, PRIVATE = "FAIRWAY_KEY_PASSPHRASE", "FAIRWAY_AGE_IDENTITY", "FAIRWAY_SIGNING_KEY"
#: An argument line that prints the private half, encrypted or not.
COMMAND = "FAIRWAY_SIGNING_KEY_COMMAND"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class LocalKeys(Keys):
    """Keys in two folders.

    Args:
        public: folder of the public halves, part of the repository.
        private: folder of the encrypted private halves, for this account only.
        commands: runs those that read and fill a vault.
        environment: where variables are.
        ask: asks a person for the passphrase of a key; None: nobody can be asked.
    """

    def __init__(
        self,
        public: Path,
        private: Path,
        *,
        commands: SecretCommands,
        environment: Mapping[str, str] = os.environ,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        self._public = public
        self._private = private
        self._environment = environment
        self._vault = Vault(commands, environment)
        self._ask = ask
        self._open: dict[str, Ed25519PrivateKey] = {}

    def create(self, name: str, *, recipient: str | None = None, vault: str | None = None) -> KeyInfo:
        """Makes a key; its private half is encrypted before it touches the disk, and goes to a vault without doing so.

        Args:
            name: what it is called, of `[a-z0-9-]`.
            recipient: an age recipient that can open it, in place of a passphrase.
            vault: an argument line that gets the private half on its standard input; it is in no file here then.

        Raises:
            UserError: there is one of that name, no passphrase, or no such recipient.
            TransientError: the vault did not take it; there is no key then.
        """
        if not _NAME.fullmatch(name):
            raise UserError("bad-key-name", f"{name[:60]!r} is no name for a key", "use a to z, 0 to 9 and -")
        if self._public_file(name).exists():
            hint = "remove its files, or choose another name; what it signed is verified with its public half"
            raise UserError("key-exists", f"there is a key {name!r} already", hint)
        key = Ed25519PrivateKey.generate()
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        if vault is not None:
            self._vault.store_private(vault, self._encrypt(name, secret, recipient) if recipient else secret)
        else:
            encrypted = self._encrypt(name, secret, recipient)
            self._private.mkdir(parents=True, exist_ok=True, mode=0o700)
            place = self._private_file(name)
            place.touch(mode=0o600)
            place.write_bytes(encrypted)
        self._public.mkdir(parents=True, exist_ok=True)
        self._public_file(name).write_bytes(_pem(key.public_key()))
        return self._info(name)

    def list_keys(self) -> tuple[KeyInfo, ...]:
        """All keys whose public half is here, by name."""
        names = sorted(path.stem for path in self._public.glob("*.pub")) if self._public.is_dir() else []
        return tuple(self._info(name) for name in names if _NAME.fullmatch(name))

    def sign(self, name: str, message: bytes) -> tuple[str, bytes]:
        """Id of the key and its signature."""
        public = self._read(name)
        if name not in self._open:
            self._open[name] = self._decrypt(name)
        key = self._open[name]
        if _pem(key.public_key()) != _pem(public):
            raise UserError("key-mismatch", f"the private half of key {name!r} does not belong to its public half", "")
        return _identity(public), key.sign(message)

    def signer_of(self, envelope: Envelope, names: Sequence[str]) -> str | None:
        """The first of these keys of which a signature of the envelope holds; what the envelope says is no matter."""
        message = to_be_signed(envelope.kind, envelope.payload)
        for name in names:
            key = self._read(name)
            if any(_holds(key, one.value, message) for one in envelope.signatures):
                return name
        return None

    def _info(self, name: str) -> KeyInfo:
        private = self._private_file(name)
        shown = str(private) if private.exists() else None
        return KeyInfo(name, _identity(self._read(name)), str(self._public_file(name)), shown)

    def _read(self, name: str) -> Ed25519PublicKey:
        place = self._public_file(name)
        try:
            key = serialization.load_pem_public_key(place.read_bytes())
        except OSError as error:
            known = ", ".join(one.stem for one in sorted(self._public.glob("*.pub"))) or "none"
            hint = f"known are {known}; fairway keys create {name} makes one"
            raise UserError("unknown-key", f"there is no key {name!r} in {self._public}", hint) from error
        except ValueError as error:
            raise UserError("bad-key", f'"{place}" holds no public key', "write the PEM of an Ed25519 key") from error
        if not isinstance(key, Ed25519PublicKey):
            raise UserError("bad-key", f'"{place}" holds no Ed25519 key', "write the PEM of an Ed25519 key")
        return key

    def _encrypt(self, name: str, secret: bytes, recipient: str | None) -> bytes:
        if recipient is None:
            return bytes(pyrage.passphrase.encrypt(secret, self._passphrase(name), armored=True))
        try:
            return bytes(pyrage.encrypt(secret, [pyrage.x25519.Recipient.from_str(recipient)], armored=True))
        except pyrage.RecipientError as error:
            raise UserError(
                "bad-recipient", f"{recipient[:80]!r} is no age recipient", "it begins with age1"
            ) from error

    def _decrypt(self, name: str) -> Ed25519PrivateKey:
        found = self._find_private(name)
        try:
            # From a vault it may come as it is; anywhere else it is encrypted, or does not open.
            secret = found if found.startswith(PLAIN) else self._decrypted(name, found)
            key = serialization.load_pem_private_key(secret, password=None)
        except (pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
            variable = IDENTITY if self._environment.get(IDENTITY) else PASSPHRASE
            sentence = f"key {name!r} cannot be opened: {variable} does not fit it"
            raise UserError("key-closed", sentence, f"set {PASSPHRASE} or {IDENTITY}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise UserError("bad-key", f"key {name!r} is no Ed25519 key", "fairway keys create makes one")
        return key

    def _find_private(self, name: str) -> bytes:
        """The private half as it is kept."""
        given, command, place = self._environment.get(PRIVATE), self._environment.get(COMMAND), self._private_file(name)
        if given is not None:
            return given.encode()
        if command:
            return self._vault.read_private(command.replace("{key}", name))
        if not place.exists():
            hint = f"put it there, or into the variable {PRIVATE}, or say in {COMMAND} how a vault gives it"
            raise UserError("no-private-key", f'the private half of key {name!r} is not in "{place}"', hint)
        return place.read_bytes()

    def _decrypted(self, name: str, encrypted: bytes) -> bytes:
        identity = self._environment.get(IDENTITY)
        if identity:
            return bytes(pyrage.decrypt(encrypted, [pyrage.x25519.Identity.from_str(identity.strip())]))
        return bytes(pyrage.passphrase.decrypt(encrypted, self._passphrase(name)))

    def _passphrase(self, name: str) -> str:
        given = self._environment.get(PASSPHRASE) or (self._ask(name) if self._ask is not None else "")
        if not given:
            raise UserError("no-passphrase", f"key {name!r} needs a passphrase", f"set {PASSPHRASE}")
        return given

    def _public_file(self, name: str) -> Path:
        return self._public / f"{name}.pub"

    def _private_file(self, name: str) -> Path:
        return self._private / f"{name}.age"


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _identity(key: Ed25519PublicKey) -> str:
    """SHA-256 over the key's DER form."""
    form = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(form).hexdigest()


def _holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
