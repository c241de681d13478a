"""Tables of functions, repeated maps, positions of the largest scores."""

from __future__ import annotations

from itertools import pairwise

from bnnsim.design.streaming.units import LabelSelect, Lookup, Repeat
from bnnsim.rtl.instance import Instance, UnitValues
from bnnsim.rtl.memories import RomImage
from bnnsim.rtl.units.joins import side_by_side
from bnnsim.timing.streaming.programs.unit_programs import LABEL_SELECT_IDLE_STEPS


def lookup_instance(values: UnitValues, lookup: Lookup) -> Instance:
    """A table, a multiplier and an adder for each lane."""
    most = (lookup.segments << lookup.shift_bits) - 1
    ends = (lookup.input_type.minimum - lookup.low, lookup.input_type.maximum - lookup.low)
    reached = (-most, most, *ends)
    place_bits = 1 + max(max(x, -x - 1).bit_length() for x in reached)
    bits = lookup.output_type.bits
    table = [int(one) for one in values.named["values"]]
    words = tuple(
        (begin & (1 << bits) - 1) | (end - begin & (1 << bits + 1) - 1) << bits
        for begin, end in pairwise(table)
    )
    layout = f"the value at the piece's beginning in the lowest {bits} bits, the rise to its end above"
    return Instance(
        "lookup",
        {
            "PE": lookup.pe,
            "INPUT_BITS": lookup.input_bits,
            "INPUT_SIGNED": int(lookup.input_type.is_signed),
            "INPUT_BIPOLAR": int(lookup.input_type.is_bipolar),
            "OUTPUT_BITS": bits,
            "SEGMENTS": lookup.segments,
            "SHIFT_BITS": lookup.shift_bits,
            "PLACE_BITS": place_bits,
            "LOW": f"{place_bits}'h{lookup.low & (1 << place_bits) - 1:x}",
            "MOST": f"{place_bits}'h{most:x}",
        },
        (RomImage("table", 2 * bits + 1, words, "piece", layout),),
        counts_frames=False,
    )


def repeat_instance(values: UnitValues, repeat: Repeat) -> Instance:
    """Counters of the places, what is written again, and the exit."""
    count_bits = max(*repeat.row_counts, *repeat.column_counts).bit_length()
    return Instance(
        "repeat_map",
        {
            "ROWS": len(repeat.row_counts),
            "COLUMNS": len(repeat.column_counts),
            "COUNT_BITS": count_bits,
            "ROW_COUNTS": side_by_side(repeat.row_counts, count_bits),
            "COLUMN_COUNTS": side_by_side(repeat.column_counts, count_bits),
            "ROWS_AGAIN": int(max(repeat.row_counts) > 1),
            "PIXEL_WORDS": repeat.pixel_words_out,
            "ONE_CHANNEL": int(repeat.times > 1),
            "LANES": repeat.lanes,
            "ELEMENT_BITS": values.inputs[0].element_bits,
            "WIDENS": int(repeat.widens_bits),
            "ZEROS": int(repeat.zeros),
            **values.freezes(1),
            "IN_WIDTH": values.inputs[0].width_bits,
            "OUT_WIDTH": values.outputs[0].width_bits,
        },
    )


def label_select_instance(values: UnitValues, select: LabelSelect) -> Instance:
    """The largest scores so far in order, each with its position."""
    return Instance(
        "label_select",
        {
            "PE": select.pe,
            "FOLD": select.fold,
            "TOP": select.top,
            "PAUSE": LABEL_SELECT_IDLE_STEPS,
            "PIXELS": select.pixels,
            "INPUT_BITS": select.input_bits,
            "INPUT_SIGNED": int(select.input_type.is_signed and not select.input_type.is_bipolar),
            "LABEL_BITS": select.output_type.bits,
            **values.freezes(2),
        },
    )
