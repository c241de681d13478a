"""FracBNN with its trained weights: every published golden value, from the reference and from the engine.

Golden values: the original HLS C++ compiled with Xilinx's public fixed-point headers (see the data's own
notes); none was made by this package.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bnnsim.datapath.engine.frame import run_engine_frame
from bnnsim.datapath.engine.stages import planes
from bnnsim.design.build import build_engine_design
from bnnsim.design.design import EngineDesign
from bnnsim.design.network.network import INPUT, Network
from bnnsim.functional.layers.fixed_layers import fixed_layer, gated_sums, plane_sums
from bnnsim.functional.layers.fixed_point import thermometer
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.load import load_architecture, load_workload
from tests.golden.bits.fracbnn import gated_names, golden, parameters_by_layer


def built(name: str = "fracbnn") -> EngineDesign:
    spec = load_architecture(name).spec
    assert isinstance(spec, EngineArchitecture)
    return build_engine_design(spec, load_workload("fracbnn-cifar10"))


def reference(network: Network, images: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Every layer's output from the reference functions, ``(channels, frames, height, width)``."""
    values = parameters_by_layer()
    outputs: dict[str, NDArray[Any]] = {
        INPUT: thermometer(images, 32).astype(np.int64).transpose(1, 0, 2, 3)
    }
    for name, node in network.nodes.items():
        inputs = [outputs[source] for source in node.inputs]
        if name == "conv1":
            gated = network.nodes["layer1_0_conv1"].layer  # the same window: 3 x 3, border 1
            outputs[name] = plane_sums(inputs[0] > 0, values[name]["weights"], gated)  # type: ignore[arg-type]
        elif node.layer.op == "concat":
            outputs[name] = np.concatenate(inputs)
        else:
            outputs[name] = fixed_layer(node, values.get(name, {}), inputs)
    return outputs


def test_reference_equals_every_golden_plane_sum_map_and_score() -> None:
    data = golden()
    network = built().network
    outputs = reference(network, data["images_u8"])
    crc = data["fixed_crc32"]
    for position, name in enumerate(gated_names(), start=1):
        node = network.nodes[name]
        x = outputs[node.inputs[0]]
        sums = gated_sums(node, parameters_by_layer()[name], x)
        found = (sums.codes, sums.upper, sums.lower, outputs[name])
        for which, array in zip(("q2", "msb_sum", "lsb_sum", "out"), found, strict=True):
            np.testing.assert_array_equal(array[:, 0], data[f"golden0_fixed_{name}_{which}"])
        for image in range(7):
            assert [_crc(array[:, image]) for array in found] == crc[image, position].tolist()
    np.testing.assert_array_equal(outputs["pool"][:, 0, 0, 0], data["golden0_fixed_pool_q22"])
    np.testing.assert_array_equal(outputs["fc"][:, :, 0, 0].T, data["scores_fixed_q7"])


def test_reference_equals_the_scores_of_the_stress_images() -> None:
    data = golden()
    outputs = reference(built().network, data["stress_images_u8"])
    np.testing.assert_array_equal(outputs["fc"][:, :, 0, 0].T, data["stress_scores_fixed_q7"])


@pytest.mark.parametrize("name", ["fracbnn", "fracbnn-burst"])
@pytest.mark.parametrize("images", ["", "stress_"])
def test_engine_in_its_own_tile_order_gives_the_golden_scores(name: str, images: str) -> None:
    data = golden()
    design = built(name)
    frames = thermometer(data[f"{images}images_u8"], 32)
    for frame, scores in zip(frames, data[f"{images}scores_fixed_q7"], strict=True):
        result = run_engine_frame(design, parameters_by_layer(), frame)
        np.testing.assert_array_equal(result.outputs["fc"][:, 0, 0], scores)


def test_engine_in_its_own_tile_order_gives_every_golden_plane_sum_and_map() -> None:
    data = golden()
    design = built()
    frames = thermometer(data["images_u8"], 32)
    for image, frame in enumerate(frames):
        result = run_engine_frame(design, parameters_by_layer(), frame)
        for position, name in enumerate(gated_names(), start=1):
            node = design.network.nodes[name]
            bits = (planes(node, result.outputs[node.inputs[0]]) + 1) // 2
            sums = result.sums[name]
            opens = sums[0] * 171 > parameters_by_layer()[name]["gate_thresholds"][:, None, None]
            found = (
                (bits[0] * 2 + bits[1]).astype(np.uint8),
                sums[0],
                np.where(opens, sums[1], 0),
                result.outputs[name],
            )
            crc = data["fixed_crc32"][image, position].tolist()
            assert [_crc(array) for array in found] == crc
        if image == 0:
            conv1 = data["golden0_fixed_conv1_msb_sum"]
            np.testing.assert_array_equal(result.sums["conv1"][0], conv1)
            np.testing.assert_array_equal(result.outputs["bn1"], data["golden0_fixed_conv1_out"])
            pool = data["golden0_fixed_pool_q22"]
            np.testing.assert_array_equal(result.outputs["pool"][:, 0, 0], pool)


def _crc(array: NDArray[Any]) -> int:
    plain = array if array.dtype == np.uint8 else array.astype("<i2")
    return zlib.crc32(np.ascontiguousarray(plain).tobytes())
