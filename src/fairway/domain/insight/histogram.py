"""Latencies as an HdrHistogram: three significant digits from a microsecond to an hour, in its own exchange format.

What is written here, other tools read: the V2 compressed encoding of the HdrHistogram project, in base64, as it stands
in the lines of its logs. Counting happens elsewhere; here cells become a histogram, histograms are added, and asked.
"""

import base64
import struct
import zlib
from collections.abc import Iterator, Mapping

#: Count by microseconds. Above the exact ones a key stands for a range that begins with it.
Cells = Mapping[int, int]

_DIGITS = 3
_HIGHEST = 3_600_000_000
_HALF_BITS = 10
_HALF = 1 << _HALF_BITS
_COOKIE, _COMPRESSED = 0x1C849303 | 0x10, 0x1C849304 | 0x10
_HEAD = struct.Struct(">iiiiqqd")


def encode(cells: Cells) -> str:
    """The histogram of these latencies, in base64; empty without any. Longer ones than an hour count as an hour."""
    counts: dict[int, int] = {}
    for microseconds, count in cells.items():
        index = _index(min(microseconds, _HIGHEST))
        counts[index] = counts.get(index, 0) + count
    if not counts:
        return ""
    payload = b"".join(_written(counts))
    body = _HEAD.pack(_COOKIE, len(payload), 0, _DIGITS, 1, _HIGHEST, 1.0) + payload
    packed = zlib.compress(body)
    return base64.b64encode(struct.pack(">ii", _COMPRESSED, len(packed)) + packed).decode()


def decode(text: str) -> dict[int, int]:
    """Count by the longest latency of each cell, in microseconds and in rising order; empty for an empty text.

    Raises:
        ValueError: it is not a histogram that `encode` wrote.
    """
    if not text:
        return {}
    try:
        data = base64.b64decode(text, validate=True)
        cookie, length = struct.unpack_from(">ii", data)
        body = zlib.decompress(data[8 : 8 + length])
        inner, size, _, digits, lowest, _, _ = _HEAD.unpack_from(body)
    except (ValueError, struct.error, zlib.error) as error:
        raise ValueError(f"{text[:20]!r} is no histogram") from error
    if (cookie, inner, digits, lowest) != (_COMPRESSED, _COOKIE, _DIGITS, 1):
        raise ValueError(f"{text[:20]!r} is a histogram of another kind")
    return dict(_read(body[_HEAD.size : _HEAD.size + size]))


def merge(texts: Iterator[str]) -> str:
    """One histogram of all."""
    total: dict[int, int] = {}
    for text in texts:
        for microseconds, count in decode(text).items():
            total[microseconds] = total.get(microseconds, 0) + count
    return encode(total)


def percentile(cells: Cells, percent: float) -> float | None:
    """The latency in milliseconds that `percent` of the requests did not exceed; None without any."""
    wanted = sum(cells.values()) * percent / 100
    seen = 0
    for microseconds in sorted(cells):
        seen += cells[microseconds]
        if seen >= wanted:
            return microseconds / 1000
    return None


def _index(microseconds: int) -> int:
    bucket = (microseconds | (2 * _HALF - 1)).bit_length() - _HALF_BITS - 1
    return ((bucket + 1) << _HALF_BITS) + (microseconds >> bucket) - _HALF


def _longest(index: int) -> int:
    """The longest latency of a cell."""
    bucket, rest = (index >> _HALF_BITS) - 1, (index & (_HALF - 1)) + _HALF
    if bucket < 0:
        return rest - _HALF
    return ((rest + 1) << bucket) - 1


def _written(counts: Mapping[int, int]) -> Iterator[bytes]:
    """Counts from the first cell on, and how many cells without any lie between them, as a negative number."""
    following = 0
    for index in sorted(counts):
        if index > following:
            yield _number(2 * (index - following) - 1)
        yield _number(2 * counts[index])
        following = index + 1


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def _read(payload: bytes) -> Iterator[tuple[int, int]]:
    index, value, shift = 0, 0, 0
    for byte in payload:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte & 0x80:
            continue
        if value & 1:
            index += (value + 1) >> 1
        else:
            if value:
                yield _longest(index), value >> 1
            index += 1
        value = shift = 0
