"""Reads one HTTP/1 answer as it arrives: just what a load generator must know to say whether it came whole."""

from typing import Literal

State = Literal["incomplete", "complete", "malformed"]
_LARGEST_HEAD = 1 << 16


class Answer:
    """One answer.

    Attributes:
        status: three digits, empty before the head is complete.
        revision: value of the revision header, empty if it is missing.
        closes: the server closes the connection behind it.
        begun: at least one byte has come.

    Args:
        header: name of the header that tells the revision, lower case.
        bodiless: the request was a HEAD.
    """

    __slots__ = ("_bodiless", "_buffer", "_chunked", "_header", "_left", "begun", "closes", "revision", "status")

    def __init__(self, header: bytes, *, bodiless: bool) -> None:
        self.status = b""
        self.revision = b""
        self.closes = False
        self.begun = False
        self._header = header
        self._bodiless = bodiless
        self._buffer = b""
        self._left: int | None = None  # bytes of the body, or of the present chunk; None: until the end
        self._chunked = False

    def feed(self, data: bytes) -> State:
        """Takes what was read. After `complete` the answer is over; more bytes than it has are `malformed`."""
        self.begun = True
        try:
            if not self.status:
                self._buffer += data
                if not self._read_heads():
                    return "incomplete" if len(self._buffer) < _LARGEST_HEAD else "malformed"
                data, self._buffer = self._buffer, b""
            return self._read_chunks(data) if self._chunked else self._read_body(data)
        except ValueError:
            return "malformed"

    def end(self) -> State:
        """What the end of the connection makes of it."""
        until_end = bool(self.status) and not self._chunked and self._left is None
        return "complete" if until_end else "incomplete"

    def _read_heads(self) -> bool:
        """True when the head is there; heads of interim answers (100 to 199) are passed over."""
        while True:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return False
            line, _, _ = head.partition(b"\r\n")
            version, status = line[:9], line[9:12]
            if version not in {b"HTTP/1.1 ", b"HTTP/1.0 "} or not status.isdigit():
                raise ValueError("not an answer")
            self._buffer = rest
            if not status.startswith(b"1"):
                self._read_fields(head, version, status)
                return True

    def _read_fields(self, head: bytes, version: bytes, status: bytes) -> None:
        fields: dict[bytes, bytes] = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            fields[name.lower()] = value.strip()
        connection = fields.get(b"connection", b"").lower()
        self.closes = b"close" in connection or (version == b"HTTP/1.0 " and b"keep-alive" not in connection)
        self.revision = fields.get(self._header, b"")
        self.status = status
        if self._bodiless or status in {b"204", b"304"}:
            self._left = 0
        elif fields.get(b"transfer-encoding", b"").lower().endswith(b"chunked"):
            self._chunked = True
            self._left = 0
        elif b"content-length" in fields:
            self._left = int(fields[b"content-length"])
        else:
            self.closes = True

    def _read_body(self, data: bytes) -> State:
        if self._left is None:
            return "incomplete"
        self._left -= len(data)
        if self._left < 0:
            return "malformed"
        return "incomplete" if self._left else "complete"

    def _read_chunks(self, data: bytes) -> State:
        self._buffer += data
        while True:
            if self._left:
                taken = min(self._left, len(self._buffer))
                self._buffer = self._buffer[taken:]
                self._left -= taken
                if self._left:
                    return "incomplete"
            line, end, rest = self._buffer.partition(b"\r\n")
            if not end:
                return "incomplete"
            size = int(line.partition(b";")[0], 16)
            if size == 0:
                return self._read_trailer(rest)
            if size < 0:
                return "malformed"
            self._buffer = rest
            self._left = size + 2  # with the line end behind it

    def _read_trailer(self, rest: bytes) -> State:
        # Either an empty line at once, or fields that end with one.
        if rest.startswith(b"\r\n"):
            return "complete" if len(rest) == 2 else "malformed"
        _, end, surplus = rest.partition(b"\r\n\r\n")
        if not end:
            return "incomplete"
        return "malformed" if surplus else "complete"
