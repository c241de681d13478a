"""Units of residual activations: a word a level."""

from __future__ import annotations

from bnnsim.design.network.tensor import RESIDUAL_SUM
from bnnsim.design.streaming.units import Converter, Mvau
from bnnsim.report.vectors.memories import Memory, unit_memories
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.rtl.memories import RomImage
from bnnsim.rtl.units.mvau import fired_rows, weight_roms
from bnnsim.rtl.units.thresholds import number_bits, threshold_rom


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
    memories = [_image(m) for m in found if m.role != "weights"]
    return Instance(
        "residual_mvau",
        {
            **_shape(mvau, values),
            "INPUT_SIGNED": int(given.is_signed),
            "INPUT_BIPOLAR": int(given.is_bipolar),
            "INPUT_FRACTION": given.fraction_bits,
            "HAS_ACTIVATION": int(mvau.output_type.is_residual),
            **values.pipeline,
        },
        (*weight_roms(mvau, values.named["weights"]), *memories),
    )


def level_mvau_instance(values: UnitValues, mvau: Mvau) -> Instance:
    """An MVAU whose levels are worth integers: sums that are exact, and thresholds."""
    given, weight, unit = mvau.input_type, mvau.weight_type, values.unit
    bits = values.inputs[0].element_bits
    weights = values.named.get("weights", values.weights)
    assert weights is not None
    memories = weight_roms(mvau, weights)
    limits: dict[str, int] = {}
    rows = fired_rows(values, mvau)
    if rows is not None:
        limit_bits = number_bits(int(rows.min()), int(rows.max()), True)
        memories.append(threshold_rom(rows, limit_bits, "nf", "the sum"))
        limits = {"THRESHOLDS": mvau.thresholds, "THRESHOLD_BITS": limit_bits, "LOWEST": mvau.lowest}
    if given.is_residual:
        found = unit_memories(unit, {}, {}, {unit.layer: values.named})
        memories += [_image(m) for m in found if m.role == "in_means"]
    return Instance(
        "residual_mvau",
        {
            **_shape(mvau, values),
            "INPUT_SIGNED": int(given.is_signed or (given.is_residual and bits > 1)),
            "INPUT_BIPOLAR": int(given.is_bipolar or (given.is_residual and bits == 1)),
            "HAS_ACTIVATION": 0,
            "SUM_BITS": number_bits(mvau.sum_type.minimum, mvau.sum_type.maximum, True),
            "MEAN_BITS": given.mean_bits or 1,
            "IS_EXACT": 1,
            "WEIGHT_BITS": weight.bits,
            "WEIGHT_SIGNED": int(weight.is_signed),
            "WEIGHT_BIPOLAR": int(weight.is_bipolar),
            **limits,
            **values.pipeline,
        },
        tuple(memories),
    )


def _shape(mvau: Mvau, values: UnitValues) -> dict[str, int]:
    """The parameters of both kinds of residual MVAU."""
    return {
        "PE": mvau.pe,
        "SIMD": mvau.simd,
        "MATRIX_HEIGHT": mvau.matrix_height,
        "MATRIX_WIDTH": mvau.matrix_width,
        "VECTORS": mvau.vectors,
        "GROUPS": mvau.groups,
        "INPUT_BITS": values.inputs[0].element_bits,
        "IS_PLAIN": int(not mvau.input_type.is_residual),
        "OUTPUT_BITS": mvau.output_bits,
        "LEVELS_IN": mvau.levels_in,
        "LEVELS_OUT": mvau.levels_out,
        "WEIGHT_MEMORIES": mvau.pe if mvau.memory_layout == "per_pe" else 1,
    }


def _image(memory: Memory) -> RomImage:
    return RomImage(memory.role, memory.width_bits, memory.words, memory.address, memory.layout)
