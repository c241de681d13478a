"""Both ends of a pipeline: where frames come in and results go out."""

from __future__ import annotations

from bnnsim.design.streaming.units import Sink, Source
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues


def source_instance(values: UnitValues, source: Source) -> Instance:
    """The frame source: takes from outside in the steps in which its program writes.

    Raises :class:`NoModuleError` for one that waits for its first burst.
    """
    if source.start_steps:
        waits = f"burst_start_steps {source.start_steps} (0: the module starts at once)"
        raise NoModuleError(f"{values.unit.name}: {waits}")
    return Instance(
        "frame_source",
        {
            "WIDTH_BITS": values.outputs[0].width_bits,
            "WORDS": source.words,
            "GAP_STEPS": source.gap_steps,
            **values.pipeline,
        },
    )


def sink_instance(values: UnitValues, sink: Sink) -> Instance:
    """The frame sink: wires.

    Raises :class:`NoModuleError` for one that is not ready in every cycle.
    """
    if sink.steps_a_word > 1 or sink.gap_steps:
        waits = f"steps_a_word {sink.steps_a_word}, inter_frame_gap_steps {sink.gap_steps}"
        raise NoModuleError(f"{values.unit.name}: {waits} (1 and 0: the module is always ready)")
    parameters = {"WIDTH_BITS": values.inputs[0].width_bits}
    return Instance("frame_sink", parameters, is_clocked=False, counts_frames=False)
