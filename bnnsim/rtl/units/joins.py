"""Where streams part and come together: splits, adders, multipliers, concatenations."""

from __future__ import annotations

from collections.abc import Sequence

from bnnsim.design.streaming.units import Add, Concat, Multiply, Split
from bnnsim.rtl.instance import Instance, UnitValues


def split_instance(values: UnitValues, split: Split) -> Instance:
    """A word register with several readers."""
    parameters = {
        "OUTPUTS": split.outputs,
        "WORDS": split.words,
        "WIDTH_BITS": values.inputs[0].width_bits,
        **values.freezes(1),
    }
    return Instance("duplicate", parameters)


def add_instance(values: UnitValues, add: Add) -> Instance:
    """An adder of each lane."""
    inputs = {"INPUTS": len(values.inputs)}
    return Instance("add", {**inputs, **_of_lanes(values, add), **values.freezes(1)})


def multiply_instance(values: UnitValues, multiply: Multiply) -> Instance:
    """A multiplier of each lane."""
    return Instance("multiply", {**_of_lanes(values, multiply), **values.pipeline})


def _of_lanes(values: UnitValues, join: Add | Multiply) -> dict[str, int | str]:
    """What is said of a join lane by lane."""
    return {
        "LANES": join.lanes,
        "WORDS": join.words,
        "INPUT_BITS": side_by_side(join.input_bits, 32),
        "INPUT_SIGNED": side_by_side([t.is_signed for t in join.input_types], 1),
        "INPUT_BIPOLAR": side_by_side([t.is_bipolar for t in join.input_types], 1),
        "OUTPUT_BITS": join.output_bits,
        "IN_WIDTH": sum(stream.width_bits for stream in values.inputs),
    }


def concat_instance(values: UnitValues, concat: Concat) -> Instance:
    """Wires side by side and a register, or word by word from the input whose turn it is."""
    if concat.takes_turns:
        return Instance(
            "concat_turns",
            {
                "INPUTS": len(values.inputs),
                "WORDS": concat.words,
                "LANES": concat.lanes,
                "TURNS": side_by_side(concat.turns, 32),
                "ALL_TURNS": sum(concat.turns),
                "INPUT_BITS": side_by_side(concat.input_bits, 32),
                "INPUT_SIGNED": side_by_side(concat.is_signed, 1),
                "ELEMENT_BITS": concat.element_bits,
                **values.freezes(1),
                "IN_WIDTH": sum(stream.width_bits for stream in values.inputs),
                "OUT_WIDTH": values.outputs[0].width_bits,
            },
        )
    return Instance(
        "concat",
        {
            "INPUTS": len(values.inputs),
            "WORDS": concat.words,
            "INPUT_CHANNELS": side_by_side(concat.input_channels, 32),
            "INPUT_BITS": side_by_side(concat.input_bits, 32),
            "INPUT_SIGNED": side_by_side(concat.is_signed, 1),
            "ELEMENT_BITS": concat.element_bits,
            **values.freezes(1),
            "IN_WIDTH": sum(stream.width_bits for stream in values.inputs),
            "OUT_WIDTH": values.outputs[0].width_bits,
        },
    )


def side_by_side(values: Sequence[int], element_bits: int) -> str:
    """Numbers side by side in one constant, the first in the lowest bits."""
    word = sum(int(value) << i * element_bits for i, value in enumerate(values))
    return f"{len(values) * element_bits}'h{word:x}"
