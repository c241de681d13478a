"""From time, clock, watts and resources to every figure that a search can want."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.arrays import Floats
from bnnsim.cost.usage import RESOURCES

BASE = ("initiation_interval_cycles", "latency_cycles", "power_w", "clock_mhz", "fifo_bits", *RESOURCES)
"""The figures that all others follow from."""


def figures_from(base: Mapping[str, Floats]) -> dict[str, Floats]:
    """All figures but those that only a space can give, each ``(points,)``, from :data:`BASE`."""
    interval, latency, watts, clock_mhz = (base[name] for name in BASE[:4])
    fps = clock_mhz * 1e6 / interval
    return {
        **base,
        "throughput_fps": fps,
        "latency_us": latency / clock_mhz,
        "energy_per_frame_uj": watts * interval / clock_mhz,
        "fps_per_w": fps / watts.clip(min=1e-9),
        "fps_per_klut": 1000 * fps / base["lut"].clip(min=1),
    }
