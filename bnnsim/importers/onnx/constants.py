"""Constants of a model: evaluated ahead of time, quantised ones kept as integers and a scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.onnx.graph import ONNX, QONNX, Array, Grid, ModelGraph, Operator, scalar
from bnnsim.importers.onnx.understood import check_operator
from bnnsim.spec.bounds import MAX_ARRAY_BYTES

_MOVES = ("Transpose", "Reshape", "Identity", "Unsqueeze", "Squeeze", "Flatten")
_ARITHMETIC = (
    *("Abs", "Add", "And", "Cast", "Ceil", "Clip", "Concat", "ConstantOfShape", "Div", "Equal"),
    *("Exp", "Expand", "Floor", "Gather", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"),
    *("Log", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pad", "Pow", "QuantizeLinear", "Range"),
    *("Reciprocal",),
    *("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Round", "Shape", "Sign"),
    *("Size", "Slice", "Split", "Sqrt", "Stack", "Sub", "Sum", "Tile", "Where"),
)
_ROUNDINGS: dict[str, Callable[[Array], Array]] = {  # in QONNX's floats; exact: rational.rounded
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "ROUND_TO_ZERO": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}


def evaluate_constants(graph: ModelGraph, operator: Operator) -> None:
    """Evaluate an operator whose inputs are all constants; its outputs become constants.

    Quantised constants also keep their integers and scale (``graph.grids``).
    """
    if operator.domain == QONNX and operator.kind in ("Quant", "IntQuant", "BipolarQuant"):
        check_operator(operator, graph.opset)
    if operator.domain == QONNX and operator.kind in ("Quant", "IntQuant"):
        _keep_grid(graph, operator, _quant(graph, operator))
        return
    if operator.domain == QONNX and operator.kind == "BipolarQuant":
        values = graph.constants[operator.inputs[0]]
        scale = graph.constants[operator.inputs[1]]
        integers = np.where(values >= 0, 1, -1)
        _keep_grid(graph, operator, _grid(integers, scale, np.zeros((), np.int64)))
        return
    if operator.domain == ONNX and operator.kind == "DequantizeLinear":
        check_operator(operator, graph.opset)
        _keep_grid(graph, operator, _dequantised(graph, operator))
        return
    if operator.domain != ONNX or operator.kind not in (*_MOVES, *_ARITHMETIC):
        of_others = f"{operator.domain}.{operator.kind}" if operator.domain else operator.kind
        raise operator.fault("an operator that is known on constants", of_others)
    _check_attributes(operator, graph.opset)
    arrays = [graph.constants[name] if name else None for name in operator.inputs]
    for name, value in zip(operator.outputs, _reference(graph, operator, arrays), strict=True):
        graph.constants[name] = value
    grid = graph.grids.get(operator.inputs[0]) if operator.inputs else None
    if grid is not None and operator.kind in _MOVES:
        moved = [
            _reference(graph, operator, [part, *arrays[1:]])[0]
            for part in (grid.integers, grid.scale, grid.zero)
        ]
        graph.grids[operator.output] = Grid(*moved)


def _check_attributes(operator: Operator, opset: int) -> None:
    """Raises :class:`InputError` on an attribute that ONNX does not define in this version."""
    from onnx.defs import get_schema

    known = sorted(get_schema(operator.kind, opset).attributes)
    for key in operator.attributes:
        if key not in known:
            expected = f"attributes of opset {opset} ({', '.join(known) or 'none'})"
            raise operator.fault(expected, key)


def _reference(graph: ModelGraph, operator: Operator, arrays: list[Array | None]) -> list[Array]:
    """The operator on arrays, by ONNX's own definition in numpy."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    _check_size(operator, arrays)
    node = onnx.helper.make_node(
        operator.kind, operator.inputs, operator.outputs, **_attributes(operator)
    )
    feeds = {
        name: array for name, array in zip(operator.inputs, arrays, strict=True) if array is not None
    }
    inputs = [
        onnx.helper.make_tensor_value_info(
            name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in feeds.items()
    ]
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in operator.outputs]
    made = onnx.helper.make_graph([node], "constant", inputs, outputs)
    opsets = [onnx.helper.make_opsetid("", graph.opset)]
    try:
        model = onnx.helper.make_model(made, opset_imports=opsets)
        return [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feeds)]
    except (ValueError, TypeError, RuntimeError, IndexError, NotImplementedError) as error:
        got = f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        raise operator.fault("constants that it can be evaluated on", got) from None


def _check_size(operator: Operator, arrays: Sequence[Array | None]) -> None:
    """Refuse what a few bytes would make too large to hold. Raises :class:`InputError`."""
    with foreign_file(operator.place, "constants that it can be evaluated on"):
        elements = _elements(operator.kind, [array for array in arrays if array is not None])
    if elements > MAX_ARRAY_BYTES // 8:
        expected = f"a constant of at most {MAX_ARRAY_BYTES // 8} numbers"
        raise operator.fault(expected, f"{elements} from {operator.kind}")


def _elements(kind: str, arrays: list[Array]) -> int:
    """How many numbers an operator makes of constants, or more."""
    if not arrays:
        return 0
    first, *others = arrays
    given = sum(array.size for array in arrays)
    match kind:
        case "ConstantOfShape":
            return prod(int(size) for size in first.reshape(-1))
        case "Expand":
            return prod(np.broadcast_shapes(first.shape, tuple(others[0].reshape(-1).tolist())))
        case "Tile":
            return int(first.size) * prod(int(times) for times in others[0].reshape(-1))
        case "Pad":
            grown = np.abs(others[0].reshape(2, -1)).sum(axis=0).tolist() if others else []
            return prod(size + more for size, more in zip(first.shape, grown, strict=False))
        case "Range":
            start, limit, delta = (float(scalar(array)) for array in arrays)
            return int(abs((limit - start) / delta)) if delta else 0
        case "Gather":
            return first.size * max(1, others[0].size) if others else given
    shapes = {array.shape for array in arrays}
    return given if len(shapes) == 1 else max(given, _broadcast(arrays))


def _broadcast(arrays: list[Array]) -> int:
    try:
        return prod(np.broadcast_shapes(*(array.shape for array in arrays)))
    except ValueError:
        return 0


def _attributes(operator: Operator) -> dict[str, Any]:
    import onnx

    return {
        key: onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for key, value in operator.attributes.items()
    }


def _keep_grid(graph: ModelGraph, operator: Operator, grid: Grid) -> None:
    graph.grids[operator.output] = grid
    values = (grid.integers - grid.zero).astype(np.float64) * grid.scale
    graph.constants[operator.output] = values.astype(np.float32)


def _grid(integers: Array, scale: Array, zero: Array) -> Grid:
    shape = integers.shape
    return Grid(
        integers.astype(np.int64),
        np.broadcast_to(scale, shape),
        np.broadcast_to(zero, shape).astype(np.int64),
    )


def _quant(graph: ModelGraph, operator: Operator) -> Grid:
    """QONNX's Quant on a constant, in the floats in which QONNX computes it."""
    values, scale, zero, bits = (graph.constants[name] for name in operator.inputs[:4])
    bounds = quant_bounds(operator, scalar(bits))
    mode = rounding_mode(operator, "ROUND")
    levels = values / scale + zero
    if bounds is None:
        return _grid(np.where(levels >= 0, 1, -1), scale, zero)
    return _grid(_ROUNDINGS[mode](np.clip(levels, *bounds)), scale, zero)


def _dequantised(graph: ModelGraph, operator: Operator) -> Grid:
    """ONNX's DequantizeLinear of a constant: its integers, and a scale a slice of ``axis``."""
    values, scale = (graph.constants[name] for name in operator.inputs[:2])
    zero = graph.constants[operator.inputs[2]] if operator.has(2) else np.zeros((), np.int64)
    scale, zero = (along_axis(operator, one, values.shape) for one in (scale, zero))
    return _grid(values, scale.astype(np.float32), zero.astype(np.int64))


def along_axis(operator: Operator, values: Array, shape: Sequence[int]) -> Array:
    """A scale or zero point of QuantizeLinear or DequantizeLinear, shaped to lie along its axis of a
    tensor of ``shape``."""
    if values.size == 1:
        return values.reshape(())
    axis = int(operator.attributes.get("axis", 1))
    if values.ndim != 1 or not -len(shape) <= axis < len(shape) or shape[axis] != values.size:
        expected = f"one scale, or one for each of axis {axis} of {list(shape)}"
        raise operator.fault(expected, list(values.shape))
    return values.reshape([-1 if i == axis % len(shape) else 1 for i in range(len(shape))])


def rounding_mode(operator: Operator, default: str) -> str:
    """The operator's rounding mode in capitals. Raises :class:`InputError` on an unknown one."""
    mode = str(operator.attributes.get("rounding_mode", default)).upper()
    if mode not in _ROUNDINGS:
        raise operator.fault(f"a rounding mode of {', '.join(_ROUNDINGS)}", mode)
    return mode


def quant_bounds(operator: Operator, bits: float) -> tuple[int, int] | None:
    """The least and the greatest integer of a Quant, as QONNX defines them.

    None where the Quant is bipolar: QONNX's reading of one signed bit.
    """
    if bits != int(bits) or not 1 <= bits <= 32:
        raise operator.fault("a whole bit width of 1 to 32", bits)
    signed = bool(operator.attributes.get("signed", 1))
    narrow = bool(operator.attributes.get("narrow", 0))
    if not signed:
        return 0, (1 << int(bits)) - 1 - narrow
    if bits == 1:
        return None
    return -(1 << (int(bits) - 1)) + narrow, (1 << (int(bits) - 1)) - 1
