"""Pools."""

from __future__ import annotations

from bnnsim.design.streaming.units import Pool
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.timing.streaming.programs.unit_programs import POOL_IDLE_STEPS

_LARGEST_BIT, _LARGEST, _MAJORITY = 0, 1, 2
"""What ``pool.v`` calls FUNCTION."""


def pool_instance(values: UnitValues, pool: Pool) -> Instance:
    """A pool of any function and style."""
    stream = values.inputs[0]
    if pool.function == "majority":
        function = _MAJORITY
    else:
        function = _LARGEST_BIT if pool.type.is_bipolar or pool.type.is_residual else _LARGEST
    if function != _LARGEST and stream.element_bits != 1:
        raise NoModuleError(f"{values.unit.name}: a pool of one-bit elements ({stream.element_bits})")
    pixels = pool.kernel[0] * pool.kernel[1]
    return Instance(
        "pool",
        {
            "FUNCTION": function,
            "CHANNELS": pool.channels,
            "HEIGHT": pool.height,
            "WIDTH": pool.width,
            "KERNEL_HEIGHT": pool.kernel[0],
            "KERNEL_WIDTH": pool.kernel[1],
            "ELEMENT_BITS": stream.element_bits,
            "SIGNED": int(pool.type.is_signed),
            "MAJORITY": pixels // 2 + 1 if pool.compare == ">" else -(-pixels // 2),
            "LEVELS": pool.levels,
            "FLOWS": int(pool.style == "streaming"),
            "IDLE_STEPS": POOL_IDLE_STEPS,
            **values.freezes(2),
        },
    )
