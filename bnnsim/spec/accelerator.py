"""What every accelerator says, whatever its kind: device, clock, budget, source."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bnnsim.spec.model import Count, Name, SpecModel

RamDecomposition = Literal["timing", "area"]
ProcessorActivity = Literal["idle", "polling", "busy"]
"""What the processor beside the accelerator does: nothing, poll for results, or use all cores."""
WeightMemory = Literal["auto", "bram", "lutram", "uram"]
"""What memories of weights are built from; ``auto``: LUTRAM for shallow ones, else block RAM."""


class Budget(SpecModel):
    """What the accelerator may use; what is not named is the device's own amount."""

    lut: Count | None = None
    """Look-up tables of the programmable logic."""
    lutram: Count | None = None
    """LUTs that are distributed RAM or shift registers."""
    ff: Count | None = None
    """Flip-flops."""
    bram18: Count | None = None
    """Block RAMs of 18 Kb; one BRAM36 is two."""
    uram: Annotated[int, Field(ge=0)] | None = None
    """UltraRAMs of 288 Kb."""
    dsp: Annotated[int, Field(ge=0)] | None = None
    """DSP blocks."""
    alm: Count | None = None
    """Adaptive logic modules (Intel)."""
    m20k: Count | None = None
    """Block RAMs of 20 Kb (Intel)."""
    power_w: Annotated[float, Field(gt=0)] | None = None
    """Watts, on the basis that the power model names."""


class ArchitectureBase(SpecModel):
    """What every architecture says."""

    name: Name
    """What the accelerator is called."""
    source: str = ""
    """Where the structure comes from."""
    structure: Literal["complete", "inferred"] = "complete"
    """``inferred`` where part of the structure is a guess; ``notes`` then says which."""
    notes: str = ""
    """What a reader should know: what was built, what is a guess."""
    device: Name
    """A shipped device, or one of a file in ``devices`` beside this one."""
    clock_mhz: Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)]
    """Clock of the accelerator in MHz."""
    budget: Budget = Budget()
    """What it may use of the device."""
    ram_decomposition: RamDecomposition = "timing"
    """How block memories are cut into blocks: ``timing`` side by side, as Vivado does unless told
    otherwise; ``area`` with the fewest blocks."""

    processor: ProcessorActivity = "polling"
    """What the device's own processor does meanwhile, for the watts of the chip: ``idle``, ``polling``
    for results with one core, ``busy`` with all."""

    @model_validator(mode="after")
    def _inferred_is_explained(self) -> Self:
        if self.structure == "inferred" and not self.notes:
            raise ValueError("notes that say which part of an inferred structure is a guess")
        return self
