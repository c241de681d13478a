"""What stands between a pipeline and its processor and memory, apart from the DMAs of its ends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bnnsim.spec.model import Name, SpecModel

PlatformName = Literal["auto", "none", "out-of-context", "pynq-2017", "pynq-2019", "vitis"]
"""Known platforms. ``none``: the core alone, with its DMAs; ``out-of-context``: the core without them, as
FINN's out-of-context synthesis counts it; ``pynq-2017``: BNN-PYNQ's, a control port for one HLS core
and its interconnect; ``pynq-2019``: FINN's block design for Zynq boards; ``vitis``: the fabric that the
card's shell leaves, whose interconnect is the shell's; ``auto``: on a Zynq ``pynq-2017`` for units of
Vivado HLS (``pipeline: freezing``) and ``pynq-2019`` for others, elsewhere ``none``."""

Amount = Annotated[int, Field(ge=0, le=1 << 31)]


class Platform(SpecModel):
    """A platform of one's own, as measured."""

    name: Name
    """What it is called."""
    source: Annotated[str, StringConstraints(min_length=1)]
    """Where its numbers come from."""
    lut: Amount = 0
    """LUTs of logic."""
    lutram: Amount = 0
    """LUTs that are memories or shift registers."""
    ff: Amount = 0
    """Flip-flops."""
    bram18: Amount = 0
    """Block RAMs of 18 Kb."""
    dsp: Amount = 0
    """DSP blocks."""
