"""QONNX's quantisers: Quant, BipolarQuant, Trunc and FINN's MultiThreshold."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.channel_function import Affine, Count, Round
from bnnsim.importers.onnx.binding import TensorBinding, channel_values
from bnnsim.importers.onnx.constants import quant_bounds, rounding_mode
from bnnsim.importers.onnx.graph import Operator, scalar
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.elementwise import plus_sign, then

_MOST_LEVELS = 255


def bipolar_quant(state: Lowering, operator: Operator) -> TensorBinding:
    """``scale`` where ``x >= 0``, else ``-scale``."""
    binding = state.binding(operator)
    scales = channel_values(operator, binding, state.constant(operator, 1, "scale"))
    return then(plus_sign(binding), [Affine(s) for s in scales])


def quant(state: Lowering, operator: Operator) -> TensorBinding:
    """``scale * (clip(round(x / scale + zero)) - zero)``."""
    binding = state.binding(operator)
    scales = channel_values(operator, binding, state.constant(operator, 1, "scale"))
    zeros = channel_values(operator, binding, state.constant(operator, 2, "zero point"))
    bounds = quant_bounds(operator, scalar(state.constant(operator, 3, "bit width")))
    scaled = _scaled(operator, binding, scales, zeros)
    if bounds is None:
        levels = plus_sign(scaled)
    else:
        mode = rounding_mode(operator, "ROUND")
        levels = then(scaled, [Round(mode, *bounds)])
    return _unscaled(levels, scales, zeros)


def trunc(state: Lowering, operator: Operator) -> TensorBinding:
    """QONNX's Trunc, both of its versions: integers, shifted right, rounded (floor by default)."""
    binding = state.binding(operator)
    count = len(operator.inputs)
    scales = channel_values(operator, binding, state.constant(operator, 1, "scale"))
    zeros = channel_values(operator, binding, state.constant(operator, 2, "zero point"))
    in_bits = scalar(state.constant(operator, 3, "input bit width"))
    out_bits = scalar(state.constant(operator, count - 1, "output bit width"))
    mode = rounding_mode(operator, "FLOOR")
    integers = then(_scaled(operator, binding, scales, zeros), [Round("ROUND")])
    if count == 5:
        shifted = then(integers, [Affine(1 / Fraction(2) ** int(in_bits - out_bits))])
        return _unscaled(then(shifted, [Round(mode)]), scales, zeros)
    out_scales = channel_values(operator, binding, state.constant(operator, 4, "output scale"))
    if len(set(scales)) > 1 or len(set(out_scales)) > 1:
        raise operator.fault("one scale for all channels", "one a channel")
    factor = Fraction(2) ** round(np.log2(float(out_scales[0] / scales[0])))
    bounds = quant_bounds(operator, out_bits)
    if bounds is None:
        raise operator.fault("an output of at least 2 bits", "1 bit")
    shifted = then(integers, [Affine(1 / factor)])
    return _unscaled(then(shifted, [Round(mode, *bounds)]), out_scales, [z / factor for z in zeros])


def multi_threshold(state: Lowering, operator: Operator) -> TensorBinding:
    """``out_scale * (number of thresholds <= x) + out_bias``."""
    binding = state.binding(operator)
    table = state.constant(operator, 1, "thresholds")
    axis, size = _threshold_axis(operator, binding)
    if table.ndim != 2 or table.shape[0] not in (1, size):
        expected = f"thresholds of shape [{size} or 1, levels]"
        raise operator.fault(expected, list(table.shape))
    if not 1 <= table.shape[1] <= _MOST_LEVELS:
        raise operator.fault(f"at most {_MOST_LEVELS} thresholds a channel", table.shape[1])
    shape = [-1 if i == axis else 1 for i in range(len(binding.shape) + 1)]
    levels = np.sort(table, axis=1).T
    columns = [channel_values(operator, binding, column.reshape(shape)) for column in levels]
    count = max(len(column) for column in columns)
    steps = [
        Count(tuple(column[c if len(column) > 1 else 0] for column in columns)) for c in range(count)
    ]
    scale = operator.real("out_scale", 1.0)
    bias = operator.real("out_bias", 0.0)
    return then(then(binding, steps), [Affine(scale, bias)])


def _threshold_axis(operator: Operator, binding: TensorBinding) -> tuple[int, int]:
    """The axis (batch first) over which rows of thresholds run, and its size, as qonnx finds it."""
    rank = len(binding.shape) + 1
    guessed = {2: "NC", 3: "NWC", 4: "NCHW"}.get(rank, "")
    layout = str(operator.attributes.get("data_layout", "")) or guessed
    if layout and len(layout) != rank:
        raise operator.fault(f"a data_layout of {rank} dimensions", layout)
    axis = layout.index("C") if "C" in layout else 1
    if not 1 <= axis < rank:
        raise operator.fault("a tensor with channels", f"shape {[1, *binding.shape]}, {layout}")
    return axis, binding.shape[axis - 1]


def _scaled(
    operator: Operator, binding: TensorBinding, scales: list[Fraction], zeros: list[Fraction]
) -> TensorBinding:
    if any(s <= 0 for s in scales):
        raise operator.fault("scales above 0", float(min(scales)))
    return then(then(binding, [Affine(1 / s) for s in scales]), [Affine(offset=z) for z in zeros])


def _unscaled(binding: TensorBinding, scales: list[Fraction], zeros: list[Fraction]) -> TensorBinding:
    return then(then(binding, [Affine(offset=-z) for z in zeros]), [Affine(s) for s in scales])
