"""Device specs: FPGA parts with what they hold (``arch_specs/devices/*.yaml``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bnnsim.spec.model import Count, Name, SpecModel

Amount = Annotated[int, Field(ge=0, le=1 << 31)]


class Device(SpecModel):
    """An FPGA part in its vendor's own units (an ALM is not a LUT, an M20K not a BRAM18)."""

    name: Name
    vendor: Literal["xilinx", "intel"]
    family: str
    part: str
    boards: list[str] = []
    source: Annotated[str, Field(min_length=1)]
    """Where the numbers come from."""
    confidence: Literal["high", "medium", "low"] = "high"
    lut: Amount | None = None
    lutram: Amount | None = None
    """LUTs that can be distributed RAM (SLICEM); absent where no source gives it."""
    ff: Count
    bram18: Amount | None = None
    """18 Kb block RAMs; one BRAM36 is two."""
    uram: Amount = 0
    dsp: Amount
    alm: Amount | None = None
    m20k: Amount | None = None
