"""Bits to words and back."""

from __future__ import annotations

import numpy as np
import pytest

from bnnsim.functional.tensors.packing import pack_bits, tail_mask, unpack_bits, words_for

SIZES = [1, 2, 7, 8, 9, 63, 64, 65, 100, 127, 128, 129, 200]


def bits_of(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 2, shape, dtype=np.uint8)


@pytest.mark.parametrize("count", SIZES)
def test_bit_i_is_bit_i_mod_64_of_word_i_div_64(count: int) -> None:
    bits = bits_of((3, count))
    words = pack_bits(bits)
    assert words.dtype == np.uint64
    assert words.shape == (3, words_for(count))
    for row in range(3):
        for i in range(count):
            assert (int(words[row, i // 64]) >> (i % 64)) & 1 == bits[row, i]


@pytest.mark.parametrize("count", SIZES)
def test_the_tail_of_the_last_word_is_packed_as_zero_and_ignored_when_unpacked(count: int) -> None:
    bits = bits_of((2, 3, count))
    words = pack_bits(bits)
    assert not (words[..., -1] & ~tail_mask(count)).any()
    dirty = words.copy()
    dirty[..., -1] |= ~tail_mask(count)
    assert np.array_equal(unpack_bits(dirty, count), bits)


@pytest.mark.parametrize("count", SIZES)
def test_the_tail_mask_has_a_bit_for_each_bit_of_the_last_word(count: int) -> None:
    assert int(tail_mask(count)).bit_count() == count - 64 * (words_for(count) - 1)


def test_a_view_that_is_not_contiguous_packs_as_its_copy() -> None:
    bits = bits_of((70, 5))
    assert np.array_equal(pack_bits(bits.T), pack_bits(np.ascontiguousarray(bits.T)))


def test_booleans_pack_as_bits() -> None:
    bits = bits_of((4, 70))
    assert np.array_equal(pack_bits(bits == 1), pack_bits(bits))
