"""What an import says: which of the model's tensors a layer's integers stand for, and how exactly.

These are claims. Nothing is believed of them: the comparison is with the numbers of the reference,
which knows nothing of the importer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import INPUT, Network
from bnnsim.importers.exact.channel_function import ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.network import LoweredModel
from bnnsim.reference.graph import ReferenceGraph

Array = npt.NDArray[Any]
_LAST_PARTS = ("Sign", "Cast", "Greater")
"""Importer's names of what quantises a Keras layer's input."""
_SUMS = ("Conv", "Gemm")


@dataclass(frozen=True)
class Claim:
    """``tensor`` is ``gain * integers + offset`` of ``layer``, a gain and an offset a channel, up to
    ``bound`` (real numbers; 0 but behind fixed point). ``axes``: how it lies, slowest first."""

    layer: str
    tensor: str
    gain: Array
    offset: Array
    axes: tuple[tuple[str, int], ...]
    bound: float

    def as_layer(self, tensor: Array, shape: tuple[int, ...]) -> Array:
        """The model's tensor as ``shape`` ``(n, channels, rows, columns)``.

        Raises ``ValueError`` where it has other elements.
        """
        at, flat = self._places(), tensor.reshape(len(tensor), -1)
        if flat.shape[1] != len(at):
            raise ValueError(f"{flat.shape[1]} elements for {len(at)}")
        found = np.empty_like(flat)
        found[:, at] = flat
        return found.reshape(shape)

    def as_real(self, integers: Array) -> Array:
        """The reals that a layer's integers ``(n, channels, rows, columns)`` stand for."""
        return integers * self.gain + self.offset

    def as_tensor(self, reals: Array, shape: tuple[int, ...]) -> Array:
        """Such reals as they lie in the model's tensor of ``shape``."""
        at, flat = self._places(), reals.reshape(len(reals), -1)
        if flat.shape[1] != len(at):
            raise ValueError(f"{flat.shape[1]} elements for {len(at)}")
        return flat[:, at].reshape(shape)

    def _places(self) -> Array:
        """Where each element of the tensor lies among the layer's channels, rows and columns."""
        lying = TensorBinding(self.layer, ChannelFunction(), (self.axes,))
        at = lying.places("C") * lying.extent("H") + lying.places("H")
        return (at * lying.extent("W") + lying.places("W")).reshape(-1)


def layer_claims(lowered: LoweredModel, network: Network, graph: ReferenceGraph) -> dict[str, Claim]:
    """For the input and every layer the first tensor of the reference that is an affine function of
    its integers."""
    found: dict[str, Claim] = {}
    named = {name for step in graph.steps for name in step.outputs}
    for tensor, binding in lowered.bindings.items():
        is_known = binding.base in network.nodes or binding.base == INPUT
        name = reference_name(tensor, graph, named)
        if name is not None and binding.border is not None:
            name = _inside(name, graph)
        if not is_known or binding.base in found or name is None:
            continue
        claim = _claim(binding, name, lowered, graph)
        if claim is not None:
            found[binding.base] = claim
    return {name: found[name] for name in (INPUT, *network.nodes) if name in found}


def anchored_claims(
    claims: Mapping[str, Claim], said: Sequence[OutputClaim], lowered: LoweredModel
) -> tuple[frozenset[str], dict[str, Claim], list[OutputClaim]]:
    """The claims where the reference goes on with the workload's values behind layers in fixed point.

    Bounds are then those of a layer by itself; those of all before add up to more than decides in deep
    networks. The layers it goes on behind come first: all in fixed point but those of outputs.
    """
    heads = {one.claim.tensor for one in said if one.claim is not None}
    anchors = frozenset(n for n, c in claims.items() if c.bound and c.tensor not in heads)
    layers = {}
    for name, claim in claims.items():
        whole = lowered.errors.get(name, Fraction(0))
        share = lowered.error_behind(name, anchors) / whole if whole else Fraction(0)
        layers[name] = replace(claim, bound=claim.bound * min(1.0, float(share)))
    scores = {one.output: one for one in lowered.outputs}
    outputs = []
    for one in said:
        score = scores.get(one.output)
        if one.claim is not None and score is not None:
            own = layers[one.claim.layer].bound if one.claim.layer in layers else 0.0
            bound = max(own, float(lowered.score_error_behind(score, anchors)))
            one = replace(one, claim=replace(one.claim, bound=min(bound, one.claim.bound)))
        outputs.append(one)
    return anchors, layers, outputs


def _inside(name: str, graph: ReferenceGraph) -> str | None:
    """What stood in the tensor ``name`` before a border was put around it.

    A Keras layer's own border is part of its sum in the reference: ``name`` has none yet.
    """
    maker = next(step for step in graph.steps if name in step.outputs)
    return maker.inputs[0] if maker.kind in ("Pad", "pad") else name if graph.channels_last else None


def _claim(
    binding: TensorBinding, name: str, lowered: LoweredModel, graph: ReferenceGraph
) -> Claim | None:
    steps = binding.function.affine()
    if steps is None or not all(step.gain for step in steps):
        return None
    gain = np.array([float(step.gain) for step in steps]).reshape(-1, 1, 1)
    offset = np.array([float(step.offset) for step in steps]).reshape(-1, 1, 1)
    bound = _bound(binding.base, np.broadcast_to(gain.reshape(-1), binding.channels), lowered)
    dimensions = binding.dimensions
    if graph.channels_last and len(dimensions) == 3:
        dimensions = (*dimensions[1:], dimensions[0])  # the importer turned it around
    axes = tuple(axis for one in dimensions for axis in one)
    return Claim(binding.base, name, gain, offset, axes, bound)


def _bound(base: str, gains: Array, lowered: LoweredModel) -> float:
    """How far the reals ``gains * integers`` of a layer may be off; of joined layers each by its own."""
    layer = lowered.draft.layers.get(base)
    if layer is not None and layer.kind == "max_pool":
        return _bound(layer.inputs[0], gains, lowered)
    if layer is None or layer.kind != "concat":
        return float(lowered.errors.get(base, 0)) * float(np.abs(gains).max())
    ends = np.cumsum([lowered.draft.shape_of(one)[0] for one in layer.inputs])
    parts = zip(layer.inputs, np.split(gains, ends[:-1]), strict=True)
    return max(_bound(one, own, lowered) for one, own in parts)


def reference_name(tensor: str, graph: ReferenceGraph, named: set[str]) -> str | None:
    """The reference's name of one of the importer's tensors; None where it has none of its own.

    An ONNX model's tensors have the model's names on both sides. A Keras model's have the layer's and
    what part of the layer made it.
    """
    if tensor in named or not graph.channels_last:
        return tensor if tensor in named else None
    parted = re.fullmatch(r"(.*)/([A-Za-z]+)\d+", tensor)
    if parted is None:
        return None
    layer, kind = parted[1], parted[2]
    if kind in (*_LAST_PARTS, "Pad") and f"{layer}/input_quantizer" in named:
        return f"{layer}/input_quantizer"
    if kind in _SUMS and f"{layer}/sum" in named:
        return f"{layer}/sum"
    if kind in ("Transpose", "Pad") or (f"{layer}/input_quantizer" in named and kind == "Add"):
        return None
    return layer if layer in named else None


@dataclass(frozen=True)
class OutputClaim:
    """The model's declared ``output`` is made of the scores of ``claim``'s layer.

    ``claim`` is None where the import gives no layer for it; ``reason`` then says why.
    """

    output: str
    claim: Claim | None
    reason: str = ""


def output_claims(lowered: LoweredModel, graph: ReferenceGraph) -> Iterator[OutputClaim]:
    """One for each of the model's outputs, in its order."""
    heads = list(_heads(lowered, graph))
    for output in graph.outputs:
        reason = "no layer of the workload computes it"
        for head in heads:
            try:
                other = graph.behind_scores(head.tensor, output)
            except LookupError:
                continue
            if other is None:
                yield OutputClaim(output, head)
                break
            reason = f"{other} stands between the workload's scores ({head.tensor}) and it"
        else:
            yield OutputClaim(output, None, reason)


def _heads(lowered: LoweredModel, graph: ReferenceGraph) -> Iterator[Claim]:
    named = {name for step in graph.steps for name in step.outputs}
    for head in lowered.outputs:
        name = reference_name(head.tensor, graph, named)
        binding = lowered.bindings.get(head.tensor)
        claim = None
        if name is not None and binding is not None:
            claim = _claim(binding, name, lowered, graph)
        if claim is not None:
            gain, offset = np.array(float(head.gain)), np.array(float(head.offset))
            bound = max(claim.bound, float(head.error))
            yield replace(claim, layer=head.layer, gain=gain, offset=offset, bound=bound)


def values_of(
    network: Network, outputs: Mapping[str, Array], layer: str, means: Sequence[int] = ()
) -> Array:
    """A layer's (or the input's) integers; bipolar bits as -1 and +1, codes of levels as the sums of what
    these are worth (``means``)."""
    values = outputs[layer].astype(np.int64)
    if means:
        signs = [(values >> level & 1) * 2 - 1 for level in range(len(means))]
        return np.asarray(sum(mean * sign for mean, sign in zip(means, signs, strict=True)))
    return values * 2 - 1 if network.tensor(layer).type.is_bipolar else values
