"""What an engine's transfers carry: the elements of weights and maps in the order in which they go.

A transfer brings the part of its tensor that the loops around it have left, its own loops' dimensions
outermost first, all others behind them; a map pixel by pixel, channel fastest. Where that is more than a
transfer takes, the next one with the same loops goes on with it; what is left of the last word is zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.engine.frame import EngineFrame, narrow
from bnnsim.datapath.engine.kernel import DIMENSIONS
from bnnsim.datapath.engine.stages import Values
from bnnsim.datapath.words import pack_rows
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.kept_maps import KeptMaps
from bnnsim.design.engine.passing import origins, parts_of, passed_maps, sources
from bnnsim.design.engine.program import Beside, LayerProgram, Op, Repeat, Transfer, Work
from bnnsim.design.network.network import INPUT, Node
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import ConvBase, WeightedLayer

_WEIGHTS = ("groups", "out_channels", "in_channels", "kernel_rows", "kernel_columns")
_MAP = ("rows", "columns", "channels")
_AS = {
    **dict.fromkeys(("rows", "in_rows", "out_rows"), "rows"),
    **dict.fromkeys(("columns", "in_columns", "out_columns"), "columns"),
    **dict.fromkeys(("in_channels", "out_channels"), "channels"),
}
"""A transfer's loops as axes of a map."""


def placed(
    ops: Sequence[Op], bounds: Integers, is_new: bool = True
) -> Iterator[tuple[Work | Transfer, Integers, bool]]:
    """Every operation in the order of time, with the bounds where it happens, int64 ``(9, 2)``, and
    whether its loops have indices there that are kept and were not there before."""
    for op in ops:
        if isinstance(op, Repeat):
            for turn in product(*(range(loop.trips) for loop in op.loops)):
                inner = bounds.copy()
                kept = [narrow(inner, loop, i) for loop, i in zip(op.loops, turn, strict=True)]
                yield from placed(op.body, inner, is_new and all(kept))
        elif isinstance(op, Beside):
            for branch in op.branches:
                yield from placed(branch, bounds, is_new)
        else:
            yield op, bounds, is_new


def bounds_of(part: LayerProgram) -> Integers:
    """Start and stop of every dimension of a part of the frame; of the frame's own steps all 0."""
    return np.array([(0, part.extents.get(name, 0)) for name in DIMENSIONS], np.int64)


@dataclass(frozen=True)
class Carried:
    """The words of one transfer, first word first; the first ``bits`` of them are elements, ``per_word``
    of them in a word (0: one behind the other, across words)."""

    what: str
    words: tuple[int, ...]
    bits: int
    per_word: int
    element_bits: int


@dataclass
class Contents:
    """What one frame's transfers carry, asked in the order of time of each mover."""

    design: EngineDesign
    parameters: Mapping[str, Values]
    frame: EngineFrame
    _at: dict[str, tuple[object, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spec, network = self.design.architecture, self.design.network
        self.parts = {part.name: part for part in parts_of(spec, self.design.program.parts)}
        self.made_in = {name: part for part in self.parts.values() for name in part.layers}
        maps = KeptMaps(spec, network, tuple(self.parts.values()))
        self.stored = {
            one.name
            for one in passed_maps(network, tuple(self.parts.values()))
            if any(maps.is_spilled(one, reader) for reader in one.readers)
        }

    def carried(self, part: LayerProgram, op: Transfer, bounds: Integers) -> Carried:
        """The words of ``op`` in ``part``, where its loops leave ``bounds``."""
        what, bits, element_bits = self._elements(part, op, bounds)
        width = self.design.architecture.ports[op.port].width_bits
        mover = f"{op.buffer}.{op.direction}"
        key = (part.name, op.payload, bounds.tobytes())
        before, at = self._at.get(mover, (None, 0))
        at = at if before == key and at < len(bits) else 0
        left = bits[at:]
        per_word = 0
        whole = width // element_bits if element_bits else 0
        count = len(left) // element_bits if element_bits else 0
        if whole and count and op.words == -(-count // whole) != -(-len(left) // width):
            per_word = whole
            rows = np.zeros((op.words, width), np.uint8)
            spread = np.zeros((op.words, whole * element_bits), np.uint8)
            spread.reshape(-1)[: len(left)] = left
            rows[:, : whole * element_bits] = spread
        else:
            rows = np.zeros((op.words, width), np.uint8)
            left = left[: op.words * width]
            rows.reshape(-1)[: len(left)] = left
        self._at[mover] = (key, at + len(left))
        words = tuple(pack_rows(rows.astype(np.int64), 1))
        return Carried(what, words, len(left), per_word, element_bits)

    def _elements(
        self, part: LayerProgram, op: Transfer, bounds: Integers
    ) -> tuple[str, Integers, int]:
        """What is carried, its bits in their order, and bits of an element (0: of several kinds)."""
        if op.payload == "weights":
            return self._weights(part, op, bounds)
        if op.payload == "thresholds" or not (maps := self._maps(part, op)):
            return op.payload, np.zeros(0, np.uint8), 0
        pieces = [self._map(name, part, op, bounds) for name in maps]
        widths = {self._type(name).bits for name in maps}
        what = " and ".join(text for text, _ in pieces)
        bits = np.concatenate([found for _, found in pieces])
        return what, bits, widths.pop() if len(widths) == 1 else 0

    def _weights(
        self, part: LayerProgram, op: Transfer, bounds: Integers
    ) -> tuple[str, Integers, int]:
        node = self.design.network.nodes.get(part.name)
        if node is None or not isinstance(node.layer, WeightedLayer):
            return "weights", np.zeros(0, np.uint8), 0
        values = self.parameters[node.name]["weights"].astype(np.int64)
        values = values if isinstance(node.layer, ConvBase) else values[:, :, None, None]
        values = values.reshape(node.groups, -1, *values.shape[1:])
        ranges = {name: bounds[DIMENSIONS.index(name)] for name in _WEIGHTS}
        chosen = values[tuple(slice(*ranges[name]) for name in _WEIGHTS)]
        first = [loop.dimension for loop in op.loops if loop.dimension in _WEIGHTS]
        order = [*dict.fromkeys(first), *(name for name in _WEIGHTS if name not in first)]
        ordered = chosen.transpose([_WEIGHTS.index(name) for name in order])
        said = ", ".join(f"{name} {a}:{b}" for name, (a, b) in ranges.items())
        bits = node.layer.weight.bits
        return f"weights of {node.name} [{said}]", _bits(ordered, bits), bits

    def _maps(self, part: LayerProgram, op: Transfer) -> list[str]:
        """The maps that a transfer is of."""
        network, here = self.design.network, self.parts[part.name]
        if op.payload == "image":
            return [INPUT]
        if op.direction == "store":
            made = [name for name in part.layers if name in self.stored]
            results = [o for out in network.outputs for o in origins(network, self.made_in, out)]
            if not part.layers:
                return results
            return made or [name for name in part.layers if name in results] or [part.layers[-1]]
        operand = list(origins(network, self.made_in, network.nodes[part.name].inputs[0]))
        if op.payload == "activations":
            return operand
        others = [name for name in sources(network, self.made_in, here) if name not in operand]
        return others or operand

    def _map(
        self, name: str, part: LayerProgram, op: Transfer, bounds: Integers
    ) -> tuple[str, Integers]:
        values = self.frame.outputs[name]
        ranges = {"channels": (0, values.shape[0]), "rows": (0, values.shape[1])}
        if part.extents:
            reads = op.direction == "load" and op.payload in ("activations", "image")
            found = self._read(part, bounds) if reads else self._written(part, bounds)
            whole = self._read(part, bounds_of(part)) if reads else self._written(part, bounds_of(part))
            for axis, i in (("channels", 0), ("rows", 1)):
                if whole[axis] == (0, values.shape[i]):
                    ranges[axis] = found[axis]
        ranges["columns"] = (0, values.shape[2])
        channels, rows = (slice(*ranges[axis]) for axis in ("channels", "rows"))
        chosen = values[channels, rows].transpose(1, 2, 0)
        first = [_AS[loop.dimension] for loop in op.loops if loop.dimension in _AS]
        order = [*dict.fromkeys(first), *(axis for axis in _MAP if axis not in first)]
        kind = self._type(name)
        elements = (chosen + 1) // 2 if kind.is_bipolar else chosen
        ordered = elements.transpose([_MAP.index(axis) for axis in order])
        called = "image" if name == INPUT else name
        said = ", ".join(f"{axis} {a}:{b}" for axis, (a, b) in ranges.items())
        return f"{called} [{said}]", _bits(ordered, kind.bits)

    def _type(self, name: str) -> ValueType:
        return self.design.network.tensor(name).type

    def _read(self, part: LayerProgram, bounds: Integers) -> dict[str, tuple[int, int]]:
        """Channels and rows of its operand that a layer reads within ``bounds``."""
        node = self.design.network.nodes[part.name]
        channels = _of_groups(bounds, "in_channels", part.extents["in_channels"])
        rows = (0, node.input.shape[1])
        if isinstance(node.layer, ConvBase):
            rows = _rows_read(node, bounds, part)
        elif isinstance(node.layer, WeightedLayer):
            channels = (0, node.input.shape[0])
        return {"channels": channels, "rows": rows}

    def _written(self, part: LayerProgram, bounds: Integers) -> dict[str, tuple[int, int]]:
        start, stop = bounds[DIMENSIONS.index("rows")]
        return {
            "channels": _of_groups(bounds, "out_channels", part.extents["out_channels"]),
            "rows": (int(start), int(stop)),
        }


def _of_groups(bounds: Integers, dimension: str, size: int) -> tuple[int, int]:
    groups, own = bounds[DIMENSIONS.index("groups")], bounds[DIMENSIONS.index(dimension)]
    return int(groups[0] * size + own[0]), int((max(groups[1], groups[0] + 1) - 1) * size + own[1])


def _rows_read(node: Node, bounds: Integers, part: LayerProgram) -> tuple[int, int]:
    assert isinstance(node.layer, ConvBase)
    start, stop = (int(n) for n in bounds[DIMENSIONS.index("rows")])
    if (start, stop) == (0, part.extents["rows"]):
        return 0, node.input.shape[1]
    stride = node.layer.stride_hw[0] if part.extents["rows"] == node.output.shape[1] else 1
    reach = (node.layer.kernel_hw[0] - 1) * node.layer.dilation_hw[0] + 1
    first = start * stride - node.layer.pad_tlbr[0]
    last = (stop - 1) * stride - node.layer.pad_tlbr[0] + reach
    return max(0, first), min(node.input.shape[1], max(0, last))


def _bits(values: Integers, width: int) -> Integers:
    """Bits of ``values``, one element behind the other, lowest bit first, in two's complement."""
    flat = np.ascontiguousarray(values, np.int64).reshape(-1, 1)
    bits: Integers = ((flat >> np.arange(width)) & 1).astype(np.uint8).reshape(-1)
    return bits
