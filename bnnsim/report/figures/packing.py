"""Long parts of a page as short text: deflated, base64; the page's script unpacks them when it opens."""

from __future__ import annotations

import base64
import zlib

LEAST_PACKED_CHARACTERS = 2_000
"""Shorter parts stay as they are."""


def pack(text: str) -> str:
    """Text as base64 of its deflated UTF-8."""
    return base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii")
