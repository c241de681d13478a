"""Which unit of a design each of FINN's nodes is: its layer, and its part in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from bnnsim.importers.finn.nodes import PASSING, DataflowNode
from bnnsim.importers.finn.translation import Translation
from bnnsim.importers.onnx.network import LoweredModel
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    MaxPoolLayer,
    PreluLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)

SOURCE, SINK, INPUT = "source", "sink", "input"
_POOLS = (MaxPoolLayer, AveragePoolLayer, WeightedLayer)
_LAYERS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "MVAU": ((WeightedLayer,), "mvau"),
    "VVAU": ((WeightedLayer,), "mvau"),
    "StreamingMaxPool": ((MaxPoolLayer,), "pool"),
    "Pool": (_POOLS, "pool"),
    "GlobalAccPool": (_POOLS, "pool"),
    "Thresholding": ((ThresholdLayer,), "threshold"),
    "AddStreams": ((AddLayer,), "add"),
    "ElementwiseAdd": ((AddLayer,), "add"),
    "StreamingConcat": ((ConcatLayer,), "concat"),
    "LabelSelect": ((TopKLayer,), "label_select"),
}
"""What layer a node can be, and what its unit is to that layer."""
_SCALES = ("ChannelwiseOp", "ElementwiseMul", "ElementwiseAdd")
"""Nodes that a step in fixed point is here, the last of several, where it goes into no thresholds."""


@dataclass(frozen=True)
class NodeUnit:
    """A node, and the unit (``layer.part``) that it is; empty where the design has none."""

    node: DataflowNode
    layer: str
    part: str

    @property
    def unit(self) -> str:
        return f"{self.layer}.{self.part}" if self.part else self.layer


@dataclass
class Chain:
    """Nodes by name, in the graph's order, and the units that they are; wires are none.

    ``readers`` of a tensor: node and input position.
    """

    nodes: dict[str, DataflowNode]
    units: dict[str, NodeUnit] = field(default_factory=dict)

    @cached_property
    def makers(self) -> dict[str, DataflowNode]:
        return {name: node for node in self.nodes.values() for name in node.outputs}

    @cached_property
    def readers(self) -> dict[str, list[tuple[DataflowNode, int]]]:
        found: dict[str, list[tuple[DataflowNode, int]]] = {}
        for node in self.nodes.values():
            for position, name in enumerate(node.inputs):
                found.setdefault(name, []).append((node, position))
        return found

    def next_nodes(self, node: DataflowNode) -> Iterator[DataflowNode]:
        for name in node.outputs:
            for reader, _ in self.readers.get(name, ()):
                yield reader

    def front(self, node: DataflowNode) -> DataflowNode | None:
        """The node in front of the first input, past FIFOs and converters."""
        name = node.inputs[0] if node.inputs else ""
        maker = self.makers.get(name)
        while maker is not None and maker.kind in PASSING and maker.inputs:
            maker = self.makers.get(maker.inputs[0])
        return maker


class _Finder:
    """Follows the nodes' tensors to the layers that hold them."""

    def __init__(self, translation: Translation, lowered: LoweredModel) -> None:
        self.chain = Chain({node.name: node for node in translation.nodes})
        self._tensors = translation.tensors
        self._bases = {name: one.base for name, one in lowered.bindings.items()}
        self._layers = {layer.name: layer for layer in lowered.workload.layers}
        self._inputs = _inputs_of(lowered)

    def find(self) -> Chain:
        taken: set[str] = set()
        for node in self.chain.nodes.values():
            found = self._unit(node, taken)
            if found is not None:
                self.chain.units[node.name] = found
                taken.add(found.unit)
        self._add_fronts()
        return self.chain

    def _unit(self, node: DataflowNode, taken: set[str]) -> NodeUnit | None:
        if node.kind in _SCALES:
            base = next(self._bases_from(node), INPUT)
            layer = self._layers.get(base)
            if isinstance(layer, AffineLayer | PreluLayer) and f"{base}.{layer.op}" not in taken:
                return NodeUnit(node, base, layer.op)
        if node.kind not in _LAYERS:
            return None
        kinds, part = _LAYERS[node.kind]
        for base in self._bases_from(node):
            for name in self._back_from(base):
                layer = self._layers[name]
                fits = isinstance(layer, kinds)
                own = (
                    "mvau" if fits and part == "pool" and isinstance(layer, WeightedLayer) else part
                )
                if fits and f"{name}.{own}" not in taken:
                    return NodeUnit(node, name, own)
            if node.kind in ("MVAU", "VVAU"):
                continue
            break
        return None

    def _bases_from(self, node: DataflowNode) -> Iterator[str]:
        """Layers whose integers the node's output holds, or what units behind it make of it."""
        waiting, seen = [node], {node.name}
        while waiting:
            one = waiting.pop(0)
            names = self._tensors.get(one.name, ())
            base = next((self._bases[name] for name in names if name in self._bases), INPUT)
            if base != INPUT:
                yield base
                continue
            for reader in self.chain.next_nodes(one):
                if reader.name not in seen and reader.kind not in ("MVAU", "VVAU", "LabelSelect"):
                    seen.add(reader.name)
                    waiting.append(reader)

    def _back_from(self, layer: str) -> Iterator[str]:
        """A layer and those in front of it, nearest first."""
        waiting, seen = [layer], {layer}
        while waiting:
            name = waiting.pop(0)
            if name not in self._layers:
                continue
            yield name
            for source in self._inputs[name]:
                if source not in seen:
                    seen.add(source)
                    waiting.append(source)

    def _add_fronts(self) -> None:
        """Windows and borders belong to the unit that they feed; splits to the layer that they read."""
        for found in list(self.chain.units.values()):
            window = self.chain.front(found.node)
            if window is None or window.kind != "ConvolutionInputGenerator":
                continue
            part = "window" if found.part == "mvau" else found.part
            self.chain.units[window.name] = NodeUnit(window, found.layer, part)
            border = self.chain.front(window)
            if border is not None and border.kind == "FMPadding":
                self.chain.units[border.name] = NodeUnit(border, found.layer, "pad")
        for node in self.chain.nodes.values():
            if node.kind in ("DuplicateStreams", "ReplicateStream"):
                maker = self.chain.front(node)
                layer = INPUT
                if maker is not None:
                    layer = (
                        self.chain.units[maker.name].layer if maker.name in self.chain.units else ""
                    )
                if layer:
                    self.chain.units[node.name] = NodeUnit(node, layer, "split")
            elif node.kind == "Thresholding" and node.name not in self.chain.units:
                maker = self.chain.front(node)
                if maker is not None and maker.name in self.chain.units:
                    self.chain.units[node.name] = replace(self.chain.units[maker.name], node=node)
            elif node.kind == "LabelSelect" and node.name not in self.chain.units:
                self.chain.units[node.name] = NodeUnit(node, SINK, "")


def chain_of(translation: Translation, lowered: LoweredModel) -> Chain:
    """The nodes of a graph as units of the network that was made of it."""
    return _Finder(translation, lowered).find()


def _inputs_of(lowered: LoweredModel) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    previous = INPUT
    for layer in lowered.workload.layers:
        found[layer.name] = list(layer.inputs or [previous])
        previous = layer.name
    return found
