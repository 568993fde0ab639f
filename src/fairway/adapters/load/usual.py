"""Reads the usual answer, in one piece with a length, at the cost of one look into a table.

Answers of a server begin with the same few heads again and again: a head is taken apart once and known from then on.
"""

from dataclasses import dataclass

#: Heads that are kept: a server that counts requests in a header never sends one twice.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Usual:
    """What a head says.

    Attributes:
        size: bytes of the whole answer.
    """

    status: bytes
    revision: bytes
    closes: bool
    size: int


class UsualAnswers:
    """The heads that came.

    Args:
        header: name of the header that tells the revision, lower case.
    """

    def __init__(self, header: bytes) -> None:
        self._header = header
        self._known: dict[bytes, Usual] = {}

    def read(self, data: bytes) -> Usual | None:
        """What the answer is, if the data is one whole answer of a usual kind; else None, and `Answer` reads it."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = data[:end]
        known = self._known.get(head)
        if known is None:
            known = self._parse(head)
            if known is None:
                return None
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[head] = known
        return known if known.size == len(data) else None

    def _parse(self, head: bytes) -> Usual | None:
        line, *fields = head.split(b"\r\n")
        if not line.startswith(b"HTTP/1.1 ") or not line[9:12].isdigit() or line[9:10] == b"1":
            return None
        values: dict[bytes, bytes] = {}
        for field in fields:
            name, _, value = field.partition(b":")
            values[name.lower()] = value.strip()
        length = values.get(b"content-length", b"")
        if not length.isdigit() or b"transfer-encoding" in values:
            return None
        closes = b"close" in values.get(b"connection", b"").lower()
        return Usual(line[9:12], values.get(self._header, b""), closes, len(head) + 4 + int(length))
