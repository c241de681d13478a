"""Activations with fewer levels than their type has, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.parameters.parameters import check_parameters
from bnnsim.simulation import simulate
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Activation, Workload

_LEVELS = [
    ({"type": "int2", "lowest": -1}, [-1, 0, 1]),
    ({"type": "uint2", "highest": 2}, [0, 1, 2]),
    ({"type": "int4", "lowest": -3, "highest": 2}, [-3, -2, -1, 0, 1, 2]),
]


def _workload(activation: dict[str, object]) -> Workload:
    return Workload.model_validate(
        {
            "name": "levels",
            "input": {"shape": [9], "type": "bipolar"},
            "layers": [
                {"name": "a", "op": "linear", "out": 4, "activation": activation},
                {"name": "b", "op": "linear", "out": 4},
                {"name": "c", "op": "threshold", "activation": activation},
                {"name": "scores", "op": "linear", "out": 2},
            ],
        }
    )


@pytest.mark.parametrize(("activation", "levels"), _LEVELS)
def test_as_many_thresholds_as_steps_put_out_the_levels(activation, levels):
    network = resolve_network(_workload(activation))
    count = len(levels) - 1
    assert network.nodes["a"].threshold_count == network.nodes["c"].threshold_count == count
    rng = np.random.default_rng(3)
    arrays = {
        "a.weights": rng.integers(0, 2, (4, 9), np.uint8),
        "b.weights": rng.integers(0, 2, (4, 4), np.uint8),
        "scores.weights": rng.integers(0, 2, (2, 4), np.uint8),
        "a.thresholds": np.sort(rng.integers(-8, 9, (4, count))),
        "c.thresholds": np.sort(rng.integers(-8, 9, (4, count))),
    }
    bits = rng.integers(0, 2, (20, 9, 1, 1), np.uint8)
    found = execute(network, check_parameters(network, arrays, "here"), bits).outputs
    for frame in range(20):
        for row in range(4):
            products = [
                1 if w == x else -1
                for w, x in zip(arrays["a.weights"][row], bits[frame, :, 0, 0], strict=True)
            ]
            fired = sum(sum(products) >= t for t in arrays["a.thresholds"][row])
            assert found["a"][frame, row, 0, 0] == levels[fired]
            fired = sum(int(found["b"][frame, row, 0, 0]) >= t for t in arrays["c.thresholds"][row])
            assert found["c"][frame, row, 0, 0] == levels[fired]


@pytest.mark.parametrize(("activation", "levels"), _LEVELS)
def test_units_put_out_what_the_executor_says(activation, levels):
    layers = {name: {"pe": 2, "simd": 1} for name in ("a", "b", "scores")} | {"c": {"pe": 2}}
    architecture = StreamingArchitecture.model_validate(
        {
            "name": "levels",
            "source": "made for this test",
            "style": "streaming",
            "device": "xc7z020",
            "clock_mhz": 100,
            "layers": layers,
        }
    )
    workload = _workload(activation)
    design = build_streaming_design(architecture, workload)
    assert design.graph.unit_by_name["a.mvau"].parameters.thresholds == len(levels) - 1
    assert simulate(architecture, workload, frames=3, weights_seed=2).bit_exact


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ({"type": "bipolar", "lowest": -1}, "no lowest and highest with bipolar"),
        ({"type": "residual2", "highest": 1}, "no lowest and highest with residual2"),
        ({"type": "int2", "lowest": 1}, "lowest below highest within -2 .. 1"),
        ({"type": "uint2", "highest": 4}, "lowest below highest within 0 .. 3"),
    ],
)
def test_levels_outside_the_type_are_refused(activation, message):
    with pytest.raises(ValueError, match=message):
        Activation.model_validate(activation)
