"""What every check asks with: the address, the client, the values that names stand for."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fairway.adapters.checks.client import Client
from fairway.adapters.checks.secrets import NoSecret
from fairway.domain.errors import TransientError, UserError
from fairway.domain.validation.checks import Check
from fairway.domain.validation.exchange import Answer
from fairway.domain.validation.secret import source_of
from fairway.domain.validation.template import fill, is_name, mask, names_in
from fairway.ports.checks import Place
from fairway.ports.secrets import SecretReader


class BadAddress(Exception):  # noqa: N818 -- it is what happened
    """The URL of a check is none, with its names replaced."""


@dataclass(slots=True)
class Asker:
    """Asks for one check.

    Attributes:
        secrets: reads them.
        captured: values that answers gave, by name.
        hidden: pairs of name and value that must not be shown.
    """

    check: Check
    place: Place
    secrets: SecretReader
    captured: dict[str, Any] = field(default_factory=dict)
    hidden: list[tuple[str, str]] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return str(self.fill(self.check.url) if self.check.url else self.place.base).rstrip("/")

    @property
    def timeout(self) -> float:
        """Seconds for each request."""
        return self.check.timeout or self.place.settings.timeout

    def fill(self, value: Any) -> Any:
        """The value with its names replaced.

        Raises:
            NoSecret: a secret in it has no value.
            UnknownName: a name in it stands for nothing.
        """
        return fill(value, self._known(names_in(value)))

    def address(self, url: str) -> str:
        """The URL of something that the service needs, with its names replaced; its password will not be shown.

        Secrets within it are percent-encoded, so that a password may hold any character. One that is nothing but a
        name is taken as that value is.

        Raises:
            As `fill` does.
            BadAddress: it is none.
        """
        known = self._known(names_in(url))
        if not is_name(url):
            secrets = set(self.place.settings.secrets) - set(self.captured)
            known |= {name: quote(value, safe=":") for name, value in known.items() if name in secrets}
        filled = str(fill(url, known))
        try:
            parts = urlsplit(filled)
            _ = parts.port
        except ValueError:
            # The library's words would quote what may be a secret.
            raise BadAddress from None
        if parts.password:
            self.hidden += [("password", parts.password), ("password", unquote(parts.password))]
        return filled

    def _known(self, names: frozenset[str]) -> dict[str, Any]:
        settings = self.place.settings
        known = {"BASE_URL": self.place.base, **dict(settings.variables)}
        for name in names & set(settings.secrets) - set(self.captured):
            known[name] = self._read(name)
            self.hidden.append((name, known[name]))
        return known | self.captured

    def _read(self, name: str) -> str:
        try:
            return self.secrets.read(source_of(name, self.place.settings.sources))
        except (UserError, TransientError) as error:
            raise NoSecret(name, f"{error.message}; {error.hint}" if error.hint else error.message) from None

    def mask(self, text: str) -> str:
        """The text as it may be shown."""
        return mask(text, dict.fromkeys(self.hidden))

    def url(self, path: str) -> str:
        """The URL of a path at the address; a whole URL stays as it is."""
        filled = str(self.fill(path))
        return filled if "://" in filled.partition("/")[0] + "//" and urlsplit(filled).scheme else self.base + filled

    def client(self, *, http2: bool = False, shared: bool = True, timeout: float | None = None) -> Client:
        """What sends requests.

        Args:
            http2: offer HTTP/2.
            shared: send the headers that all checks share.
            timeout: seconds, in place of those of the check.
        """
        settings = self.place.settings
        headers = self.pairs(settings.headers) if shared else ()
        return Client(timeout or self.timeout, headers, settings.ca, http2)

    def pairs(self, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Headers with their names replaced."""
        return tuple((name, str(self.fill(value))) for name, value in headers)

    def get(self, path: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        """One GET to the address."""
        return self.client().send("GET", self.url(path), headers=self.pairs(headers))
