"""Shipped designs whose whole is too large for a test's simulator, on fewer channels: the same units."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.simulation import RunOptions, load_streaming_design
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from tests.hardware.benches import assert_equal, needs, run, write_benched

FEWER = 16
"""One channel stands for so many."""
DESIGNS = {
    "redkar": "cnv",
    "li-vx690t": "binarynet-streaming",
    "fo-bnn": "pc-bnn",
    "finn-cnv-max": "cnv",
    "finn-lfc-max": "mlp-1024",
}


def shrunken(name: str, workload_name: str) -> Design:
    """The shipped design with a sixteenth of the channels, as parallel as they allow."""
    architecture, workload = load_architecture(name).spec, load_workload(workload_name).spec
    assert isinstance(architecture, StreamingArchitecture)
    whole = build_streaming_design(architecture, workload)
    hardware = {}
    for layer_name, options in architecture.layers.items():
        node = whole.network.nodes[layer_name]
        changes: dict[str, Any] = {}
        if options.pe:
            has_matrix = options.simd is not None
            rows = node.matrix_height if has_matrix else node.output.channels
            changes["pe"] = math.gcd(options.pe, max(1, rows // FEWER))
        if options.simd:
            columns = node.matrix_width // (1 if node.inputs[0] == "input" else FEWER)
            changes["simd"] = math.gcd(options.simd, columns)
        hardware[layer_name] = options.model_copy(update=changes)
    layers = [
        layer.model_copy(update={"out": max(1, layer.out // FEWER)}) if hasattr(layer, "out") else layer
        for layer in workload.layers
    ]
    return build_streaming_design(
        architecture.model_copy(update={"layers": hardware}),
        workload.model_copy(update={"layers": layers}),
    )


def _forms(design: Design) -> set[tuple[str, str, str]]:
    """Kinds of units with their library and style; converters are where widths happen to differ."""
    return {
        (unit.kind, unit.library, getattr(unit.parameters, "style", ""))
        for unit in design.graph.units
        if unit.kind != "width_converter"
    }


@pytest.mark.long
@pytest.mark.parametrize("name", DESIGNS)
def test_a_shipped_design_of_fewer_channels_equals_the_simulation_in_hardware(
    name: str, tmp_path: Path
) -> None:
    needs("icarus")
    design = shrunken(name, DESIGNS[name])
    whole, _ = load_streaming_design(name, DESIGNS[name])
    assert _forms(design) == _forms(whole)
    write_benched(design, None, RunOptions(frames=1, weights_seed=1), tmp_path)
    assert_equal(run(tmp_path, "icarus"))
