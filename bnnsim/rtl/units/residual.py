"""Units of residual activations: a word a level."""

from __future__ import annotations

from bnnsim.design.network.tensor import RESIDUAL_SUM
from bnnsim.design.streaming.units import Converter, Mvau
from bnnsim.report.vectors.memories import unit_memories
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.rtl.memories import RomImage
from bnnsim.rtl.units.mvau import weight_roms


def level_converter_instance(values: UnitValues, converter: Converter) -> Instance:
    """A width converter with a register for each level."""
    return Instance(
        "level_converter",
        {
            "IN_LANES": converter.in_lanes,
            "OUT_LANES": converter.out_lanes,
            "ELEMENT_BITS": values.inputs[0].element_bits,
            "WORDS_IN": converter.words_in,
            "WORDS_OUT": converter.words_out,
            "LEVELS": converter.levels,
            **values.pipeline,
        },
    )


def residual_mvau_instance(values: UnitValues, mvau: Mvau) -> Instance:
    """An MVAU that reads or puts out residual activations, with all its numbers in memories."""
    unit, given = values.unit, mvau.input_type
    if not mvau.weight_type.is_bipolar:
        raise NoModuleError(f"{unit.name}: a residual MVAU with bipolar weights ({mvau.weight_type})")
    if not given.is_residual and given.fraction_bits > RESIDUAL_SUM.fraction_bits:
        raise NoModuleError(
            f"{unit.name}: a residual MVAU whose input has at most 8 bits behind the point"
        )
    found = unit_memories(unit, {}, {}, {unit.layer: values.named})
    memories = [
        RomImage(m.role, m.width_bits, m.words, m.address, m.layout) for m in found if m.role != "weights"
    ]
    return Instance(
        "residual_mvau",
        {
            "PE": mvau.pe,
            "SIMD": mvau.simd,
            "MATRIX_HEIGHT": mvau.matrix_height,
            "MATRIX_WIDTH": mvau.matrix_width,
            "VECTORS": mvau.vectors,
            "GROUPS": mvau.groups,
            "INPUT_BITS": values.inputs[0].element_bits,
            "INPUT_SIGNED": int(given.is_signed),
            "INPUT_BIPOLAR": int(given.is_bipolar),
            "INPUT_FRACTION": given.fraction_bits,
            "IS_PLAIN": int(not given.is_residual),
            "HAS_ACTIVATION": int(mvau.output_type.is_residual),
            "OUTPUT_BITS": mvau.output_bits,
            "LEVELS_IN": mvau.levels_in,
            "LEVELS_OUT": mvau.levels_out,
            "WEIGHT_MEMORIES": mvau.pe if mvau.memory_layout == "per_pe" else 1,
            **values.pipeline,
        },
        (*weight_roms(mvau, values.named["weights"]), *memories),
    )
