"""What every accelerator says, whatever its kind: device, clock, budget, source."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bnnsim.spec.model import Count, Name, SpecModel

RamDecomposition = Literal["timing", "area"]
WeightMemory = Literal["auto", "bram", "lutram", "uram"]
"""What memories of weights are built from; ``auto``: LUTRAM for shallow ones, else block RAM."""


class Budget(SpecModel):
    """What the accelerator may use; what is not named is the device's own amount."""

    lut: Count | None = None
    lutram: Count | None = None
    ff: Count | None = None
    bram18: Count | None = None
    uram: Annotated[int, Field(ge=0)] | None = None
    dsp: Annotated[int, Field(ge=0)] | None = None
    alm: Count | None = None
    m20k: Count | None = None
    power_w: Annotated[float, Field(gt=0)] | None = None


class ArchitectureBase(SpecModel):
    """What every architecture says."""

    name: Name
    source: Annotated[str, Field(min_length=1)]
    """Where the structure comes from."""
    structure: Literal["complete", "inferred"] = "complete"
    """``inferred`` where part of the structure is a guess; ``notes`` then says which."""
    notes: str = ""
    device: Name
    clock_mhz: Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)]
    budget: Budget = Budget()
    ram_decomposition: RamDecomposition = "timing"
    """How block memories are cut into blocks: ``timing`` side by side, as Vivado does unless told
    otherwise; ``area`` with the fewest blocks."""

    @model_validator(mode="after")
    def _inferred_is_explained(self) -> Self:
        if self.structure == "inferred" and not self.notes:
            raise ValueError("notes that say which part of an inferred structure is a guess")
        return self
