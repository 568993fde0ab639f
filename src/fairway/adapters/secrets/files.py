"""Values from files: plain ones that nobody else may read, or encrypted ones."""

import os
import stat
from collections.abc import Mapping

from fairway.domain.errors import UserError
from fairway.domain.validation.secret import ENCRYPTED, IDENTITY, SecretSource, parse_entry

#: Bytes of the longest file of secrets.
_LARGEST = 64 * 1024


def read_file(source: SecretSource, environment: Mapping[str, str]) -> str:
    """The value that a file holds.

    Raises:
        UserError: there is none, others may read it, or it cannot be decrypted.
    """
    is_encrypted = source.place.endswith(ENCRYPTED)
    content = _read(source, private=not is_encrypted)
    if is_encrypted:
        content = _decrypt(source, content, environment.get(IDENTITY))
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise _refuse(source, "is no text in UTF-8", "write the value as text") from None
    if not source.entry:
        return text.removesuffix("\n").removesuffix("\r")
    value = parse_entry(text, source.entry)
    if value is None:
        raise _refuse(source, "does not exist", f"write a line {source.entry}=… into the file")
    return value


def _read(source: SecretSource, *, private: bool) -> bytes:
    try:
        # Looked at and read as one file, whatever is put in its place meanwhile; a pipe must not hold us.
        descriptor = os.open(source.place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _refuse(source, f"cannot be read: {error.strerror}", "compare the path and its rights") from None
    try:
        _inspect(source, os.fstat(descriptor), private=private)
        content = os.read(descriptor, _LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LARGEST:
        raise _refuse(source, f"is longer than {_LARGEST >> 10} KiB", "compare the path")
    return content


def _inspect(source: SecretSource, found: os.stat_result, *, private: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _refuse(source, "is no plain file", "compare the path")
    if private and found.st_mode & 0o077:
        may = f"may be read by others: its mode is {stat.S_IMODE(found.st_mode):04o}"
        raise _refuse(source, may, f"chmod 600 {source.place}")
    if private and found.st_uid not in (os.geteuid(), 0):
        raise _refuse(source, f"belongs to another account, of number {found.st_uid}", "make it your own")


def _decrypt(source: SecretSource, content: bytes, identity: str | None) -> bytes:
    import pyrage  # type: ignore[import-untyped]  # noqa: PLC0415 -- few secrets are encrypted files

    if not identity:
        raise _refuse(source, f"is encrypted, and {IDENTITY} is not set", f"set {IDENTITY}")
    try:
        return bytes(pyrage.decrypt(content, [pyrage.x25519.Identity.from_str(identity.strip())]))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        raise _refuse(source, f"cannot be opened: {IDENTITY} does not fit it", "compare its recipients") from None


def _refuse(source: SecretSource, what: str, hint: str) -> UserError:
    return UserError("secret-file", f"secret {source.name}: {source.title} {what}", hint)
