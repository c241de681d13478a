"""Pools."""

from __future__ import annotations

from bnnsim.design.streaming.units import Pool
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.timing.streaming.programs.unit_programs import POOL_IDLE_STEPS


def pool_instance(values: UnitValues, pool: Pool) -> Instance:
    """The pool of a function and style that have a module."""
    if pool.function != "max" or pool.style != "line_buffered" or pool.levels > 1:
        what = f"{pool.style.replace('_', ' ')} {pool.function} pool"
        levels = " of several levels" if pool.levels > 1 else ""
        raise NoModuleError(f"{values.unit.name}: a module for a {what}{levels}")
    return Instance(
        "max_pool",
        {
            "CHANNELS": pool.channels,
            "ELEMENT_BITS": values.inputs[0].element_bits,
            "SIGNED": int(pool.type.is_signed),
            "HEIGHT": pool.height,
            "WIDTH": pool.width,
            "KERNEL_HEIGHT": pool.kernel[0],
            "KERNEL_WIDTH": pool.kernel[1],
            "IDLE_STEPS": POOL_IDLE_STEPS,
            **values.pipeline,
        },
    )
