"""Fixed-point maps a channel."""

from __future__ import annotations

from bnnsim.design.streaming.units import Scale
from bnnsim.report.vectors.memories import unit_memories
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.rtl.memories import RomImage


def scale_instance(values: UnitValues, scale: Scale) -> Instance:
    """A multiplier, an adder and a saturating exit for each lane."""
    unit = values.unit
    if scale.output_type.is_bipolar or scale.input_type.is_residual:
        raise NoModuleError(f"{unit.name}: a scale from {scale.input_type} to {scale.output_type}")
    bias_type = scale.bias_type or scale.multiplier_type
    found = {m.role: m for m in unit_memories(unit, {}, {}, {unit.layer: values.named})}
    memories = []
    for role, name in (("scale", "multiplier"), ("slope", "multiplier"), ("bias", "bias")):
        if role in found:
            memory = found[role]
            memories.append(
                RomImage(name, memory.width_bits, memory.words, memory.address, memory.layout)
            )
    return Instance(
        "scale",
        {
            "IS_AFFINE": int(scale.function == "affine"),
            "PE": scale.pe,
            "CHANNELS": scale.channels,
            "INPUT_BITS": scale.input_bits,
            "INPUT_SIGNED": int(scale.input_type.is_signed),
            "INPUT_BIPOLAR": int(scale.input_type.is_bipolar),
            "INPUT_FRACTION": scale.input_type.fraction_bits,
            "OUTPUT_BITS": scale.output_type.bits,
            "OUTPUT_SIGNED": int(scale.output_type.is_signed),
            "OUTPUT_FRACTION": scale.output_type.fraction_bits,
            "MULTIPLIER_BITS": scale.multiplier_type.bits,
            "MULTIPLIER_SIGNED": int(scale.multiplier_type.is_signed),
            "MULTIPLIER_FRACTION": scale.multiplier_type.fraction_bits,
            "BIAS_BITS": bias_type.bits,
            "BIAS_SIGNED": int(bias_type.is_signed),
            "SHIFTS": int(scale.shift_bits is not None),
            "SHIFT_BITS": scale.shift_bits or 0,
        },
        tuple(memories),
        counts_frames=False,
    )
