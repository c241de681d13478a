"""In which order a sliding-window unit puts out the words of its input map."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bnnsim.design.streaming.units import Window


@lru_cache(maxsize=256)
def window_order(window: Window) -> npt.NDArray[np.int64]:
    """For each word that leaves in a frame, the number of the input word it shows.

    Shape ``(words_out,)``, or ``(words_out, window_pixels)`` for a parallel window. Order: output
    pixel, group, kernel row, kernel column, channel fold within the group (parallel: output pixel,
    channel fold; kernel positions side by side).
    """
    fold = window.channel_fold
    rows = np.arange(window.out_height)[:, None] * window.stride[0]
    rows = rows + np.arange(window.kernel[0])[None, :] * window.dilation[0]
    cols = np.arange(window.out_width)[:, None] * window.stride[1]
    cols = cols + np.arange(window.kernel[1])[None, :] * window.dilation[1]
    # axes: out row, out column, kernel row, kernel column
    pixels = rows[:, None, :, None] * window.width + cols[None, :, None, :]
    if window.writes_whole_windows:
        words = pixels[:, :, None, :, :] * fold + np.arange(fold)[None, None, :, None, None]
        shape: tuple[int, ...] = (-1, window.window_pixels)
    else:
        groups = window.groups
        folds = np.arange(fold).reshape(groups, fold // groups)
        words = pixels[:, :, None, :, :, None] * fold + folds[None, None, :, None, None, :]
        shape = (-1,)
    order = words.reshape(shape).astype(np.int64)
    order.setflags(write=False)
    return order
