"""Any other place, by two commands of the user's; implements `Registry`."""

import os
import shlex
import subprocess
from collections.abc import Mapping

from fairway.adapters.publishers.http import read_secret
from fairway.domain.errors import AmbiguousError, PermanentError, TransientError, UserError
from fairway.ports.pipeline import Parcel, Presence, Registry

_INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


class CommandRegistry(Registry):
    """A place that commands publish to; see `CommandSettings` for the arguments."""

    def __init__(
        self,
        *,
        publish: str,
        check: str,
        kind: str = "command",  # noqa: ARG002 -- part of the settings
        secrets: list[str] | None = None,
        timeout: float = 300.0,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._publish = publish
        self._check = check
        self._secrets = secrets or []
        self._timeout = timeout
        self._environment = environment

    def observe(self, parcel: Parcel) -> Presence:
        """What the check says: status 0 with the digest that is there, or status 1."""
        name = parcel.product.name
        done = self._run(self._check, parcel)
        if done is None:
            raise TransientError("check-timeout", f"{self._check!r} took longer than {self._timeout:g} s for {name}")
        status, output = done
        if status == 1:
            return Presence("absent", name)
        words = output.split()
        if status != 0 or not words:
            said = f": {output.strip()[-200:]}" if output.strip() else ""
            sentence = (
                f"{self._check!r} ended with status {status} for {name}, so that it is not known what is there{said}"
            )
            hint = "status 0 with the SHA-256 of what is there, 1 if nothing is"
            raise TransientError("check-unclear", sentence, hint)
        digest = words[0].removeprefix("sha256:")
        same = digest == parcel.product.digest.removeprefix("sha256:")
        return Presence("same" if same else "other", name, f"sha256:{digest}"[:80])

    def publish(self, parcel: Parcel) -> None:
        """Runs the command once."""
        done = self._run(self._publish, parcel)
        name = parcel.product.name
        if done is None:
            raise AmbiguousError(
                "publish-timeout", f"{self._publish!r} took longer than {self._timeout:g} s for {name}"
            )
        status, output = done
        if status != 0:
            said = f": {output.strip()[-200:]}" if output.strip() else ""
            raise PermanentError("publish-failed", f"{self._publish!r} ended with status {status} for {name}{said}")

    def _run(self, line: str, parcel: Parcel) -> tuple[int, str] | None:
        """Status and output; None if it took too long."""
        values = {
            "{file}": parcel.location,
            "{name}": parcel.product.name,
            "{version}": parcel.version,
            "{digest}": parcel.product.digest,
        }
        secrets = {name: read_secret(self._environment, name, f"{line!r}") for name in self._secrets}
        words = [_fill(word, values) for word in shlex.split(line)]
        variables = {name: self._environment[name] for name in _INHERITED if name in self._environment} | secrets
        try:
            done = subprocess.run(
                words,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        except OSError as error:
            raise UserError(
                "no-program", f"{words[0]!r} cannot be started: {error.strerror}", f"see {line!r}"
            ) from error
        output = done.stdout.decode(errors="replace")
        for value in secrets.values():
            output = output.replace(value, "***")
        return done.returncode, output


def _fill(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word
