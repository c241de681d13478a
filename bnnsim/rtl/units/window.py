"""Sliding-window units."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bnnsim.design.streaming.units import Window
from bnnsim.design.streaming.window_order import window_order
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import step_flags
from bnnsim.timing.streaming.programs.unit_programs import WINDOW_IDLE_STEPS

_POWER_OF_TWO_WORDS = 512
"""Buffers up to here are as deep as the next power of two: a block RAM has the words anyway."""


def window_instance(values: UnitValues, window: Window) -> Instance:
    """The sliding window of a style that has a module."""
    if window.style != "row_buffer":
        style = window.style.replace("_", " ")
        raise NoModuleError(f"{values.unit.name}: a module for a {style} sliding window")
    program = values.program
    assert isinstance(program, Lockstep)
    return Instance(
        "window_row_buffer",
        {
            "CHANNELS": window.channels,
            "HEIGHT": window.height,
            "WIDTH": window.width,
            "KERNEL_HEIGHT": window.kernel[0],
            "KERNEL_WIDTH": window.kernel[1],
            "STRIDE_HEIGHT": window.stride[0],
            "STRIDE_WIDTH": window.stride[1],
            "GROUPS": window.groups,
            "LANES": window.lanes,
            "ELEMENT_BITS": values.inputs[0].element_bits,
            "BUFFER_WORDS": buffer_depth(row_buffer_words(window, program)),
            "IDLE_STEPS": WINDOW_IDLE_STEPS,
            **values.pipeline,
        },
    )


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
