"""How wide a word of an HLS unit may be: streams, and the words that weights come in.

FINN asserts it of every HLS node (``get_ap_int_max_w``): Vitis HLS knows no integer of more bits.
"""

from __future__ import annotations

WIDEST_HLS_WORD_BITS = 8191


def is_too_wide(bits: int) -> bool:
    """Whether HLS cannot build a word of so many bits."""
    return bits > WIDEST_HLS_WORD_BITS


def weight_word_bits(pe: int, simd: int, weight_bits: int, is_streamed: bool) -> int:
    """The widest word of an MVAU's weights: all PEs' where a stream brings them, else one PE's."""
    return (pe if is_streamed else 1) * simd * weight_bits
