"""Random small engines: loop orders, tiles, walks, buffers and ports, with a network that fits them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.workload import Workload


@st.composite
def networks(draw: st.DrawFn) -> Workload:
    """Convolutions with true zero borders and strides, a pool, a classifier."""
    size = draw(st.sampled_from([4, 6]))
    first = draw(st.sampled_from(["bipolar", "int4"]))
    layers: list[dict[str, Any]] = []
    for i in range(draw(st.integers(1, 2))):
        layers.append(
            {
                "name": f"conv{i}",
                "op": "conv",
                "out": draw(st.integers(1, 6)),
                "kernel": draw(st.sampled_from([1, 3])),
                "stride": draw(st.sampled_from([1, 2])),
                "pad": 1,
                "pad_value": draw(st.sampled_from([0, -1])) if i or first == "bipolar" else 0,
                "activation": "bipolar",
            }
        )
    layers.append({"name": "fc", "op": "linear", "out": draw(st.integers(1, 4))})
    channels = draw(st.integers(1, 5))
    return Workload.model_validate(
        {
            "name": "random",
            "input": {"shape": [channels, size, size], "type": first},
            "layers": layers,
        }
    )


@st.composite
def engines(draw: st.DrawFn, workload: Workload) -> EngineArchitecture:
    """One array whose loops run in any order, any of them outside the compute step."""
    unrolls = {
        name: draw(st.integers(1, 4))
        for name in draw(st.sets(st.sampled_from(["out_channels", "in_channels", "planes"])))
    }
    unrolls |= dict.fromkeys(draw(st.sets(st.sampled_from(["kernel_rows", "kernel_columns"]))), 3)
    pixel_loops = draw(st.sampled_from([["rows", "columns"], ["pixels"]]))
    if pixel_loops == ["pixels"]:
        unrolls["pixels"] = draw(st.integers(1, 5))
    channel_loops = ["out_channels", "in_channels", "kernel_rows", "kernel_columns"]
    order = draw(st.permutations([*channel_loops, *pixel_loops]))
    split = draw(st.integers(0, len(order)))
    double = draw(st.booleans())
    steps: list[dict[str, Any]] = [
        {
            "op": "load",
            "payload": "weights",
            "port": "ddr",
            "buffer": "weights",
            "bits": draw(st.integers(1, 2)),
            "loops": [{"dimension": name} for name in channel_loops],
        },
        {
            "op": "compute",
            "loops": [_loop(draw, name, unrolls) for name in order[split:]],
            "interval": draw(st.integers(1, 2)),
            "depth": draw(st.integers(0, 9)),
            "source": "drawn",
        },
    ]
    if split:
        outer = [_loop(draw, name, unrolls, is_outer=True) for name in order[:split]]
        inner = [{"dimension": name} for name in order[:split]]
        # what an outer tile leaves is covered inside
        steps[1]["loops"] = [*inner, *steps[1]["loops"]]
        steps = [{"op": "repeat", "loops": outer, "steps": steps}]
    return EngineArchitecture.model_validate(
        {
            "name": "random",
            "source": "drawn",
            "style": "engine",
            "device": "xc7z020",
            "clock_mhz": 100.0,
            "arrays": {
                "array": {
                    "supported_ops": ["conv", "linear"],
                    "spatial_unrolling": unrolls,
                    "iteration_space": draw(st.sampled_from(["outputs", "every_pixel"])),
                    "accumulator_bits": draw(st.sampled_from([None, 20])),
                }
            },
            "buffers": {
                "weights": {
                    "holds": "weights",
                    "words": 128,  # the largest classifier: 4 outputs of 6 x 10 x 10, 2 bits each
                    "width_bits": 64,
                    "double": double,
                    "residency": "tile",
                }
            },
            "ports": {"ddr": {"width_bits": 64, "latency_cycles": 3, "source": "drawn"}},
            "outside": [
                {"payload": name, "source": "not what this test is about"}
                for name in ("image", "activations", "results")
            ],
            "programs": {"all": {"array": "array", "steps": steps}},
            "layers": {layer.name: {"program": "all"} for layer in workload.layers},
        }
    )


def _loop(draw: st.DrawFn, name: str, unrolls: dict[str, int], is_outer: bool = False) -> dict[str, Any]:
    loop: dict[str, Any] = {"dimension": name}
    if is_outer and draw(st.booleans()):
        loop["tile"] = draw(st.integers(1, 3)) * unrolls.get(name, 1)
    if draw(st.booleans()):
        loop["extra"] = draw(st.integers(0, 2))
    return loop
