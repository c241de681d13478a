"""Sliding-window units."""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

import numpy as np

from bnnsim.design.streaming.units import Window
from bnnsim.design.streaming.window_order import window_order
from bnnsim.rtl.instance import Instance, UnitValues
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import step_flags
from bnnsim.timing.streaming.programs.unit_programs import (
    PARALLEL_GAP_STEPS,
    WINDOW_IDLE_STEPS,
    rtl_window_words,
)

_POWER_OF_TWO_WORDS = 512
"""Buffers up to here are as deep as the next power of two: a block RAM has the words anyway."""


def window_instance(values: UnitValues, window: Window) -> Instance:
    """The module of the window's style."""
    whole = {
        "CHANNELS": window.channels,
        "HEIGHT": window.height,
        "WIDTH": window.width,
        "LANES": window.lanes,
        "ELEMENT_BITS": values.inputs[0].element_bits,
        **_pair("KERNEL", window.kernel),
        **_pair("STRIDE", window.stride),
    }
    shape = {**whole, **_pair("DILATION", window.dilation)}
    in_turn = {
        **shape,
        "GROUPS": window.groups,
        "OUT_HEIGHT": window.out_height,
        "OUT_WIDTH": window.out_width,
    }
    match window.style:
        case "row_buffer":
            return _row_buffer(values, window, {**whole, "GROUPS": window.groups})
        case "no_overlap":
            return Instance("window_whole_frame", {**in_turn, **values.freezes(4)})
        case "full_frame_coupled":
            return Instance("window_coupled_frames", {**in_turn, **values.freezes(4)})
        case "parallel":
            gap = {"GAP_STEPS": PARALLEL_GAP_STEPS}
            return Instance("window_parallel", {**shape, **gap}, counts_frames=False)
        case "line_buffer":
            gap = {"GAP_STEPS": 0}
            return Instance("window_parallel", {**shape, **gap}, counts_frames=False)
        case "rtl":
            words = {"BUFFER_WORDS": min(rtl_window_words(window), window.words_in)}
            return Instance("window_elastic", {**in_turn, **words}, counts_frames=False)
        case _:
            assert_never(window.style)


def _pair(name: str, pair: tuple[int, int]) -> dict[str, int]:
    return {f"{name}_HEIGHT": pair[0], f"{name}_WIDTH": pair[1]}


def _row_buffer(values: UnitValues, window: Window, shape: dict[str, int]) -> Instance:
    program = values.program
    assert isinstance(program, Lockstep)
    words = buffer_depth(row_buffer_words(window, program))
    parameters = {**shape, "BUFFER_WORDS": words, "IDLE_STEPS": WINDOW_IDLE_STEPS, **values.pipeline}
    return Instance("window_row_buffer", parameters)


@lru_cache(maxsize=1024)
def row_buffer_words(window: Window, program: Lockstep) -> int:
    """Words that a row buffer must hold, counted on the program.

    A word is looked up as it enters the exit, ``pipeline_depth`` - 1 steps after the step that writes it;
    by then nothing may have been written over it.
    """
    reads, writes = step_flags(program.blocks)
    held = np.cumsum(reads)
    at_exit = np.minimum(np.flatnonzero(writes) + program.pipeline_depth - 1, len(held) - 1)
    return int((held[at_exit] - window_order(window)).max())


def buffer_depth(words: int) -> int:
    """The depth of a buffer for so many words."""
    power = 1 << (words - 1).bit_length()
    return power if power <= _POWER_OF_TWO_WORDS else words
