"""Stream words: non-negative integers that hold elements side by side, the first in the lowest bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.spec.value_type import ValueType

_AT_ONCE = 1 << 20
"""Elements whose bits are spread out at a time: a map or a vector may have 2^28 of them."""


def pack_rows(values: npt.NDArray[np.integer], element_bits: int) -> list[int]:
    """One word for each row of ``values`` ``(words, lanes)``.

    Elements are integers (bipolar ones as bits {0, 1}); negative ones become two's complement of
    ``element_bits``.
    """
    rows, lanes = values.shape
    if element_bits == 1:
        bits = (values & 1).astype(np.uint8)
    else:
        shifts = np.arange(element_bits)
        elements = values.reshape(-1, 1)
        spread = np.empty((rows * lanes, element_bits), np.uint8)
        for start in range(0, rows * lanes, _AT_ONCE):
            some = elements[start : start + _AT_ONCE].astype(np.int64)
            spread[start : start + _AT_ONCE] = (some >> shifts) & 1
        bits = spread.reshape(rows, lanes * element_bits)
    octets = np.packbits(bits, axis=1, bitorder="little")
    if octets.shape[1] <= 8:
        padded = np.zeros((rows, 8), np.uint8)
        padded[:, : octets.shape[1]] = octets
        return [int(word) for word in padded.view("<u8")[:, 0]]
    return [int.from_bytes(row.tobytes(), "little") for row in octets]


def unpack_words(
    words: Sequence[int], lanes: int, element_bits: int, is_signed: bool
) -> Int64s:
    """The elements of words as integers ``(words, lanes)``; one-bit elements come as bits {0, 1}."""
    octets = -(-lanes * element_bits // 8)
    joined = b"".join([word.to_bytes(octets, "little") for word in words])
    rows = np.frombuffer(joined, np.uint8).reshape(len(words), octets)
    bits = np.unpackbits(rows, axis=1, count=lanes * element_bits, bitorder="little")
    if element_bits == 1:
        return bits.astype(np.int64)
    weights = np.int64(1) << np.arange(element_bits, dtype=np.int64)
    if is_signed:
        weights[-1:] = -weights[-1:]  # of 64 bits it is that already
    spread = bits.reshape(-1, element_bits)
    elements = np.empty(len(spread), np.int64)
    for start in range(0, len(spread), _AT_ONCE):
        elements[start : start + _AT_ONCE] = spread[start : start + _AT_ONCE].astype(np.int64) @ weights
    return elements.reshape(len(words), lanes)


def unpack_word(word: int, lanes: int, element_bits: int, is_signed: bool) -> Int64s:
    """The same of one word, ``(lanes,)``."""
    elements: Int64s = unpack_words([word], lanes, element_bits, is_signed)[0]
    return elements


def joined_word(words: Sequence[int], word_bits: int) -> int:
    """Words of ``word_bits`` as one, the first in the lowest bits; in time n log n for n of them."""
    joined = list(words)
    while len(joined) > 1:
        if len(joined) % 2:
            joined.append(0)
        joined = [low | high << word_bits for low, high in zip(joined[::2], joined[1::2], strict=True)]
        word_bits *= 2
    return joined[0]


def parted_word(word: int, word_bits: int, count: int) -> list[int]:
    """A word as ``count`` of ``word_bits``, the lowest bits first; the reverse of :func:`joined_word`."""
    bits = word_bits << (count - 1).bit_length()
    parts = [word]
    while bits > word_bits:
        bits //= 2
        mask = (1 << bits) - 1
        parts = [half for part in parts for half in (part & mask, part >> bits)]
    return parts[:count]


def element_values(elements: Int64s, value_type: ValueType) -> Int64s:
    """What the elements of a word mean: bipolar bits {0, 1} become -1 and +1."""
    return 2 * elements - 1 if value_type.is_bipolar else elements


def stream_order(
    tensor: npt.NDArray[np.integer], lanes: int, levels: int = 1
) -> npt.NDArray[np.integer]:
    """A ``(channels, height, width)`` map as stream words ``(words, lanes)``: pixel by pixel, channel
    fastest; codes of several ``levels`` as one word of bits a level."""
    rows = tensor.transpose(1, 2, 0).reshape(-1, lanes)
    if levels == 1:
        return rows
    return (rows[:, None, :] >> np.arange(levels)[:, None] & 1).reshape(-1, lanes)


def joined_levels(rows: Int64s, levels: int) -> Int64s:
    """The codes ``(words / levels, lanes)`` of stream words ``(words, lanes)``."""
    bits = rows.reshape(-1, levels, rows.shape[1])
    codes: Int64s = (bits << np.arange(levels)[:, None]).sum(axis=1)
    return codes
