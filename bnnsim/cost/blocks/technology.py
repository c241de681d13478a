"""The fabric that parts are built from: a device family, its block memories, its coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bnnsim.cost.blocks.coefficients import Coefficients
from bnnsim.cost.blocks.memories import Layout
from bnnsim.spec.device import Device

ULTRASCALE_PLUS = "ultrascale+"
ZYNQ = "zynq"


@dataclass(frozen=True, eq=False)
class Technology:
    """What the building blocks need to know about the device.

    ``layout`` is how block memories are tiled (:mod:`bnnsim.cost.blocks.memories`). Instances come from
    :func:`technology_of`, which returns the same object for the same device family and coefficients,
    so that they can key caches by identity.
    """

    vendor: str
    family: str
    layout: Layout
    coefficients: Coefficients

    def __getitem__(self, name: str) -> float:
        """The coefficient called ``name``."""
        return self.coefficients[name]

    @property
    def is_intel(self) -> bool:
        return self.vendor == "intel"

    @property
    def is_zynq(self) -> bool:
        """Whether a processing system is beside the fabric."""
        return self.family.startswith(ZYNQ)

    @property
    def is_ultrascale_plus(self) -> bool:
        return ULTRASCALE_PLUS in self.family

    @property
    def family_factor(self) -> float:
        """LUTs that the same source takes on this family, against 7 series."""
        return self["ultrascale_plus_lut_factor"] if self.is_ultrascale_plus else 1.0

    @property
    def ultrascale_plus_share(self) -> float:
        """LUTs on this family for each that was counted in a report on UltraScale+."""
        return self.family_factor / self["ultrascale_plus_lut_factor"]

    @property
    def dsp_width_bits(self) -> int:
        """Bits of the wider multiplier operand of one DSP."""
        name = "dsp48e2_width_bits" if self.is_ultrascale_plus else "dsp48e1_width_bits"
        return int(self["dsp_narrow_width_bits"] if self.is_intel else self[name])


def technology_of(device: Device, coefficients: Coefficients, layout: Layout = "timing") -> Technology:
    """The technology of ``device``; Intel memories are always laid out for area."""
    chosen: Layout = "area" if device.vendor == "intel" else layout
    return _technology(device.vendor, device.family, chosen, coefficients)


@lru_cache(maxsize=64)
def _technology(
    vendor: str, family: str, layout: Layout, coefficients: Coefficients
) -> Technology:
    return Technology(vendor, family, layout, coefficients)
