"""The packed matrix product against integer loops, tail bits included."""

from __future__ import annotations

import numpy as np
import pytest

from bnnsim.functional.layers.products import xnor_popcount_matmul
from bnnsim.functional.tensors.packing import pack_bits, tail_mask, words_for


def matches(a: np.ndarray, b: np.ndarray) -> list[list[int]]:
    """Equal bits of each pair of rows, counted one by one."""
    return [[sum(int(x) == int(y) for x, y in zip(r, s, strict=True)) for s in b] for r in a]


def every_vector(count: int) -> np.ndarray:
    return np.array([[(n >> i) & 1 for i in range(count)] for n in range(1 << count)], np.uint8)


@pytest.mark.parametrize("count", range(1, 7))
def test_all_pairs_of_vectors_of_up_to_6_bits_count_their_matches(count: int) -> None:
    rows = every_vector(count)
    words = pack_bits(rows)
    got = xnor_popcount_matmul(words, words, count)
    assert got.dtype == np.int32
    assert got.tolist() == matches(rows, rows)


@pytest.mark.parametrize("count", range(1, 7))
def test_all_pairs_count_the_same_where_the_vectors_end_in_a_second_word(count: int) -> None:
    rows = every_vector(count)
    front = np.random.default_rng(count).integers(0, 2, (1, 64), dtype=np.uint8)
    long = np.concatenate([np.repeat(front, len(rows), 0), rows], 1)
    words = pack_bits(long)
    got = xnor_popcount_matmul(words, words, 64 + count)
    assert (got - 64).tolist() == matches(rows, rows)


@pytest.mark.parametrize(
    "count", [1, 5, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 320, 577]
)
@pytest.mark.parametrize(("m", "n"), [(1, 1), (5, 3), (67, 65), (3, 130)])
def test_any_number_of_words_rows_and_columns_counts_its_matches(count: int, m: int, n: int) -> None:
    rng = np.random.default_rng(count)
    a = rng.integers(0, 2, (m, count), dtype=np.uint8)
    b = rng.integers(0, 2, (n, count), dtype=np.uint8)
    got = xnor_popcount_matmul(pack_bits(a), pack_bits(b), count)
    expected = (a[:, None, :] == b[None, :, :]).sum(axis=2)
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("count", [1, 7, 63, 65, 100, 129])
def test_what_the_tails_hold_never_counts(count: int) -> None:
    rng = np.random.default_rng(count)
    words = words_for(count)
    a, b = (rng.integers(0, 1 << 64, (9, words), dtype=np.uint64) for _ in range(2))
    got = xnor_popcount_matmul(a, b, count)
    a[:, -1] &= tail_mask(count)
    b[:, -1] &= tail_mask(count)
    assert np.array_equal(got, xnor_popcount_matmul(a, b, count))
    assert got.min() >= 0
    assert got.max() <= count


def test_any_number_of_threads_gives_the_same_product() -> None:
    rng = np.random.default_rng(1)
    a = rng.integers(0, 1 << 64, (2000, 16), dtype=np.uint64)
    b = rng.integers(0, 1 << 64, (300, 16), dtype=np.uint64)
    one = xnor_popcount_matmul(a, b, 1024)
    for threads in (2, 3, 8):
        assert np.array_equal(xnor_popcount_matmul(a, b, 1024, threads), one)


def test_words_that_do_not_fit_the_bits_are_refused() -> None:
    words = np.zeros((2, 2), np.uint64)
    with pytest.raises(ValueError, match="64 bits are 1 words, got 2 and 2"):
        xnor_popcount_matmul(words, words, 64)
