"""ONNX's own quantisers: QuantizeLinear and DequantizeLinear, a scale for all or one a channel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.channel_function import Affine, Round
from bnnsim.importers.onnx.binding import TensorBinding, channel_values
from bnnsim.importers.onnx.constants import along_axis
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.elementwise import then

_BITS = {"uint2": 2, "int2": 2, "uint4": 4, "int4": 4, "uint8": 8, "int8": 8, "uint16": 16, "int16": 16}


def quantize_linear(state: Lowering, operator: Operator) -> TensorBinding:
    """``clip(round(x / scale) + zero)``, halves to even, limits from the zero point's type."""
    binding = state.binding(operator)
    scales, zeros = _grid_of(state, operator, binding)
    low, high = _limits(state, operator)
    scaled = then(binding, [Affine(1 / s) for s in scales])
    steps = [Round("HALF_EVEN", low - int(zero), high - int(zero)) for zero in zeros]
    return then(then(scaled, steps), [Affine(offset=zero) for zero in zeros])


def dequantize_linear(state: Lowering, operator: Operator) -> TensorBinding:
    """``(x - zero) * scale``."""
    binding = state.binding(operator)
    scales, zeros = _grid_of(state, operator, binding)
    return then(then(binding, [Affine(offset=-zero) for zero in zeros]), [Affine(s) for s in scales])


def _grid_of(
    state: Lowering, operator: Operator, binding: TensorBinding
) -> tuple[list[Fraction], list[Fraction]]:
    """Scales and zero points, one for all or one a channel."""
    shape = (1, *binding.shape)
    scale = along_axis(operator, state.constant(operator, 1, "scale"), shape)
    given = state.optional(operator, 2, "zero point")
    zero = np.zeros((), np.int64) if given is None else given.astype(np.int64)
    scales = channel_values(operator, binding, scale)
    zeros = channel_values(operator, binding, along_axis(operator, zero, shape))
    if any(s <= 0 for s in scales):
        raise operator.fault("scales above 0", float(min(scales)))
    return scales, zeros


def _limits(state: Lowering, operator: Operator) -> tuple[int, int]:
    """The least and the greatest integer of the output's type."""
    import onnx

    given = state.optional(operator, 2, "zero point")
    said = int(operator.attributes.get("output_dtype", 0))
    kind = "uint8" if given is None else str(given.dtype)
    if given is None and said:
        kind = onnx.TensorProto.DataType.Name(said).lower()
    if kind not in _BITS:
        raise operator.fault(f"integers ({', '.join(_BITS)})", kind)
    bits = _BITS[kind]
    return (0, (1 << bits) - 1) if kind[0] == "u" else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
