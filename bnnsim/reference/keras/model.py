"""A Keras or Larq file as a graph of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bnnsim.reference.graph import Array, ReferenceGraph, Step
from bnnsim.reference.keras.file import SavedLayer, read_saved
from bnnsim.reference.keras.functions import FUNCTIONS, function_part
from bnnsim.reference.keras.lambdas import lambda_step
from bnnsim.reference.keras.layers import LAYERS, Part
from bnnsim.reference.onnx_operators import refusing
from bnnsim.reference.rounding import rounded_weights
from bnnsim.spec.faults import InputError

INPUT = "input"
_PLACES = {"kernel": 0, "depthwise_kernel": 0, "pointwise_kernel": 1}
"""Where files without names have the weights of a layer."""
_ROWS = Part("", "Reshape", lambda g: g[0].reshape(len(g[0]), -1, g[0].shape[-1]))
"""Rows of samples, which the input holds as maps of one column."""


def read_keras_model(
    path: str | Path,
    rounded: Mapping[str, int] | None = None,
    weights: Path | None = None,
    input_shape: Sequence[int] | None = None,
) -> ReferenceGraph:
    """The model of a file: a layer's output under the layer's name, what it makes on the way under
    ``layer/sum`` and ``layer/input_quantizer``. ``weights``: the file of those that were saved apart.

    ``rounded``: weights such as ``conv/kernel`` that are real and rounded to so many bits;
    ``input_shape``: of an input, in the place of the file's. Raises
    :class:`InputError` where a layer has no reference.
    """
    saved = read_saved(path, weights)
    for layer in saved.layers:
        _round_weights(layer, rounded or {})
    steps: list[Step] = []
    shape: tuple[int, ...] = ()
    for layer in saved.layers:
        given = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
        if given and not shape:
            shape = tuple(int(size) for size in input_shape or given[1:])
        if layer.kind == "InputLayer":
            part = Part("", "Identity", lambda g: g[0], True)
            if len(shape) == 2:
                part = _ROWS
            steps.append(_step(layer, (INPUT,), layer.name, part))
            continue
        if layer.kind not in (*LAYERS, *FUNCTIONS, "Lambda"):
            raise InputError(
                layer.place, f"a layer whose meaning is known ({', '.join(LAYERS)})", layer.kind
            )
        steps += _called(layer, len(shape) == 2)
    if len(shape) == 2:
        shape = (shape[0], 1, shape[1])
    outputs = saved.outputs
    return ReferenceGraph(str(path), INPUT, shape, outputs, tuple(steps), {}, channels_last=True)


def _round_weights(layer: SavedLayer, rounded: Mapping[str, int]) -> None:
    for position, (name, values) in enumerate(layer.variables):
        roles = [name] if name else [role for role, place in _PLACES.items() if place == position]
        bits = next((rounded[k] for r in roles if (k := f"{layer.name}/{r}") in rounded), None)
        if bits is not None:
            is_depthwise = "depthwise_kernel" in roles and f"{layer.name}/kernel" not in rounded
            rows = (-2, -1) if is_depthwise else (-1,)
            layer.variables[position] = name, rounded_weights(values, rows, bits)


def _called(layer: SavedLayer, are_samples: bool) -> list[Step]:
    """The parts of a layer; the first reads the model's input, as rows of samples where it has those."""
    given, steps = layer.inputs, []
    if not given:
        given = (INPUT,)
        if are_samples:
            part = _ROWS
            steps.append(_step(layer, given, f"{layer.name}/rows", part))
            given = (f"{layer.name}/rows",)
    if layer.kind == "Lambda":
        return [*steps, lambda_step(layer, given)]
    if len(layer.outputs) > 1 or layer.kind == "split":
        parted: Callable[[Sequence[Array]], Any] = function_part(layer).function
        return [*steps, Step(layer.kind, given, layer.outputs, refusing(parted), layer.place)]
    parts = LAYERS[layer.kind](layer) if layer.kind in LAYERS else [function_part(layer)]
    for part in parts:
        name = f"{layer.name}/{part.role}" if part.role else layer.name
        steps.append(_step(layer, given, name, part))
        given = (name,)
    return steps


def _step(layer: SavedLayer, given: tuple[str, ...], name: str, part: Part) -> Step:
    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        return [part.function(arrays)]

    function: Callable[[Sequence[Array]], Sequence[Array]] = refusing(run)
    return Step(
        part.kind, given, (name,), function, layer.place, part.is_elementwise, part.is_on_step
    )
