"""Tracks as short text inside a page: pairs of numbers as variable-length bytes, deflated, base64.

A pipeline repeats itself, so a hundred thousand segments become a few kilobytes.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable


def encode_pairs(pairs: Iterable[tuple[int, int]]) -> str:
    """Pairs of non-negative integers, each number as 7-bit groups, lowest first."""
    compressor = zlib.compressobj(9)
    parts: list[bytes] = []
    block = bytearray()
    for pair in pairs:
        for value in pair:
            while value > 127:
                block.append(value & 127 | 128)
                value >>= 7
            block.append(value)
        if len(block) > 1 << 16:
            parts.append(compressor.compress(bytes(block)))
            block.clear()
    parts.append(compressor.compress(bytes(block)))
    parts.append(compressor.flush())
    return base64.b64encode(b"".join(parts)).decode("ascii")


def decode_pairs(text: str) -> list[tuple[int, int]]:
    """The pairs again."""
    values: list[int] = []
    value = shift = 0
    for octet in zlib.decompress(base64.b64decode(text)):
        value |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            values.append(value)
            value = shift = 0
    return list(zip(values[::2], values[1::2], strict=True))


def zigzag(value: int) -> int:
    """An integer as a non-negative one: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
    return 2 * value if value >= 0 else -2 * value - 1
