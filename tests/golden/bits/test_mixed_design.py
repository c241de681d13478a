"""A mixed design: the first layers stream, the others run on an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.simulation import simulate
from bnnsim.spec.faults import SpecError

MIXED: dict[str, Any] = {
    "name": "mixed",
    "source": "made for this test",
    "style": "engine",
    "device": "xc7z020",
    "clock_mhz": 100,
    "streaming_prefix": {
        "until": "pool1",
        "defaults": {"pipeline": "flushing", "fifo_words": 64},
        "layers": {"conv0": {"pe": 16, "simd": 3}, "conv1": {"pe": 32, "simd": 32}},
    },
    "arrays": {
        "pes": {
            "supported_ops": ["conv", "linear"],
            "spatial_unrolling": {"out_channels": 16, "in_channels": 64},
            "accumulator_bits": 16,
        }
    },
    "outside": [
        {"payload": name, "source": "not what this test is about"}
        for name in ("weights", "activations", "results")
    ],
    "programs": {
        "all": {
            "array": "pes",
            "steps": [
                {
                    "op": "compute",
                    "depth": 12,
                    "source": "made for this test",
                    "loops": [
                        {"dimension": name}
                        for name in (
                            "rows",
                            "columns",
                            "out_channels",
                            "in_channels",
                            "kernel_rows",
                            "kernel_columns",
                        )
                    ],
                }
            ],
        }
    },
    "layers": {
        "conv2": {"program": "all"},
        "conv3": {"program": "all"},
        "pool3": {"within": "conv3"},
        "conv4": {"program": "all"},
        "conv5": {"program": "all"},
        "fc0": {"program": "all"},
        "fc1": {"program": "all"},
        "fc2": {"program": "all"},
    },
}


def written(folder: Path, data: dict[str, Any]) -> Path:
    file = folder / "mixed.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return file


def test_prefix_streams_and_the_engine_does_the_rest_bit_exact(tmp_path: Path) -> None:
    simulation = simulate(written(tmp_path, MIXED), "cnv", weights_seed=2)
    assert simulation.bit_exact is True
    cycles = {layer.name: layer.compute_cycles + layer.stage_cycles for layer in simulation.layers}
    assert list(cycles) == ["front", "conv2", "conv3", "conv4", "conv5", "fc0", "fc1", "fc2"]
    # conv2: 12 x 12 pixels, 8 tiles of 16 outputs, 9 taps of 64 channels
    assert cycles["conv2"] == 144 * 8 * 9 + 12
    assert cycles["front"] > 32_400  # conv0's own cycles
    assert simulation.cycles_total == sum(cycles.values())


def test_frames_of_a_mixed_design_follow_each_other(tmp_path: Path) -> None:
    one = simulate(written(tmp_path, MIXED), "cnv", timing_only=True)
    three = simulate(tmp_path / "mixed.yaml", "cnv", timing_only=True, frames=3)
    assert three.cycles_total == 3 * one.cycles_total
    assert three.initiation_interval_cycles == one.latency_cycles


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ({"until": "pol1"}, r"_prefix.until: expected a layer of workload cnv, got 'pol1' .*pool1"),
        (
            {"layers": {"conv0": {"pe": 16, "simd": 3}, "conv1": {"pe": 32, "simd": 50}}},
            r"mixed.yaml:1\d: streaming_prefix.layers.conv1.simd: expected a divisor of 576, got 50",
        ),
        ({"until": "conv2"}, "layers.conv2: expected no entry: this layer streams, got one"),
    ],
)
def test_what_is_wrong_with_the_prefix_is_named(
    tmp_path: Path, prefix: dict[str, Any], message: str
) -> None:
    data = {**MIXED, "streaming_prefix": {**MIXED["streaming_prefix"], **prefix}}
    with pytest.raises(SpecError, match=message):
        simulate(written(tmp_path, data), "cnv", timing_only=True)
