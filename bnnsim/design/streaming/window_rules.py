"""Which map geometries each kind of sliding-window unit can walk."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bnnsim.design.streaming.units import Window
from bnnsim.design.streaming.window_order import window_order
from bnnsim.spec.bounds import MAX_WINDOW_WORDS

ANY_GEOMETRY = "no_overlap, full_frame_coupled, rtl, parallel or line_buffer"
UNCOUPLED = "row_buffer, no_overlap, rtl, parallel or line_buffer"


@lru_cache(maxsize=1024)
def window_obstacle(window: Window) -> tuple[str, str] | None:
    """Why this unit cannot be built, as (expected, got); None where it can.

    None takes more words a frame than ``MAX_WINDOW_WORDS``. Of geometries the row buffer is choosy: its
    generator knows neither dilation nor strides at which a lap reads more than it writes. So is the
    coupled one, which reads no more than it writes once its first rows are in.
    """
    words = max(window.words_in, window.words_out * (window.out_lanes // window.lanes))
    if words > MAX_WINDOW_WORDS:
        expected = f"windows of at most {MAX_WINDOW_WORDS} words a frame (a larger simd gives fewer)"
        return expected, f"{words}"
    geometry = (
        f"kernel {_side(window.kernel)}, stride {_side(window.stride)}, "
        f"dilation {_side(window.dilation)}"
    )
    if window.style == "full_frame_coupled" and not _coupled_serves(window):
        return (
            f"{UNCOUPLED} (a full_frame_coupled reads too slowly for this geometry)",
            f"full_frame_coupled with {geometry} on {window.height} x {window.width}",
        )
    if window.style != "row_buffer":
        return None
    if window.dilation != (1, 1):
        return f"{ANY_GEOMETRY} (a row_buffer does not dilate)", f"row_buffer with {geometry}"
    steps = window.out_height * _row_steps(window)
    if steps > MAX_WINDOW_WORDS:
        return f"row buffers of at most {MAX_WINDOW_WORDS} steps a frame", f"{steps} with {geometry}"
    if not _row_buffer_serves(window):
        return (
            f"{ANY_GEOMETRY} (a row_buffer's counters do not cover this geometry)",
            f"row_buffer with {geometry} on {window.height} x {window.width}",
        )
    return None


def _side(pair: tuple[int, int]) -> str:
    """One number where both are the same, else ``height x width``."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]} x {pair[1]}"


def _coupled_serves(window: Window) -> bool:
    """Whether each word of a frame has been read in a step before the one that writes it."""
    read_before = window.coupled_prologue_words + np.arange(window.words_out)
    return bool(np.all(window_order(window) < read_before))


def _row_steps(window: Window) -> int:
    """Steps of a row buffer for a row that it writes, and for what it reads meanwhile."""
    written_row = window.out_width * window.window_pixels * window.channel_fold
    return max(written_row, window.stride[0] * window.width * window.channel_fold)


def _row_buffer_serves(window: Window) -> bool:
    """Whether all words are read and written in a frame, each written after it was read."""
    written_row = window.out_width * window.window_pixels * window.channel_fold
    read_row = window.stride[0] * window.width * window.channel_fold
    lap = _row_steps(window) - 1
    if lap < 1:
        return False
    prologue = window.kernel[0] * window.width * window.channel_fold
    counter = np.arange(window.out_height * (lap + 1)) % lap
    reads = np.minimum(prologue + np.cumsum(counter < read_row - 1), window.words_in)
    writes = counter < written_row - 1
    if reads[-1] < window.words_in or np.count_nonzero(writes) < window.words_out:
        return False
    steps = np.flatnonzero(writes)[: window.words_out]
    read_before = np.where(steps > 0, reads[steps - 1], prologue)
    return bool(np.all(window_order(window) < read_before))
