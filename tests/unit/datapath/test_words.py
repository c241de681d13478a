"""Words of a stream and the elements in them."""

from __future__ import annotations

import warnings

import pytest

from bnnsim.datapath.words import joined_word, parted_word, unpack_word


@pytest.mark.parametrize("element_bits", [8, 63, 64])
def test_signed_elements_of_any_width_come_out_without_a_warning(element_bits: int) -> None:
    values = [-1, -(1 << (element_bits - 1)), (1 << (element_bits - 1)) - 1]
    mask = (1 << element_bits) - 1
    word = sum((value & mask) << (place * element_bits) for place, value in enumerate(values))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert unpack_word(word, len(values), element_bits, True).tolist() == values


@pytest.mark.parametrize("word_bits", [1, 3, 64])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 64, 100])
def test_words_side_by_side_are_one_word_and_that_is_they_again(count: int, word_bits: int) -> None:
    words = [(7919 * place + count) % (1 << word_bits) for place in range(count)]
    whole = 0
    for place, word in enumerate(words):
        whole |= word << (place * word_bits)
    assert joined_word(words, word_bits) == whole
    assert parted_word(whole, word_bits, count) == words
