"""What every check asks with: the address, the client, the values that names stand for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fairway.adapters.checks.client import Client
from fairway.adapters.checks.secrets import NoSecret
from fairway.domain.validation.checks import Check
from fairway.domain.validation.exchange import Answer
from fairway.domain.validation.template import fill, mask, names_in
from fairway.ports.checks import Place


@dataclass(slots=True)
class Asker:
    """Asks for one check.

    Attributes:
        secret: the value of a secret by its name.
        captured: values that answers gave, by name.
        hidden: pairs of name and value that must not be shown.
    """

    check: Check
    place: Place
    secret: Callable[[str], str | None]
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

    def _known(self, names: frozenset[str]) -> dict[str, Any]:
        settings = self.place.settings
        known = {"BASE_URL": self.place.base, **dict(settings.variables)}
        for name in names & set(settings.secrets) - set(self.captured):
            value = self.secret(name)
            if value is None:
                raise NoSecret(name)
            known[name] = value
            self.hidden.append((name, value))
        return known | self.captured

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
