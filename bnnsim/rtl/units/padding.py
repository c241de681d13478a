"""Borders around maps."""

from __future__ import annotations

from bnnsim.design.streaming.units import Padding
from bnnsim.rtl.instance import Instance, UnitValues


def padding_instance(values: UnitValues, padding: Padding) -> Instance:
    """Padding with its read-ahead register."""
    stream = values.inputs[0]
    value = (padding.value + 1) // 2 if stream.type.is_bipolar else padding.value
    output_bits = values.outputs[0].element_bits
    top, left, bottom, right = padding.border
    return Instance(
        "padding",
        {
            "CHANNELS": padding.channels,
            "HEIGHT": padding.height,
            "WIDTH": padding.width,
            "BORDER_TOP": top,
            "BORDER_LEFT": left,
            "BORDER_BOTTOM": bottom,
            "BORDER_RIGHT": right,
            "LANES": padding.lanes,
            "ELEMENT_BITS": stream.element_bits,
            "WIDENS_BITS": int(padding.widens_bits),
            "OUTPUT_BITS": output_bits,
            "BORDER_ELEMENT": 0 if padding.widens_bits else value & ((1 << output_bits) - 1),
        },
    )
