"""Bits to words and back: uint64, least significant bit first, bit 1 is +1 and bit 0 is -1."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

WORD_BITS = 64
_BYTES = WORD_BITS // 8


def words_for(bits: int) -> int:
    """How many uint64 words hold ``bits`` bits."""
    return -(-bits // WORD_BITS)


def tail_mask(bits: int) -> np.uint64:
    """The bits of the last of ``words_for(bits)`` words that count."""
    return np.uint64((1 << (((bits - 1) % WORD_BITS) + 1)) - 1)


def pack_bits(bits: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack the last axis into words.

    ``bits``: uint8 {0,1} or bool, ``(..., n)``. Returns uint64 ``(..., ceil(n / 64))``; bit ``i`` is
    bit ``i % 64`` of word ``i // 64``; the tail of the last word is zero.
    """
    count = bits.shape[-1]
    packed = np.packbits(bits, axis=-1, bitorder="little")
    words = words_for(count)
    if packed.shape[-1] != words * _BYTES:
        padded = np.zeros((*bits.shape[:-1], words * _BYTES), np.uint8)
        padded[..., : packed.shape[-1]] = packed
        packed = padded
    return _native(np.ascontiguousarray(packed).view(np.uint64))


def unpack_bits(words: NDArray[np.uint64], count: int) -> NDArray[np.uint8]:
    """The first ``count`` bits of the last axis.

    ``words``: uint64 ``(..., ceil(count / 64))``; what the tail of the last word holds is ignored.
    Returns uint8 {0,1} ``(..., count)``.
    """
    octets = _native(np.ascontiguousarray(words)).view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=count, bitorder="little")


def _native(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Words between this machine's byte order and little endian."""
    return words if sys.byteorder == "little" else words.byteswap()
