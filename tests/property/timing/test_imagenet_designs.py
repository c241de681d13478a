"""Designs for ImageNet: executors agree on a smaller map, and foldings of whole networks fit a part."""

from __future__ import annotations

import time

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.search.fold.fold import fold
from bnnsim.simulation import simulate
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

DESIGN, NETWORK = "birealnet-18-u250", "birealnet-18"
FOLDED = [("binarydensenet-28", "xcu250", 300.0), ("reactnet-a", "xcu250", 450.0)]
"""Networks, parts that hold them, and what they reach there."""


def test_compiled_equals_simpy_on_a_shrunken_map() -> None:
    """The whole network with every unit's lanes, on pictures of 32 x 32 instead of 224 x 224."""
    assert _check_small(load_architecture(DESIGN).spec, NETWORK) > 150


def _check_small(architecture: StreamingArchitecture, network: str) -> int:
    """Hold the executors against each other on pictures of 32 x 32; how many units there are."""
    workload = load_workload(network).spec
    frame = workload.input.model_copy(update={"shape": [3, 32, 32]})
    small = workload.model_copy(update={"input": frame})
    graph = build_timing(build_streaming_design(architecture, small).graph)
    found = run_compiled(graph, 1, extrapolate=False).result
    assert found == run_simpy(graph, 1)
    return len(graph.units)


@pytest.mark.long
@pytest.mark.parametrize(("network", "device", "fps"), FOLDED)
def test_the_fastest_folding_of_a_network_for_imagenet_fits_its_part(
    network: str, device: str, fps: float
) -> None:
    begun = time.process_time()
    found = fold(network, device, clock_mhz=200)
    spent = time.process_time() - begun
    again = simulate(found.architecture, network, timing_only=True)
    assert again.throughput_fps is not None
    assert again.throughput_fps >= fps
    assert _check_small(found.architecture, network) > 100
    assert spent < 90  # twice to thrice what it takes: kernels may have to be compiled
