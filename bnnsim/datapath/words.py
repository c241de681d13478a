"""Stream words: non-negative integers that hold elements side by side, the first in the lowest bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.spec.value_type import ValueType


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
        bits = ((values.astype(np.int64)[:, :, None] >> shifts) & 1).astype(np.uint8)
        bits = bits.reshape(rows, lanes * element_bits)
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
    return bits.reshape(len(words), lanes, element_bits).astype(np.int64) @ weights


def unpack_word(word: int, lanes: int, element_bits: int, is_signed: bool) -> Int64s:
    """The same of one word, ``(lanes,)``."""
    elements: Int64s = unpack_words([word], lanes, element_bits, is_signed)[0]
    return elements


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
