"""What came back from a server, or why nothing did."""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from fairway.domain.validation.findings import Finding, errored, failed

TroubleCode = Literal[
    "refused", "unresolved", "unreachable", "timeout", "reset", "incomplete", "not-http", "too-large", "tls", "bad-url"
]
#: Troubles in which no server was there to say no.
_ABSENT = frozenset({"refused", "unresolved", "unreachable", "bad-url"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its complete answer.

    Attributes:
        headers: names in lower case, in the order of the answer, repeated ones repeated.
        body: decoded; nothing is missing.
        wire_bytes: length of the body as it was sent.
        seconds: from the first byte sent to the last one received, the connection included.
        version: `HTTP/1.1` or `HTTP/2`.
    """

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wire_bytes: int = 0
    seconds: float = 0.0
    version: str = "HTTP/1.1"

    def header(self, name: str) -> str | None:
        """The values under that name, joined by commas as the standard has it; None if there is none."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self) -> str:
        """The body in UTF-8; what is none is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The value of the body.

        Raises:
            ValueError: it is not JSON.
        """
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no complete answer.

    Attributes:
        sentence: what happened, as the end of a sentence about the request.
        seconds: until then.
    """

    code: TroubleCode
    sentence: str
    seconds: float = 0.0

    def finding(self, subject: str, expected: str) -> Finding:
        """Nobody there is no answer; a server that misbehaves is one."""
        find = errored if self.code in _ABSENT else failed
        return replace(find(self.code, subject, expected, self.sentence), seconds=self.seconds)


Answer = Exchange | Trouble
