"""Long parts of a page as short text: deflated, base64; the page's script unpacks them when it opens."""

from __future__ import annotations

import base64
import zlib

LEAST_PACKED_CHARACTERS = 2_000
"""Shorter parts stay as they are."""


def pack(text: str) -> str:
    """Text as base64 of its deflated UTF-8."""
    return pack_parts(text.encode("utf-8"))


def pack_parts(*parts: bytes) -> str:
    """Bytes one behind the other as base64 of what they deflate to, each part with codes of its own."""
    deflate = zlib.compressobj(9)
    found = [deflate.compress(part) + deflate.flush(zlib.Z_SYNC_FLUSH) for part in parts[:-1]]
    found += [deflate.compress(part) for part in parts[-1:]]
    return base64.b64encode(b"".join(found) + deflate.flush()).decode("ascii")
