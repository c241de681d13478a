"""Fixed-point arithmetic on integers: rounding and saturation, statement by statement.

A number is an integer times 2**-fraction_bits. Rounding is half up (towards plus infinity) and
overflow saturates, as Xilinx's ``ap_fixed<W, I, AP_RND, AP_SAT>``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.spec.value_type import ValueType

_HALF_BITS = 31
_MOST_BITS = 62


def rounded(values: Integers, from_fraction_bits: int, to: ValueType) -> NDArray[np.int64]:
    """``values`` with ``from_fraction_bits`` bits behind the point as values of ``to``, int64."""
    drop = from_fraction_bits - to.fraction_bits
    wide = values if values.dtype == object else values.astype(np.int64)
    shifted = (wide + (1 << (drop - 1))) >> drop if drop > 0 else wide << -drop
    clipped: NDArray[np.int64] = np.clip(shifted, to.minimum, to.maximum).astype(np.int64)
    return clipped


def with_room(values: Integers, bits: int) -> Integers:
    """``values`` as int64, or as Python's own integers where ``bits`` bits do not fit."""
    return values.astype(np.int64 if bits <= _MOST_BITS else object)


def shifted_product(values: Integers, factors: Integers, shift_bits: int) -> NDArray[np.int64]:
    """``floor(values * factors / 2**shift_bits + 1/2)``, exact however wide the product is.

    ``values`` have at most 62 bits, ``factors`` at most 32, the result at most 62; ``shift_bits`` is
    93 or less. The values are cut in two at bit 31, so that no partial product leaves an int64.
    """
    wide, by = values.astype(np.int64), factors.astype(np.int64)
    upper, lower = (wide >> _HALF_BITS) * by, (wide & ((1 << _HALF_BITS) - 1)) * by
    if shift_bits <= _HALF_BITS:
        half = (1 << shift_bits) >> 1
        low: NDArray[np.int64] = (upper << (_HALF_BITS - shift_bits)) + ((lower + half) >> shift_bits)
        return low
    half = 1 << (shift_bits - 1 - _HALF_BITS)
    high: NDArray[np.int64] = (upper + (lower >> _HALF_BITS) + half) >> (shift_bits - _HALF_BITS)
    return high


def divided_towards_zero(values: Integers, divisor: int) -> NDArray[np.int64]:
    """The quotients with their fraction cut off."""
    wide = values.astype(np.int64)
    quotients: NDArray[np.int64] = np.sign(wide) * (np.abs(wide) // divisor)
    return quotients


def thermometer(pixels: NDArray[np.uint8], levels: int) -> NDArray[np.int8]:
    """Pixels ``(frames, colours, height, width)`` as bipolar channels {-1,+1}, int8
    ``(frames, colours * levels, height, width)``.

    Channel colour x levels + b is +1 iff b < round(pixel x levels / 256), halves to the even number.
    """
    filled = np.rint(pixels.astype(np.float64) * levels / 256).astype(np.int64)
    bits = np.arange(levels)[None, None, :, None, None] < filled[:, :, None]
    frames, colours, _, height, width = bits.shape
    return (bits.reshape(frames, colours * levels, height, width) * 2 - 1).astype(np.int8)
