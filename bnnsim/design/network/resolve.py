"""The walk over a workload's layers: names, order, frame, and each layer's shapes in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import assert_never

from bnnsim.design.network.join_rules import add, concat, matmul, multiply, repeat, top_k
from bnnsim.design.network.node import INPUT, Node
from bnnsim.design.network.scaled_rules import fixed_linear, lookup, mean_pool, scale
from bnnsim.design.network.shape_rules import conv, holds, pool, weighted
from bnnsim.design.network.tensor import Tensor
from bnnsim.spec.bounds import MAX_ELEMENTS, MAX_WEIGHTS
from bnnsim.spec.faults import Fault, near_names
from bnnsim.spec.layers.pools import BorderedPool
from bnnsim.spec.load import Loaded
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    ConvBase,
    ConvLayer,
    FixedLinearLayer,
    GatedConvLayer,
    Layer,
    LinearLayer,
    LookupLayer,
    MatmulLayer,
    MaxPoolLayer,
    MeanPoolLayer,
    MultiplyLayer,
    PreluLayer,
    RepeatLayer,
    SumPoolLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
    Workload,
)

READ_LEVELS = (ConvLayer, LinearLayer, MaxPoolLayer)
"""Layers that know what a level of a residual activation is worth, or need not."""


@dataclass(frozen=True)
class Resolved:
    """The frame, the layers in topological order, and the names of those whose values leave."""

    input: Tensor
    nodes: Mapping[str, Node]
    outputs: tuple[str, ...]


def resolve(loaded: Loaded[Workload]) -> tuple[Resolved | None, list[Fault]]:
    """The layers of a workload, or None with the faults that bar it."""
    return _Resolver(loaded).run()


class _Resolver:
    """Walks the layers once in topological order, gathering faults."""

    def __init__(self, loaded: Loaded[Workload]) -> None:
        self.spec = loaded.spec
        self.source = loaded.source
        self.faults: list[Fault] = []
        self.position = {layer.name: i for i, layer in enumerate(self.spec.layers)}

    def run(self) -> tuple[Resolved | None, list[Fault]]:
        names = [layer.name for layer in self.spec.layers]
        for i, name in enumerate(names):
            if name == INPUT or name in names[:i]:
                self._fault(i, "name", "a name not used before", repr(name))
        inputs = self._inputs()
        frame = self._frame()
        if self.faults:
            return None, self.faults
        order = self._order(inputs)
        if order is None or frame is None:
            return None, self.faults
        tensors: dict[str, Tensor] = {INPUT: frame}
        nodes: dict[str, Node] = {}
        for layer in order:
            if not all(name in tensors for name in inputs[layer.name]):
                continue
            node = self._node(layer, inputs[layer.name], tensors)
            if node:
                nodes[layer.name] = node
                tensors[layer.name] = node.output
        read = {name for names_ in inputs.values() for name in names_}
        ends = [name for name in names if name not in read]
        outputs = self._outputs(ends)
        if self.faults:
            return None, self.faults
        return Resolved(frame, nodes, outputs), []

    def _outputs(self, ends: list[str]) -> tuple[str, ...]:
        """The layers whose values leave: those named, among them every one of the unread ``ends``."""
        named = self.spec.outputs
        path: tuple[str | int, ...]
        if named is None:
            if len(ends) != 1:
                path = ("layers", self.position[ends[0]]) if ends else ("layers",)
                expected = "one layer that no other reads (the output), or their names under outputs"
                self.faults.append(self.source.fault(path, expected, ", ".join(ends) or "none"))
            return tuple(ends)
        for i, name in enumerate(named):
            if name not in self.position:
                near = near_names(name, self.position)
                self.faults.append(
                    self.source.fault(("outputs", i), "the name of a layer", repr(name), near)
                )
            elif name in named[:i]:
                self.faults.append(
                    self.source.fault(("outputs", i), "a name not used before", repr(name))
                )
        for name in ends:
            if name not in named:
                expected = "a layer that another reads, or one of the outputs"
                path = ("layers", self.position[name])
                self.faults.append(self.source.fault(path, expected, f"{name}, which no other reads"))
        return tuple(named)

    def _fault(self, index: int, key: str, expected: str, got: str, near: tuple[str, ...] = ()) -> None:
        self.faults.append(self.source.fault(("layers", index, key), expected, got, near))

    def _frame(self) -> Tensor | None:
        spec = self.spec.input
        shape = list(spec.shape)
        if len(shape) == 2:
            self.faults.append(
                self.source.fault(
                    ("input", "shape"), "[channels, height, width] or [features]", str(shape)
                )
            )
            return None
        if spec.type.is_residual:
            self.faults.append(
                self.source.fault(("input", "type"), "a type other than residual", str(spec.type))
            )
            return None
        if spec.thermometer is not None and (
            len(shape) != 3 or shape[0] % spec.thermometer or not spec.type.is_bipolar
        ):
            self.faults.append(
                self.source.fault(
                    ("input", "thermometer"),
                    "bipolar channels, so many for each colour",
                    f"{spec.thermometer} for {shape} {spec.type}",
                )
            )
            return None
        if spec.pad_to is not None:
            if len(shape) != 1 or spec.pad_to < shape[0]:
                self.faults.append(
                    self.source.fault(
                        ("input", "pad_to"), f"a flat input's size, at least {shape[0]}", spec.pad_to
                    )
                )
                return None
            if not holds(spec.type, spec.pad_value):
                self.faults.append(
                    self.source.fault(("input", "pad_value"), f"a value of {spec.type}", spec.pad_value)
                )
            shape = [spec.pad_to]
        channels, height, width = shape if len(shape) == 3 else (shape[0], 1, 1)
        frame = Tensor((channels, height, width), spec.type)
        if frame.elements > MAX_ELEMENTS:
            expected = f"a frame of at most {MAX_ELEMENTS} elements"
            got = f"{frame.elements}"
            self.faults.append(self.source.fault(("input", "shape"), expected, got))
            return None
        return frame

    def _inputs(self) -> dict[str, tuple[str, ...]]:
        result: dict[str, tuple[str, ...]] = {}
        previous = INPUT
        for i, layer in enumerate(self.spec.layers):
            names = tuple(layer.inputs) if layer.inputs is not None else (previous,)
            for k, name in enumerate(names):
                if name != INPUT and name not in self.position:
                    known = [INPUT, *self.position]
                    self.faults.append(
                        self.source.fault(
                            ("layers", i, "inputs", k),
                            "the name of a layer or 'input'",
                            repr(name),
                            near_names(name, known),
                        )
                    )
            two = isinstance(layer, GatedConvLayer | MultiplyLayer | MatmulLayer)
            joins = two or isinstance(layer, AddLayer | ConcatLayer)
            if joins and len(names) < 2:
                self._fault(i, "inputs", "two or more layers", f"{len(names)}")
            if isinstance(layer, GatedConvLayer) and len(names) > 2:
                self._fault(i, "inputs", "two layers, x and shortcut", f"{len(names)}")
            if isinstance(layer, MultiplyLayer) and len(names) > 2:
                self._fault(i, "inputs", "two layers, a map and its gate", f"{len(names)}")
            if isinstance(layer, MatmulLayer) and len(names) > 2:
                self._fault(i, "inputs", "two layers, vectors and a matrix", f"{len(names)}")
            if not joins and len(names) > 1:
                self._fault(i, "inputs", "one layer", f"{len(names)}")
            result.setdefault(layer.name, names)
            previous = layer.name
        return result

    def _order(self, inputs: dict[str, tuple[str, ...]]) -> list[Layer] | None:
        done = {INPUT}
        waiting = list(self.spec.layers)
        order: list[Layer] = []
        while waiting:
            ready = (layer for layer in waiting if all(n in done for n in inputs[layer.name]))
            first = next(ready, None)
            if first is None:
                # What cannot be reached is a cycle plus what hangs behind it: walk back to the cycle.
                stuck = {layer.name for layer in waiting}
                name, trail = waiting[0].name, []
                while name not in trail:
                    trail.append(name)
                    name = next(n for n in inputs[name] if n in stuck)
                cycle = trail[trail.index(name) :][::-1]
                first_at = cycle.index(min(cycle, key=self.position.__getitem__))
                cycle = cycle[first_at:] + cycle[:first_at]
                self._fault(
                    self.position[cycle[0]],
                    "inputs",
                    "a graph without a cycle",
                    f"the cycle {' -> '.join([*cycle, cycle[0]])}",
                )
                return None
            order.append(first)
            done.add(first.name)
            waiting.remove(first)
        return order

    def _node(self, layer: Layer, names: tuple[str, ...], tensors: dict[str, Tensor]) -> Node | None:
        given = tuple(tensors[name] for name in names)
        index = self.position[layer.name]
        before = len(self.faults)
        fault = partial(self._fault, index)
        if any(one.type.is_residual for one in given) and not isinstance(layer, READ_LEVELS):
            fault("op", "conv, linear or max_pool behind residual activations", layer.op)
            return None
        if isinstance(layer, ConvBase | BorderedPool):
            top, left, bottom, right = layer.pad_tlbr
            channels, height, width = given[0].shape
            padded = channels * (height + top + bottom) * (width + left + right)
            if padded > MAX_ELEMENTS:
                expected = f"a padded map of at most {MAX_ELEMENTS} elements"
                fault("pad", expected, f"{padded}")
                return None
        if isinstance(layer, ConvBase):
            result = conv(fault, layer, given[0], given[-1])
        elif isinstance(layer, FixedLinearLayer):
            result = fixed_linear(fault, layer, given[0])
        elif isinstance(layer, AffineLayer | PreluLayer):
            result = scale(fault, layer, given[0])
        elif isinstance(layer, LookupLayer):
            result = lookup(fault, layer, given[0])
        elif isinstance(layer, MeanPoolLayer):
            result = mean_pool(fault, layer, given[0])
        elif isinstance(layer, LinearLayer):
            result = weighted(fault, layer, given[0], given[0].elements, (layer.out, 1, 1), -1)
        elif isinstance(layer, ThresholdLayer):
            if given[0].type.is_bipolar:
                self._fault(index, "inputs", "integer sums", "bipolar bits, which have no sum")
            if layer.activation.type.is_residual:
                levels = "a type other than residual (levels come out of conv and linear layers)"
                self._fault(index, "activation", levels, str(layer.activation.type))
            result = (
                Tensor(given[0].shape, layer.activation.type),
                given[0].type,
                0,
            )
        elif isinstance(layer, MaxPoolLayer | AveragePoolLayer | SumPoolLayer):
            result = pool(fault, layer, given[0])
        elif isinstance(layer, AddLayer):
            result = add(fault, names, given)
        elif isinstance(layer, ConcatLayer):
            result = concat(fault, names, given)
        elif isinstance(layer, MultiplyLayer):
            result = multiply(fault, names, given)
        elif isinstance(layer, MatmulLayer):
            result = matmul(fault, layer, names, given)
        elif isinstance(layer, RepeatLayer):
            result = repeat(fault, layer, given[0])
        elif isinstance(layer, TopKLayer):
            result = top_k(fault, layer, given[0])
        else:
            assert_never(layer)
        if len(self.faults) > before or result is None:
            return None
        output, sum_type, pad_value = result
        node = Node(layer, names, given, output, sum_type, pad_value)
        self._check_size(index, node)
        return node if len(self.faults) == before else None

    def _check_size(self, index: int, node: Node) -> None:
        layer = node.layer
        if node.output.elements > MAX_ELEMENTS:
            key = "out" if isinstance(layer, WeightedLayer) else "op"
            expected = f"a map of at most {MAX_ELEMENTS} elements"
            self._fault(index, key, expected, f"{node.output.elements}")
        elif isinstance(layer, WeightedLayer) and prod(node.weight_shape) > MAX_WEIGHTS:
            self._fault(
                index, "out", f"at most {MAX_WEIGHTS} weights", f"{prod(node.weight_shape)}"
            )
