"""What no device or tool can do, whatever the models say: one sentence about it."""

from __future__ import annotations

from collections.abc import Sequence

from bnnsim.cost.usage import Resources
from bnnsim.evaluation.wide_words import WEIGHTS, WideWord
from bnnsim.spec.streaming.hls_words import WIDEST_HLS_WORD_BITS

MOST_POWER_W = 225.0
"""What large accelerator cards are cooled for (Alveo U250, DS962; remembered, not re-read). The most that
any design of the published tables takes is 26.2 W (FP-BNN)."""
MOST_CLOCK_MHZ = 891.0
"""Where global clocks end in the fastest grade of UltraScale+ (DS922, DS925; remembered, not re-read).
The fastest clock of any published design is 340 MHz (Redkar)."""
MOST_SHARE = 2.0
"""So many devices' worth is no matter of the models' errors any more."""
_NAMED = 3
"""So many words are named; the others are counted."""


def remark_on(
    resources: Resources, power_w: float, clock_mhz: float, wide: Sequence[WideWord] = ()
) -> str:
    """One sentence that names what is beyond any device, or several of the design's own; else empty.

    ``wide`` are words that HLS cannot build.
    """
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
    said = [f"beyond any such device: {', '.join(beyond)}"] if beyond else []
    if wide:
        said.append(
            f"HLS cannot build words of more than {WIDEST_HLS_WORD_BITS:,} bits: {_named(wide)}; "
            "take fewer PEs or lanes, or units that HLS does not make"
        )
    return "; ".join(said)


def _named(wide: Sequence[WideWord]) -> str:
    """The widest words first; a stream between two HLS units once."""
    of_word = {
        f"{word.unit}'s weights" if word.word == WEIGHTS else word.word: word.bits for word in wide
    }
    widest = sorted(of_word.items(), key=lambda item: -item[1])
    texts = [f"{name} {bits:,} bits" for name, bits in widest[:_NAMED]]
    more = len(widest) - _NAMED
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")
