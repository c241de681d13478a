"""What no device can do, whatever the models say: one sentence about hardware beyond belief."""

from __future__ import annotations

from bnnsim.cost.usage import Resources

MOST_POWER_W = 225.0
"""What large accelerator cards are cooled for (Alveo U250, DS962; remembered, not re-read). The most that
any design of the published tables takes is 26.2 W (FP-BNN)."""
MOST_CLOCK_MHZ = 891.0
"""Where global clocks end in the fastest grade of UltraScale+ (DS922, DS925; remembered, not re-read).
The fastest clock of any published design is 340 MHz (Redkar)."""
MOST_SHARE = 2.0
"""So many devices' worth is no matter of the models' errors any more."""


def remark_on(resources: Resources, power_w: float, clock_mhz: float) -> str:
    """One sentence that names what is beyond any device, or several of the design's own; else empty."""
    beyond = []
    if power_w > MOST_POWER_W:
        beyond.append(f"{power_w:,.0f} W (large FPGA cards are cooled for about {MOST_POWER_W:.0f} W)")
    if clock_mhz > MOST_CLOCK_MHZ:
        beyond.append(f"{clock_mhz:,.0f} MHz (global clocks end at about {MOST_CLOCK_MHZ:.0f} MHz)")
    shares = resources.utilisation
    beyond += [
        f"{share:,.0%} of the {name} of {resources.device.name}"
        for name, share in shares.items()
        if share > MOST_SHARE
    ]
    return f"beyond any such device: {', '.join(beyond)}" if beyond else ""
