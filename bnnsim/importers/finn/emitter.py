"""An ONNX graph of standard and QONNX operators while it is made from FINN's nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bnnsim.importers.finn.nodes import DataflowNode, resolved
from bnnsim.importers.onnx.graph import CHANNELS_LAST, QONNX, Array


@dataclass(frozen=True)
class WindowOf:
    """What a sliding window (or an Im2Col) says of the map ``tensor`` that it walks.

    ``channel_major``: its columns run channel by channel, as a depthwise Im2Col writes them; else
    kernel row, kernel column, channel.
    """

    tensor: str
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    depthwise: bool = False
    channel_major: bool = False

    @property
    def attributes(self) -> dict[str, Any]:
        """As a convolution has them."""
        return {
            "kernel_shape": list(self.kernel),
            "strides": list(self.stride),
            "dilations": list(self.dilation),
            "pads": list(self.pads),
        }


@dataclass
class Emitter:
    """Operators so far, and what is known of tensors.

    Maps have their channels last. ``alias`` says which tensor another is a copy of; ``windows`` which
    are windows over a map; ``ranks`` how many dimensions a tensor has, batch included.
    """

    constants: dict[str, Array]
    opset: int
    nodes: list[Any] = field(default_factory=list)
    initializers: list[Any] = field(default_factory=list)
    alias: dict[str, str] = field(default_factory=dict)
    windows: dict[str, WindowOf] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    copies: dict[str, list[str]] = field(default_factory=dict)
    """Tensors that hold another's numbers in another shape, or as bits."""
    count: int = 0

    def op(
        self,
        node: DataflowNode,
        kind: str,
        inputs: Sequence[str],
        output: str = "",
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Append an operator; returns the name of its (first) output."""
        from onnx import helper

        self.count += 1
        name = output or f"{node.name}/{kind}{self.count}"
        made = helper.make_node(
            kind, inputs, [name], name=f"{node.name}/{self.count}", domain=domain, **attributes
        )
        self.nodes.append(made)
        return name

    def renamed(self, name: str, node: DataflowNode) -> str:
        """``name``, which the last operator has made, under the node's own name for it."""
        last = self.nodes[-1] if self.nodes else None
        own = node.outputs[0] if node.outputs else ""
        if last is None or not own or name in self.copies:
            return name
        if name != last.output[0] or not name.startswith(f"{node.name}/"):
            return name
        last.output[0] = own
        if name in self.ranks:
            self.ranks[own] = self.ranks[name]
        return own

    def constant(self, node: DataflowNode, role: str, values: Any, dtype: Any = np.float32) -> str:
        """The name of a new constant of ``node``, in whose name its ``role`` stands."""
        from onnx import numpy_helper

        self.count += 1
        name = f"{node.name}/{role}{self.count}"
        array = np.asarray(values, dtype)
        self.initializers.append(numpy_helper.from_array(array, name))
        self.constants[name] = array
        return name

    def array(self, node: DataflowNode, position: int, role: str) -> Array:
        """The constant at an input. Raises :class:`InputError` where there is none."""
        name = node.inputs[position] if position < len(node.inputs) else ""
        found = self.constants.get(resolved(name, self.alias))
        if found is None:
            raise node.fault(f"a constant as its {role} (input {position})", name or "nothing")
        return found

    def data(self, node: DataflowNode, position: int = 0) -> str:
        """The tensor at an input that is data, and no window."""
        if position >= len(node.inputs) or not node.inputs[position]:
            raise node.fault(f"data at input {position}", "nothing")
        name = resolved(node.inputs[position], self.alias)
        if name in self.windows:
            raise node.fault("a map or a vector", "windows over a map")
        return name

    def shaped(self, node: DataflowNode, name: str, shape: Sequence[int]) -> str:
        """``name`` as a tensor of this shape (batch left out): a vector of a map, or a map of one
        pixel."""
        if self.ranks.get(name) == len(shape) + 1:
            return name
        sizes = self.constant(node, "shape", [1, *shape], np.int64)
        result = self.op(node, "Reshape", [name, sizes])
        self.ranks[result] = len(shape) + 1
        self.copies.setdefault(name, []).append(result)
        return result

    def affine(self, node: DataflowNode, name: str, gain: float, offset: float) -> str:
        """``gain * name + offset``."""
        rank = self.ranks.get(name, 0)
        scaled = self.op(node, "Mul", [name, self.constant(node, "gain", gain)])
        result = self.op(node, "Add", [scaled, self.constant(node, "offset", offset)])
        self.ranks[result] = rank
        self.copies.setdefault(name, []).append(result)
        return result

    def held(self, name: str) -> tuple[str, ...]:
        """``name`` and all tensors that hold the same numbers."""
        found = [name]
        for one in found:
            found += self.copies.get(one, [])
        return tuple(found)

    def thresholds(self, node: DataflowNode, name: str, table: Array, output: str) -> str:
        """What an activation puts out: levels from ``ActVal`` on, or -1 and +1 where bipolar."""
        bipolar = node.text("outputDataType") == "BIPOLAR"
        rank = self.ranks.get(name, 2)
        if table.ndim != 2:
            raise node.fault("thresholds of shape [channels or 1, levels]", list(table.shape))
        result = self.op(
            node,
            "MultiThreshold",
            [name, self.constant(node, "thresholds", table)],
            output,
            QONNX,
            out_scale=2.0 if bipolar else 1.0,
            out_bias=-1.0 if bipolar else float(node.number("ActVal", 0)),
            out_dtype=node.text("outputDataType"),
            data_layout={2: "NC", 3: "NWC", 4: "NHWC"}.get(rank, "NC"),
        )
        self.ranks[result] = rank
        return result

    def conv(self, node: DataflowNode, window: WindowOf, weights: Array, groups: int = 1) -> str:
        """A convolution of the window's map; ``weights`` ``(out, kh, kw, in / groups)``."""
        result = self.op(
            node,
            "Conv",
            [window.tensor, self.constant(node, "weights", weights)],
            domain=CHANNELS_LAST,
            group=groups,
            **window.attributes,
        )
        self.ranks[result] = 4
        return result
