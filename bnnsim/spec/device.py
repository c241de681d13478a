"""Device specs: FPGA parts with what they hold (``arch_specs/devices/*.yaml``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bnnsim.spec.model import Count, Name, SpecModel

Amount = Annotated[int, Field(ge=0, le=1 << 31)]


class Device(SpecModel):
    """An FPGA part in its vendor's own units (an ALM is not a LUT, an M20K not a BRAM18)."""

    name: Name
    """What specs call it."""
    vendor: Literal["xilinx", "intel"]
    """Whose units its amounts are in."""
    family: str
    """The vendor's family, such as Zynq-7000."""
    part: str
    """The part's full name."""
    boards: list[str] = []
    """Boards that carry it."""
    source: Annotated[str, Field(min_length=1)]
    """Where the numbers come from."""
    confidence: Literal["high", "medium", "low"] = "high"
    """How sure its amounts are."""
    lut: Amount | None = None
    """Look-up tables (AMD/Xilinx)."""
    lutram: Amount | None = None
    """LUTs that can be distributed RAM (SLICEM); absent where no source gives it."""
    ff: Count
    """Flip-flops."""
    bram18: Amount | None = None
    """18 Kb block RAMs; one BRAM36 is two."""
    uram: Amount = 0
    """UltraRAMs of 288 Kb."""
    dsp: Amount
    """DSP blocks."""
    alm: Amount | None = None
    """Adaptive logic modules (Intel)."""
    m20k: Amount | None = None
    """Block RAMs of 20 Kb (Intel)."""
