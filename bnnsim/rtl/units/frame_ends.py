"""Both ends of a pipeline: where frames come in and results go out."""

from __future__ import annotations

from bnnsim.design.streaming.units import Source
from bnnsim.rtl.instance import Instance, UnitValues


def source_instance(values: UnitValues, source: Source) -> Instance:
    """The frame source: takes from outside in the steps in which its program writes."""
    return Instance(
        "frame_source",
        {
            "WIDTH_BITS": values.outputs[0].width_bits,
            "WORDS": source.words,
            "GAP_STEPS": source.gap_steps,
            **values.pipeline,
        },
    )


def sink_instance(values: UnitValues) -> Instance:
    """The frame sink: wires."""
    parameters = {"WIDTH_BITS": values.inputs[0].width_bits}
    return Instance("frame_sink", parameters, is_clocked=False, counts_frames=False)
