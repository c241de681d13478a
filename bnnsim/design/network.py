"""A workload with every shape, type and matrix size worked out: what both hardware and bits follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from bnnsim.design.own_rules import fixed_linear, gated_conv, mean_pool, residual_layer
from bnnsim.design.tensor import RESIDUAL_SUM as RESIDUAL_SUM
from bnnsim.design.tensor import Shape as Shape
from bnnsim.design.tensor import Tensor as Tensor
from bnnsim.spec.faults import Fault, SpecError, near_names
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.spec.value_type import BIPOLAR, ValueType, integer_type
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    ConvBase,
    FixedLinearLayer,
    GatedConvLayer,
    Layer,
    LinearLayer,
    MaxPoolLayer,
    MeanPoolLayer,
    PreluLayer,
    ThresholdLayer,
    WeightedLayer,
    Workload,
)

INPUT = "input"


@dataclass(frozen=True)
class Node:
    """One layer with its resolved inputs and output.

    ``sum_type`` is the value set of the integer sum before any activation (weighted, threshold and
    add layers); ``pad_value`` the resolved border value of a convolution.
    """

    layer: Layer
    inputs: tuple[str, ...]
    input_tensors: tuple[Tensor, ...]
    output: Tensor
    sum_type: ValueType
    pad_value: int = 0

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def input(self) -> Tensor:
        """The first input."""
        return self.input_tensors[0]

    @property
    def matrix_height(self) -> int:
        """Rows of the layer's weight matrix (of one group): output channels."""
        assert isinstance(self.layer, WeightedLayer)
        return self.layer.out // self.groups

    @property
    def matrix_width(self) -> int:
        """Columns of the layer's weight matrix (of one group): kernel * channels."""
        if isinstance(self.layer, ConvBase):
            height, width = self.layer.kernel_hw
            return height * width * self.input.channels // self.groups
        return self.input.elements

    @property
    def groups(self) -> int:
        return self.layer.groups if isinstance(self.layer, ConvBase) else 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates a frame, padded taps included."""
        if not isinstance(self.layer, WeightedLayer):
            return 0
        return self.matrix_height * self.matrix_width * self.groups * self.output.pixels

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weight array in the weights file."""
        if isinstance(self.layer, ConvBase):
            channels = self.input.channels // self.groups
            return (self.layer.out, channels, *self.layer.kernel_hw)
        return (self.matrix_height, self.matrix_width)

    @property
    def threshold_count(self) -> int:
        """Thresholds a channel; 0 without activation."""
        activation = getattr(self.layer, "activation", None)
        if activation is None or activation.type.is_residual:
            return 0
        return int(activation.type.levels - 1)


@dataclass(frozen=True)
class Network:
    """A workload as a graph in topological order.

    ``nodes`` maps layer names to nodes, every node behind its inputs; the file's order is kept where
    the graph leaves a choice. ``output`` names the one layer that nothing reads.
    """

    workload: Workload
    input: Tensor
    nodes: Mapping[str, Node]
    output: str

    def tensor(self, name: str) -> Tensor:
        """What layer ``name`` (or ``input``) puts out."""
        return self.input if name == INPUT else self.nodes[name].output

    @cached_property
    def consumers(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """For every edge source the (layer, input position) pairs that read it, in order."""
        readers: dict[str, list[tuple[str, int]]] = {INPUT: [], **{n: [] for n in self.nodes}}
        for node in self.nodes.values():
            for position, source in enumerate(node.inputs):
                readers[source].append((node.name, position))
        return {name: tuple(entries) for name, entries in readers.items()}

    @property
    def macs(self) -> int:
        """Multiply-accumulates a frame; two operations each."""
        return sum(node.macs for node in self.nodes.values())


def resolve_network(workload: Loaded[Workload] | Workload) -> Network:
    """Work out shapes and types. Raises :class:`SpecError` with every fault found."""
    loaded = workload if isinstance(workload, Loaded) else from_spec(workload)
    network, faults = check_network(loaded)
    if faults or network is None:
        raise SpecError([*loaded.faults, *faults])
    return network


def check_network(loaded: Loaded[Workload]) -> tuple[Network | None, list[Fault]]:
    """As :func:`resolve_network`, with the faults returned; the network is None where they bar it."""
    return _Resolver(loaded).run()


class _Resolver:
    """Walks the layers once in topological order, gathering faults."""

    def __init__(self, loaded: Loaded[Workload]) -> None:
        self.spec = loaded.spec
        self.source = loaded.source
        self.faults: list[Fault] = []
        self.position = {layer.name: i for i, layer in enumerate(self.spec.layers)}

    def run(self) -> tuple[Network | None, list[Fault]]:
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
        if len(ends) != 1:
            path: tuple[str | int, ...] = ("layers", self.position[ends[0]]) if ends else ("layers",)
            self.faults.append(
                self.source.fault(
                    path, "one layer that no other reads (the output)", ", ".join(ends) or "none"
                )
            )
        if self.faults:
            return None, self.faults
        return Network(self.spec, frame, nodes, ends[0]), []

    def _fault(
        self, index: int, key: str, expected: str, got: str, near: tuple[str, ...] = ()
    ) -> None:
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
            if not self._holds(spec.type, spec.pad_value):
                self.faults.append(
                    self.source.fault(("input", "pad_value"), f"a value of {spec.type}", spec.pad_value)
                )
            shape = [spec.pad_to]
        channels, height, width = shape if len(shape) == 3 else (shape[0], 1, 1)
        return Tensor((channels, height, width), spec.type)

    @staticmethod
    def _holds(value_type: ValueType, value: int) -> bool:
        if value_type.is_bipolar:
            return value in (-1, 1)
        return value_type.minimum <= value <= value_type.maximum

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
            joins = isinstance(layer, AddLayer | ConcatLayer | GatedConvLayer)
            if joins and len(names) < 2:
                self._fault(i, "inputs", "two or more layers", f"{len(names)}")
            if isinstance(layer, GatedConvLayer) and len(names) > 2:
                self._fault(i, "inputs", "two layers, x and shortcut", f"{len(names)}")
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
            ready = [layer for layer in waiting if all(n in done for n in inputs[layer.name])]
            if not ready:
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
            first = ready[0]
            order.append(first)
            done.add(first.name)
            waiting.remove(first)
        return order

    def _node(
        self, layer: Layer, names: tuple[str, ...], tensors: dict[str, Tensor]
    ) -> Node | None:
        given = tuple(tensors[name] for name in names)
        index = self.position[layer.name]
        before = len(self.faults)
        if isinstance(layer, ConvBase):
            result = self._conv(index, layer, given[0], given[-1])
        elif isinstance(layer, FixedLinearLayer):
            result = fixed_linear(partial(self._fault, index), layer, given[0])
        elif isinstance(layer, AffineLayer | PreluLayer):
            result = Tensor(given[0].shape, layer.type), given[0].type, 0
        elif isinstance(layer, MeanPoolLayer):
            result = mean_pool(partial(self._fault, index), layer, given[0])
        elif isinstance(layer, LinearLayer):
            result = self._weighted(index, layer, given[0], given[0].elements, (layer.out, 1, 1), -1)
        elif isinstance(layer, ThresholdLayer):
            if given[0].type.is_bipolar:
                self._fault(index, "inputs", "integer sums", "bipolar bits, which have no sum")
            result = (
                Tensor(given[0].shape, layer.activation.type),
                given[0].type,
                0,
            )
        elif isinstance(layer, MaxPoolLayer | AveragePoolLayer):
            result = self._pool(index, layer, given[0])
        elif isinstance(layer, AddLayer):
            result = self._add(index, names, given)
        else:
            result = self._concat(index, names, given)
        if len(self.faults) > before or result is None:
            return None
        output, sum_type, pad_value = result
        return Node(layer, names, given, output, sum_type, pad_value)

    def _conv(
        self, index: int, layer: ConvBase, given: Tensor, shortcut: Tensor
    ) -> tuple[Tensor, ValueType, int] | None:
        channels, height, width = given.shape
        top, left, bottom, right = layer.pad_tlbr
        if channels % layer.groups or layer.out % layer.groups:
            self._fault(
                index,
                "groups",
                f"a divisor of {channels} input and {layer.out} output channels",
                str(layer.groups),
            )
            return None
        sizes = []
        padded = (height + top + bottom, width + left + right)
        for axis, extent, kernel, dilation, stride in zip(
            ("height", "width"),
            padded,
            layer.kernel_hw,
            layer.dilation_hw,
            layer.stride_hw,
            strict=True,
        ):
            reach = (kernel - 1) * dilation + 1
            if reach > extent:
                self._fault(
                    index, "kernel", f"a window within the padded {axis} of {extent}", f"{reach}"
                )
                return None
            sizes.append((extent - reach) // stride + 1)
        default_pad = -1 if given.type.is_bipolar else 0
        pad_value = default_pad if layer.pad_value is None else layer.pad_value
        if not (self._holds(given.type, pad_value) or pad_value == 0):
            self._fault(index, "pad_value", f"0 or a value of {given.type}", str(pad_value))
        columns = channels // layer.groups * layer.kernel_hw[0] * layer.kernel_hw[1]
        shape = (layer.out, sizes[0], sizes[1])
        if isinstance(layer, GatedConvLayer):
            return gated_conv(
                partial(self._fault, index), layer, given, shortcut, columns, shape
            )
        has_border = any(layer.pad_tlbr)
        if layer.accumulator == "popcount" and has_border and pad_value == 0:
            self._fault(index, "accumulator", "dot where the border is a true zero", "popcount")
        return self._weighted(index, layer, given, columns, shape, pad_value if has_border else -1)

    def _weighted(
        self,
        index: int,
        layer: WeightedLayer,
        given: Tensor,
        columns: int,
        shape: Shape,
        pad_value: int,
    ) -> tuple[Tensor, ValueType, int]:
        if given.type.is_residual or (layer.activation and layer.activation.type.is_residual):
            return residual_layer(partial(self._fault, index), layer, shape, pad_value)
        binary = layer.weight.is_bipolar and given.type.is_bipolar
        if layer.accumulator == "popcount":
            if not binary:
                self._fault(
                    index,
                    "accumulator",
                    "dot where weights or inputs are not bipolar",
                    f"popcount of {given.type} with {layer.weight} weights",
                )
            low, high = 0, columns
        else:
            products = [
                w * x
                for w in (layer.weight.minimum, layer.weight.maximum)
                for x in (given.type.minimum, given.type.maximum)
            ]
            low, high = columns * min(products), columns * max(products)
        sum_type = integer_type(low, high)
        output = layer.activation.type if layer.activation else sum_type
        return Tensor(shape, output), sum_type, pad_value

    def _pool(
        self, index: int, layer: MaxPoolLayer | AveragePoolLayer, given: Tensor
    ) -> tuple[Tensor, ValueType, int] | None:
        channels, height, width = given.shape
        if isinstance(layer, AveragePoolLayer) and not given.type.is_bipolar:
            self._fault(index, "op", "max_pool, or a majority over bipolar bits", f"{given.type} input")
            return None
        if layer.kernel == "global":
            return Tensor((channels, 1, 1), BIPOLAR), BIPOLAR, 0
        stride = layer.stride or layer.kernel
        if layer.kernel > min(height, width):
            self._fault(
                index, "kernel", f"at most {min(height, width)} (the map's side)", str(layer.kernel)
            )
            return None
        size = tuple((extent - layer.kernel) // stride + 1 for extent in (height, width))
        return Tensor((channels, size[0], size[1]), given.type), given.type, 0

    def _add(
        self, index: int, names: tuple[str, ...], given: tuple[Tensor, ...]
    ) -> tuple[Tensor, ValueType, int] | None:
        for name, tensor in zip(names[1:], given[1:], strict=True):
            if tensor.shape != given[0].shape:
                self._fault(
                    index,
                    "inputs",
                    f"the shape {list(given[0].shape)} of {names[0]}",
                    f"{list(tensor.shape)} from {name}",
                )
                return None
        low = sum(tensor.type.minimum for tensor in given)
        high = sum(tensor.type.maximum for tensor in given)
        sum_type = _spanning([tensor.type for tensor in given], low, high)
        return Tensor(given[0].shape, sum_type), sum_type, 0

    def _concat(
        self, index: int, names: tuple[str, ...], given: tuple[Tensor, ...]
    ) -> tuple[Tensor, ValueType, int] | None:
        for name, tensor in zip(names[1:], given[1:], strict=True):
            if tensor.shape[1:] != given[0].shape[1:] or not _joins(tensor.type, given[0].type):
                self._fault(
                    index,
                    "inputs",
                    f"maps of {given[0].shape[1]} x {given[0].shape[2]} {given[0].type}"
                    f" as from {names[0]}",
                    f"{tensor.shape[1]} x {tensor.shape[2]} {tensor.type} from {name}",
                )
                return None
        channels = sum(tensor.channels for tensor in given)
        types = [tensor.type for tensor in given]
        joined = types[0]
        if any(one != joined for one in types):
            low, high = min(one.minimum for one in types), max(one.maximum for one in types)
            joined = _spanning(types, low, high)
        return Tensor((channels, *given[0].shape[1:]), joined), joined, 0


def _joins(one: ValueType, other: ValueType) -> bool:
    """Whether one stream can carry both: equal types, or integers with the same point."""
    numbers = ("uint", "int", "fixed")
    if one.kind not in numbers or other.kind not in numbers:
        return one == other
    return one.fraction_bits == other.fraction_bits


def _spanning(types: list[ValueType], low: int, high: int) -> ValueType:
    """The smallest type for ``low .. high`` that keeps the point which all ``types`` share."""
    plain = integer_type(low, high)
    fractions = {one.fraction_bits for one in types}
    fraction = fractions.pop()
    if fractions or fraction == 0:
        return plain
    return ValueType("fixed", plain.bits + (not plain.is_signed), fraction)
