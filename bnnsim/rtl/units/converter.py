"""Width converters."""

from __future__ import annotations

from bnnsim.design.streaming.units import Converter
from bnnsim.rtl.instance import Instance, UnitValues


def converter_instance(values: UnitValues, converter: Converter) -> Instance:
    """A width converter of one level."""
    return Instance(
        "width_converter",
        {
            "IN_LANES": converter.in_lanes,
            "OUT_LANES": converter.out_lanes,
            "ELEMENT_BITS": values.inputs[0].element_bits,
            "WORDS_IN": converter.words_in,
            "WORDS_OUT": converter.words_out,
            **values.pipeline,
        },
    )
