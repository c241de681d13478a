"""Which network a parameter folder holds: one of BNN-PYNQ's, at the precision of its files, or one's own.

An own topology is a workload's file (without weights): its layers with thresholds or scores, in the
order of the files. The files do not say how many bits a weight has or how many thresholds a row: of
BNN-PYNQ's own networks their sizes and the bits in use tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.design.network.network import Network, Node, resolve_network
from bnnsim.importers.bnn_pynq.folder import MatrixSize, ParameterFolder, highest_bit, stored_words
from bnnsim.spec.faults import InputError, near_names
from bnnsim.spec.load import load_workload
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import ConvLayer, Layer, LinearLayer, WeightedLayer, Workload

_WITHOUT_PARAMETERS = ("max_pool", "average_pool", "sum_pool", "add", "concat")


@dataclass(frozen=True)
class Precision:
    """Bits of weights and of activations, each 1 or 2: W1A1, W1A2, W2A2."""

    weight_bits: int = 1
    activation_bits: int = 1

    def __str__(self) -> str:
        return f"W{self.weight_bits}A{self.activation_bits}"

    @property
    def is_binary(self) -> bool:
        return self.weight_bits == self.activation_bits == 1

    def layer(self, name: str, op: str, out: int, accumulator: str = "popcount") -> dict[str, Any]:
        """A layer with thresholds: bits, or of two thresholds -1, 0 and +1."""
        activation: dict[str, Any] = {"type": "bipolar", "compare": ">"}
        if self.activation_bits == 2:
            activation |= {"type": "int2", "lowest": -1, "highest": 1}
        return {**self.scores(name, op, out, accumulator), "activation": activation}

    def scores(self, name: str, op: str, out: int, accumulator: str = "popcount") -> dict[str, Any]:
        """A layer whose sums leave it. Popcounts are counted where weights and inputs are bits."""
        counts = accumulator if self.is_binary else "dot"
        weight = {} if self.weight_bits == 1 else {"weight": f"int{self.weight_bits}"}
        return {"name": name, "op": op, "out": out, "accumulator": counts, **weight}


def cnv(name: str, precision: Precision) -> Workload:
    """3x3 convolutions without padding, max pools, fully connected layers; no thresholds last."""

    def conv(layer: str, out: int, accumulator: str = "popcount") -> dict[str, Any]:
        return {**precision.layer(layer, "conv", out, accumulator), "kernel": 3}

    def pool(layer: str) -> dict[str, Any]:
        return {"name": layer, "op": "max_pool", "kernel": 2}

    return Workload.model_validate(
        {
            "name": name,
            "input": {"shape": [3, 32, 32], "type": "fixed8.7", "image_range": [-1.0, 1.0]},
            "layers": [
                conv("conv0", 64, "dot"),
                conv("conv1", 64),
                pool("pool1"),
                conv("conv2", 128),
                conv("conv3", 128),
                pool("pool3"),
                conv("conv4", 256),
                conv("conv5", 256),
                precision.layer("fc0", "linear", 512),
                precision.layer("fc1", "linear", 512),
                precision.scores("fc2", "linear", 64),
            ],
        }
    )


def lfc(name: str, precision: Precision) -> Workload:
    """Four fully connected layers; the last has one threshold a row: a bit a class.

    784 input bits are padded with zeros to 832 (13 words of 64), which the weights know.
    """
    layers = [precision.layer(f"fc{i}", "linear", 1024) for i in range(3)]
    last = precision.scores("fc3", "linear", 64)
    return Workload.model_validate(
        {
            "name": name,
            "input": {
                "shape": [784],
                "type": "bipolar",
                "image_range": [-1.0, 1.0],
                "pad_to": 832,
                "pad_value": -1,
            },
            "layers": [*layers, {**last, "activation": {"type": "bipolar", "compare": ">"}}],
        }
    )


TOPOLOGIES: Mapping[str, Callable[[str, Precision], Workload]] = {"cnv": cnv, "lfc": lfc}


def own_topology(path: str) -> Workload:
    """The workload of a topology's file, with the hardware's rules where it says none.

    The hardware fires on ``sum > threshold`` and counts equal bits where weights, inputs and outputs are
    bits. Raises :class:`SpecError` for the file's faults, :class:`InputError` where there is none or a
    layer takes parameters that parameter folders do not hold.
    """
    if not Path(path).is_file():
        expected = " or ".join(TOPOLOGIES) + ", or a workload's file"
        raise InputError("topology", expected, repr(path), near_names(path, TOPOLOGIES))
    workload = load_workload(path).spec
    layers = [_as_built(path, node) for node in resolve_network(workload).nodes.values()]
    return workload.model_copy(update={"layers": layers, "weights": None, "images": None})


def _as_built(path: str, node: Node) -> Layer:
    layer = node.layer
    if layer.op in _WITHOUT_PARAMETERS:
        return layer
    place = f"{path}: layers.{node.name}"
    if not isinstance(layer, ConvLayer | LinearLayer):
        raise InputError(place, f"conv, linear, {', '.join(_WITHOUT_PARAMETERS)}", layer.op)
    if not _weight_bits(layer.weight):
        raise InputError(place, "bipolar or intN weights", str(layer.weight))
    said, changes = layer.model_fields_set, dict[str, object]()
    outputs = layer.activation
    if "accumulator" not in said:
        kinds = [layer.weight, node.input.type, *([outputs.type] if outputs else [])]
        changes["accumulator"] = "popcount" if all(one.is_bipolar for one in kinds) else "dot"
    if outputs is not None and "compare" not in outputs.model_fields_set:
        changes["activation"] = outputs.model_copy(update={"compare": ">"})
    return layer.model_copy(update=changes)


def layer_count(topology: str) -> int:
    """How many layers of a named topology have weights."""
    return len(matrix_sizes(resolve_network(TOPOLOGIES[topology]("_", Precision()))))


def matrix_sizes(network: Network) -> list[MatrixSize]:
    """The matrices of a network's layers, in their order."""
    return [
        MatrixSize(
            node.name,
            node.matrix_height,
            node.matrix_width,
            node.threshold_count,
            _weight_bits(node.layer.weight),
        )
        for node in network.nodes.values()
        if isinstance(node.layer, WeightedLayer)
    ]


def _weight_bits(kind: ValueType) -> int:
    """Bits of a weight in a file's word; 0 for types that are not stored so."""
    if kind.is_bipolar:
        return 1
    return kind.bits if kind.kind == "int" else 0


def told_precision(folder: ParameterFolder, sizes: Sequence[MatrixSize]) -> Precision:
    """The precision of a folder of one of BNN-PYNQ's topologies, whose matrices ``sizes`` tells.

    Activations: two thresholds a row in the first layer's files. Weights: more bits in use than a word
    has columns. What cannot be told (files that are missing or damaged) counts as 1 bit.
    """
    activation_bits = weight_bits = 1
    for index, size in enumerate(sizes):
        pes, words = stored_words(folder, index, size)
        if not pes:
            continue
        folds = size.rows // pes
        if index == 0 and words["thres"] == 2 * folds:
            activation_bits = 2
        columns = size.columns * folds
        is_whole = words["weights"] and columns % words["weights"] == 0
        if is_whole and highest_bit(folder, index) > columns // words["weights"]:
            weight_bits = 2
    return Precision(weight_bits, activation_bits)
