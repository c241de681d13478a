"""Layers whose integers stand for scaled values: fixed point (FracBNN) and residual (ReBNet)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import RESIDUAL_SUM, Network, Node
from bnnsim.functional.layers.fixed_layers import (
    CHANNEL_PARAMETERS,
    FIXED_LAYERS,
    PARAMETER_TYPE,
    fixed_layer,
)
from bnnsim.functional.layers.residual import level_sums, residual_layer, residual_pool
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    AffineLayer,
    FixedLinearLayer,
    GatedConvLayer,
    LookupLayer,
    MaxPoolLayer,
    PreluLayer,
    WeightedLayer,
)

Values = Mapping[str, Integers]
Named = dict[str, tuple[tuple[int, ...], ValueType]]
"""Shape and type of each parameter, by name."""


def is_scaled(node: Node) -> bool:
    """Whether this module executes the layer."""
    if isinstance(node.layer, FIXED_LAYERS):
        return True
    reads = isinstance(node.layer, MaxPoolLayer | WeightedLayer) and node.input.type.is_residual
    return is_residual(node) or reads


def is_residual(node: Node) -> bool:
    """A convolution or linear layer with residual activations on either side, in ReBNet's arithmetic."""
    layer = node.layer
    if not isinstance(layer, WeightedLayer) or isinstance(layer, FIXED_LAYERS):
        return False
    types = [node.input.type, *([layer.activation.type] if layer.activation else [])]
    return any(one.is_residual and not one.has_integer_means for one in types)


def _means_type(given: ValueType) -> ValueType:
    """Of what a level of an activation of that type is worth."""
    return given.mean_type if given.has_integer_means else RESIDUAL_SUM


def scaled_parameters(node: Node) -> Named:
    """The parameters that a layer of this module has."""
    layer = node.layer
    channels = (node.output.channels,)
    if isinstance(layer, AffineLayer):
        return {"scale": (channels, layer.scale_type), "bias": (channels, layer.bias_type)}
    if isinstance(layer, PreluLayer):
        return {"slope": (channels, layer.parameters)}
    if isinstance(layer, LookupLayer):
        return {"values": ((layer.segments + 1,), layer.type)}
    if isinstance(layer, FixedLinearLayer):
        return {"weights": (node.weight_shape, layer.weight), "bias": (channels, layer.weight)}
    if isinstance(layer, GatedConvLayer):
        named: Named = {"weights": (node.weight_shape, layer.weight)}
        return named | dict.fromkeys(CHANNEL_PARAMETERS, (channels, PARAMETER_TYPE))
    if not (is_scaled(node) and isinstance(layer, WeightedLayer)):
        return {}
    named = {"weights": (node.weight_shape, layer.weight)}
    if node.input.type.is_residual:
        named["in_means"] = ((node.input.type.bits,), _means_type(node.input.type))
    if layer.activation is not None and is_residual(node):
        named |= dict.fromkeys(("alpha", "bias"), (channels, RESIDUAL_SUM))
        named["out_means"] = ((node.output.type.bits,), RESIDUAL_SUM)
    return named


def run_scaled(node: Node, values: Values, inputs: list[Integers]) -> NDArray[np.int64]:
    """What the layer puts out; maps are integers ``(channels, frames, height, width)``."""
    if isinstance(node.layer, MaxPoolLayer):
        return residual_pool(node, inputs[0])
    if is_residual(node):
        return residual_layer(node, values, inputs[0])
    if node.input.type.has_integer_means:
        return level_sums(node, values, inputs[0])
    return fixed_layer(node, values, inputs)


def drawn_scaled_parameters(network: Network, seed: int) -> dict[str, dict[str, Integers]]:
    """Parameters of this module's layers drawn from a seed, of a size that keeps maps mixed."""
    rng = np.random.default_rng([seed, 1])
    drawn: dict[str, dict[str, Integers]] = {}
    for name, node in network.nodes.items():
        named = scaled_parameters(node)
        if named:
            drawn[name] = {key: _drawn(rng, node, key, *what) for key, what in named.items()}
    # a level is worth the same where it is made and where it is read
    for name, node in network.nodes.items():
        if "in_means" in drawn.get(name, {}) and not node.input.type.has_integer_means:
            drawn[name]["in_means"] = drawn[_producer(network, node)]["out_means"]
        if "alpha" in drawn.get(name, {}):
            _centre(rng, node, drawn[name])
    return drawn


def _centre(rng: np.random.Generator, node: Node, values: dict[str, Integers]) -> None:
    """Draw scale and bias of a residual layer so that its results lie around 0, some 1 apart."""
    one = 1 << RESIDUAL_SUM.fraction_bits
    if "in_means" in values:
        middle = node.matrix_width * int(values["in_means"].sum()) // 2
        spread = node.matrix_width**0.5 / 2 * int(values["in_means"][0])
    else:
        middle = 0
        spread = node.matrix_width**0.5 * one / 2
    shape = values["alpha"].shape
    alpha = max(1, round(one * one / spread)) * rng.integers(1, 3, shape, np.int32)
    values["alpha"] = alpha
    values["bias"] = (-(alpha * middle) // one + rng.integers(-one // 4, one // 4, shape)).astype(
        np.int32
    )


def drawn_means(given: ValueType) -> Integers:
    """What the levels of an activation of that type are worth: each at most half of the one before."""
    return (given.mean_type.maximum >> np.arange(given.bits)).clip(1).astype(np.int32)


def _producer(network: Network, node: Node) -> str:
    source = node.inputs[0]
    while "out_means" not in scaled_parameters(network.nodes[source]):
        source = network.nodes[source].inputs[0]
    return source


def _drawn(
    rng: np.random.Generator, node: Node, key: str, shape: tuple[int, ...], value_type: ValueType
) -> Integers:
    if value_type.is_bipolar:
        return rng.integers(0, 2, shape, np.uint8)
    one = 1 << value_type.fraction_bits
    if key.endswith("means") and node.input.type.has_integer_means:
        return drawn_means(node.input.type)
    if key.endswith("means"):
        return (one >> np.arange(1, shape[0] + 1)).astype(np.int32)
    if value_type == RESIDUAL_SUM:
        return np.ones(shape, np.int32)
    if isinstance(node.layer, LookupLayer):
        return rng.integers(value_type.minimum, value_type.maximum, shape, np.int32, endpoint=True)
    spread = min(max(1, one // 2), value_type.maximum)
    lowest = max(-spread, value_type.minimum)
    values = rng.integers(lowest, spread, shape, np.int32, endpoint=True)
    if key in ("rprelu_slope", "post_scale"):
        values = np.abs(values) + 1
    return values
