"""Pools."""

from __future__ import annotations

from bnnsim.design.streaming.units import Pool
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.timing.streaming.programs.unit_programs import POOL_IDLE_STEPS

_LARGEST_BIT, _LARGEST, _MAJORITY, _SUM, _MEAN = 0, 1, 2, 3, 4
"""What ``pool.v`` calls FUNCTION."""


def pool_instance(values: UnitValues, pool: Pool) -> Instance:
    """A pool of any function and style."""
    stream, made = values.inputs[0], values.outputs[0]
    function = _function(pool)
    if function in (_LARGEST_BIT, _MAJORITY) and stream.element_bits != 1:
        raise NoModuleError(f"{values.unit.name}: a pool of one-bit elements ({stream.element_bits})")
    to = pool.output_type
    if pool.is_mean and to.is_bipolar:
        raise NoModuleError(f"{values.unit.name}: a mean in numbers ({to})")
    finer = max(0, to.fraction_bits - pool.type.fraction_bits)
    pipeline = values.pipeline
    return Instance(
        "pool",
        {
            "FUNCTION": function,
            "LANES": pool.lanes,
            "CHANNEL_FOLD": pool.channel_fold,
            "HEIGHT": pool.height,
            "WIDTH": pool.width,
            "KERNEL_HEIGHT": pool.kernel[0],
            "KERNEL_WIDTH": pool.kernel[1],
            "ELEMENT_BITS": stream.element_bits,
            "SIGNED": int(pool.type.is_signed),
            "BIPOLAR": int(pool.type.is_bipolar and stream.element_bits == 1),
            "MAJORITY": pool.taps // 2 + 1 if pool.compare == ">" else -(-pool.taps // 2),
            "SUM_BITS": pool.state_bits,
            "OUTPUT_BITS": made.element_bits,
            "OUTPUT_SIGNED": int(to.is_signed),
            "ROUNDS": int(pool.function == "rounded_mean"),
            "FINER": finer,
            "DROP": pool.type.fraction_bits + finer - to.fraction_bits if pool.is_mean else 0,
            "LEVELS": pool.levels,
            "FLOWS": int(pool.style == "streaming"),
            "IDLE_STEPS": POOL_IDLE_STEPS,
            **pipeline,
        },
    )


def _function(pool: Pool) -> int:
    if pool.is_mean:
        return _MEAN
    if pool.function == "sum":
        return _SUM
    if pool.function == "majority":
        return _MAJORITY
    return _LARGEST_BIT if pool.type.is_bipolar or pool.type.is_residual else _LARGEST
