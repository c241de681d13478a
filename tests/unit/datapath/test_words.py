"""Words of a stream and the elements in them."""

from __future__ import annotations

import warnings

import pytest

from bnnsim.datapath.words import unpack_word


@pytest.mark.parametrize("element_bits", [8, 63, 64])
def test_signed_elements_of_any_width_come_out_without_a_warning(element_bits: int) -> None:
    values = [-1, -(1 << (element_bits - 1)), (1 << (element_bits - 1)) - 1]
    mask = (1 << element_bits) - 1
    word = sum((value & mask) << (place * element_bits) for place, value in enumerate(values))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert unpack_word(word, len(values), element_bits, True).tolist() == values
