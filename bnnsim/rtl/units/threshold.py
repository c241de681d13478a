"""Thresholding units."""

from __future__ import annotations

from bnnsim.design.streaming.units import Threshold
from bnnsim.rtl.instance import Instance, UnitValues
from bnnsim.rtl.units.thresholds import number_bits, reached, threshold_rom


def threshold_instance(values: UnitValues, p: Threshold) -> Instance:
    """The thresholding unit with its layer's thresholds."""
    assert values.thresholds is not None
    is_signed = p.input_type.is_signed
    least = -(1 << p.input_bits - 1) if is_signed else 0
    most = least + (1 << p.input_bits) - 1
    rows = reached(values.thresholds, p.compare, least, most)
    rows = rows.reshape(p.channels // p.pe, p.pe, p.thresholds)
    bits = number_bits(int(rows.min()), int(rows.max()), is_signed)
    return Instance(
        "thresholding",
        {
            "PE": p.pe,
            "CHANNELS": p.channels,
            "INPUT_BITS": p.input_bits,
            "INPUT_SIGNED": int(is_signed),
            "THRESHOLDS": p.thresholds,
            "THRESHOLD_BITS": bits,
            "LOWEST": p.lowest,
            "OUTPUT_BITS": p.output_type.bits,
            **values.pipeline,
        },
        (threshold_rom(rows, bits, "channel fold", "the value"),),
        counts_frames=False,
    )
