"""The nodes that FINN would make of a network, where only its QONNX model is there.

Names and order are those of FINN 0.10: units of one type counted from 0 in the network's order, an HLS
MVAU where thresholds follow or bits come in, else FINN's RTL one. Whether a build has the same names
depends on its steps and version; a model behind ``step_specialize_layers`` says them exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from bnnsim.design.network.network import INPUT, Network, Node
from bnnsim.importers.finn.chain import Chain, NodeUnit
from bnnsim.importers.finn.nodes import DataflowNode, Library
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    AddLayer,
    ConcatLayer,
    ConvLayer,
    MaxPoolLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)


def predicted_chain(network: Network, file: str) -> Chain:
    """FINN's nodes of a network, PE and SIMD 1, each the unit that it is here."""
    maker = _Maker(network, file)
    for node in network.nodes.values():
        maker.layer(node)
    return maker.chain


class _Maker:
    def __init__(self, network: Network, file: str) -> None:
        self.network = network
        self.file = file
        self.chain = Chain({})
        self._counts: Counter[str] = Counter()
        self._open: dict[str, list[str]] = {}
        self._offer(INPUT, "global_in")

    def layer(self, node: Node) -> None:
        """The nodes of one layer, joined to those in front of it."""
        inputs = [self._take(name) for name in node.inputs]
        for kind, library, part, attributes in _units(node):
            output = f"{kind}_{len(self.chain.nodes)}_out0"
            inputs = [self._add(kind, library, node.name, part, inputs, [output], attributes)]
        self._offer(node.name, inputs[0])

    def _take(self, name: str) -> str:
        return self._open[name].pop(0)

    def _offer(self, name: str, tensor: str) -> None:
        readers = len(self.network.consumers[name]) + self.network.outputs.count(name)
        if readers <= 1:
            self._open[name] = [tensor]
            return
        channels = self.network.tensor(name).channels
        outputs = [f"{name}_split_out{i}" for i in range(readers)]
        attributes = {"PE": 1, "NumChannels": channels, "NumOutputStreams": readers}
        self._add("DuplicateStreams", "hls", name, "split", [tensor], outputs, attributes)
        self._open[name] = outputs

    def _add(
        self,
        kind: str,
        library: Library,
        layer: str,
        part: str,
        inputs: list[str],
        outputs: list[str],
        attributes: dict[str, Any],
    ) -> str:
        op_type = f"{kind}_{library}"
        name = f"{op_type}_{self._counts[op_type]}"
        self._counts[op_type] += 1
        said = {"backend": "fpgadataflow", **attributes}
        said |= {"inFIFODepths": (2,) * len(inputs), "outFIFODepths": (2,) * len(outputs)}
        place = f"{self.file}: {name}"
        node = DataflowNode(
            kind, op_type, name, library, tuple(inputs), tuple(outputs), said, place
        )
        self.chain.nodes[name] = node
        if part:
            self.chain.units[name] = NodeUnit(node, layer, part)
        return outputs[0]


_Unit = tuple[str, Library, str, dict[str, Any]]


def _units(node: Node) -> Iterator[_Unit]:
    layer, channels = node.layer, node.input.channels
    if isinstance(layer, WeightedLayer):
        yield from _weighted(node, layer)
    elif isinstance(layer, MaxPoolLayer):
        size = {"ImgDim": node.input.shape[1:], "PoolDim": (layer.kernel, layer.kernel)}
        yield "StreamingMaxPool", "hls", "pool", {"PE": 1, "NumChannels": channels, **size}
    elif isinstance(layer, ThresholdLayer):
        yield "Thresholding", "rtl", "threshold", {"PE": 1, "NumChannels": channels}
    elif isinstance(layer, AddLayer):
        yield "AddStreams", "hls", "add", {"PE": 1, "NumChannels": channels}
    elif isinstance(layer, TopKLayer):
        yield "LabelSelect", "hls", "label_select", {"PE": 1, "Labels": channels, "K": layer.k}
    elif isinstance(layer, ConcatLayer):
        yield "StreamingConcat", "hls", "concat", {}
    else:
        yield f"no node for {layer.op}", "", "", {}


def _weighted(node: Node, layer: WeightedLayer) -> Iterator[_Unit]:
    channels, height, width = node.input.shape
    types = {
        "inputDataType": _name(node.input.type),
        "weightDataType": _name(layer.weight),
        "outputDataType": _name(node.output.type),
    }
    depthwise = node.groups > 1
    kernel = (1, 1)
    if isinstance(layer, ConvLayer):
        kernel = layer.kernel_hw
        top, left, bottom, right = layer.pad_tlbr
        if any(layer.pad_tlbr):
            size = {"ImgDim": (height, width), "Padding": (top, left, bottom, right)}
            yield "FMPadding", "rtl", "pad", {"SIMD": 1, "NumChannels": channels, **size}
        if kernel != (1, 1) or layer.stride_hw != (1, 1) or any(layer.pad_tlbr) or depthwise:
            yield (
                "ConvolutionInputGenerator",
                "rtl",
                "window",
                {
                    "SIMD": 1,
                    "parallel_window": 0,
                    "ram_style": "distributed",
                    "IFMChannels": channels,
                    "IFMDim": (height + top + bottom, width + left + right),
                    "ConvKernelDim": kernel,
                    "Stride": layer.stride_hw,
                    "Dilation": layer.dilation_hw,
                    "depthwise": int(depthwise),
                    "inputDataType": types["inputDataType"],
                },
            )
    said = {"PE": 1, "SIMD": 1, "ram_style": "auto", "resType": "auto", **types}
    said |= {"mem_mode": "internal_decoupled", "runtime_writeable_weights": 0}
    if depthwise:
        yield "VVAU", "hls", "mvau", {**said, "Channels": channels, "Kernel": kernel}
        return
    binary = layer.weight.is_bipolar and node.input.type.is_bipolar
    library: Library = "hls" if node.threshold_count or binary else "rtl"
    sizes = {"MH": node.matrix_height, "MW": node.matrix_width}
    yield "MVAU", library, "mvau", {**said, **sizes}


def _name(kind: ValueType) -> str:
    """FINN's name of a type."""
    if kind.is_bipolar:
        return "BIPOLAR"
    return f"{'INT' if kind.is_signed else 'UINT'}{kind.bits}"
