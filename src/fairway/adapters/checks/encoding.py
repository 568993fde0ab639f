"""Decoding of bodies, bounded: a few kilobytes may stand for gigabytes."""

import zlib


class TooLarge(Exception):  # noqa: N818 -- it is what happened
    """A body is longer than any answer should be."""


def decode(body: bytes, coding: str, largest: int) -> bytes:
    """The body without its encodings; one that is not known here is left as it is.

    Raises:
        TooLarge: it would be longer than `largest` bytes.
        zlib.error: it is not encoded so, or cut short.
    """
    for name in reversed([one.strip().lower() for one in coding.split(",") if one.strip()]):
        if name in ("gzip", "x-gzip"):
            body = _inflate(body, 16 + zlib.MAX_WBITS, largest)
        elif name == "deflate":
            # By the standard with a zlib header; some servers send none.
            try:
                body = _inflate(body, zlib.MAX_WBITS, largest)
            except zlib.error:
                body = _inflate(body, -zlib.MAX_WBITS, largest)
        else:
            return body
    return body


def _inflate(body: bytes, window: int, largest: int) -> bytes:
    if not body:
        return body
    inflater = zlib.decompressobj(window)
    plain = inflater.decompress(body, largest + 1)
    if len(plain) > largest:
        raise TooLarge(f"{largest >> 20} MiB when it is decoded")
    if not inflater.eof:
        raise zlib.error("the stream ends too early")
    return plain
