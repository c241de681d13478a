"""What an import of BNN-PYNQ's parameter folder says of its layers: integers as the folder has them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from bnnsim.design.network.network import INPUT, Network
from bnnsim.files.boundary import foreign_file
from bnnsim.importers.draft.draft import NetworkDraft
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding, map_dimensions
from bnnsim.importers.onnx.lowering import FrameRule
from bnnsim.importers.onnx.network import LoweredModel, LoweredOutput
from bnnsim.reference.bnn_pynq_model import read_bnn_pynq_model
from bnnsim.reference.graph import ReferenceGraph


def folder_model(folder: Path, network: Network) -> tuple[ReferenceGraph, LoweredModel]:
    """The folder, read by the reference, and what the workload's layers are of it: integers as they are,
    sums of fixed-point pixels in the pixels' steps. Raises :class:`InputError`."""
    workload, nodes = network.workload, network.nodes
    shapes = {INPUT: network.input.shape, **{name: node.output.shape for name, node in nodes.items()}}
    with foreign_file(folder, "a folder of BNN-PYNQ parameters"):
        graph = read_bnn_pynq_model(folder, workload, shapes, network.outputs)
    steps = {INPUT: _step(network.input.type.fraction_bits)}
    for name, node in nodes.items():
        is_sum = node.threshold_count == 0
        steps[name] = steps[node.inputs[0]] if is_sum else Affine()
    bindings = {
        name: TensorBinding(name, ChannelFunction().then([step]), map_dimensions(*shapes[name]))
        for name, step in steps.items()
    }
    outputs = tuple(
        LoweredOutput(name, name, name, steps[name].gain, Fraction(0), "CHW", Fraction(0))
        for name in network.outputs
    )
    low, high = workload.input.image_range or (0.0, 1.0)
    assert not isinstance(low, list | tuple) and not isinstance(high, list | tuple)
    frame = FrameRule(None, (steps[INPUT],), Fraction(low), Fraction(high))
    draft = NetworkDraft(network.input.shape)
    return graph, LoweredModel(workload, {}, bindings, outputs, draft, {}, (), frame, False)


def _step(fraction_bits: int) -> Affine:
    return Affine(Fraction(1, 1 << fraction_bits))
