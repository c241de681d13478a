"""Random engines execute random networks bit by bit, whatever the order of their loops."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bnnsim.datapath.engine.frame import run_engine_frame
from bnnsim.design.build import build_engine_design
from bnnsim.design.design import EngineDesign
from bnnsim.design.network.network import INPUT, Node
from bnnsim.spec.workload import ConvLayer
from bnnsim.timing.engine.compiled import run_engine_compiled
from bnnsim.timing.engine.reference import run_engine_simpy
from tests.property.engine.specs import engines, networks

Ints = NDArray[Any]


@st.composite
def designs(draw: st.DrawFn) -> EngineDesign:
    workload = draw(networks())
    return build_engine_design(draw(engines(workload)), workload)


def plain_sums(node: Node, weights: Ints, x: Ints) -> Ints:
    """Sums by five loops over integers."""
    layer = node.layer
    signs = weights.astype(int) * 2 - 1
    if not isinstance(layer, ConvLayer):
        flat = x.transpose(1, 2, 0).reshape(-1)
        return (signs * flat).sum(axis=1)[:, None, None]
    channels, rows, columns = node.output.shape
    sums = np.zeros((channels, rows, columns), int)
    for out in range(channels):
        for row in range(rows):
            for column in range(columns):
                for ky in range(layer.kernel_hw[0]):
                    for kx in range(layer.kernel_hw[1]):
                        y = row * layer.stride_hw[0] + ky - layer.pad_tlbr[0]
                        z = column * layer.stride_hw[1] + kx - layer.pad_tlbr[1]
                        inside = 0 <= y < x.shape[1] and 0 <= z < x.shape[2]
                        taps = x[:, y, z] if inside else np.full(x.shape[0], node.pad_value)
                        sums[out, row, column] += int((signs[out, :, ky, kx] * taps).sum())
    return sums


@settings(max_examples=120)
@given(designs(), st.integers(0, 2**16))
def test_sums_in_any_tile_order_equal_five_plain_loops(design: EngineDesign, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parameters: dict[str, dict[str, Ints]] = {}
    for name, node in design.network.nodes.items():
        weights = rng.integers(0, 2, node.weight_shape, np.uint8)
        thresholds = rng.integers(-3, 4, (node.output.channels, 1))
        parameters[name] = {"weights": weights, "thresholds": thresholds}
    shape = design.network.input.shape
    frame = rng.integers(0, 2, shape) * 2 - 1
    if not design.network.input.type.is_bipolar:
        frame = rng.integers(-8, 8, shape)
    result = run_engine_frame(design, parameters, frame)
    x = frame
    assert np.array_equal(result.outputs[INPUT], frame)
    for name, node in design.network.nodes.items():
        sums = plain_sums(node, parameters[name]["weights"], x)
        np.testing.assert_array_equal(result.sums[name][0], sums)
        fires = sums >= parameters[name]["thresholds"][:, :, None]
        x = np.where(fires, 1, -1) if node.layer.op == "conv" else sums
        np.testing.assert_array_equal(result.outputs[name], x)


@settings(max_examples=60)
@given(designs(), st.integers(1, 3))
def test_compiled_form_equals_simpy_on_random_engines(design: EngineDesign, frames: int) -> None:
    program = design.program
    assert run_engine_compiled(program, frames) == run_engine_simpy(program, frames)


@settings(max_examples=40)
@given(designs())
def test_time_grows_with_the_access_latency_by_at_most_its_bursts(design: EngineDesign) -> None:
    spec = design.architecture
    slower = spec.model_copy(
        update={"ports": {"ddr": spec.ports["ddr"].model_copy(update={"latency_cycles": 13})}}
    )
    other = build_engine_design(slower, design.network.workload)
    fast = run_engine_compiled(design.program, 1).cycles_total
    slow = run_engine_compiled(other.program, 1).cycles_total
    assert fast <= slow
