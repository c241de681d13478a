"""A small engine and its network, right until a test changes an entry of them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.design.build import build_engine_design
from bnnsim.design.design import EngineDesign
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import read_architecture
from bnnsim.spec.workload import Workload

ENGINE: dict[str, Any] = {
    "name": "small",
    "source": "made for this test",
    "style": "engine",
    "device": "xc7z020",
    "clock_mhz": 100,
    "arrays": {
        "pes": {
            "supported_ops": ["conv"],
            "spatial_unrolling": {"in_channels": 4, "kernel_rows": 3, "kernel_columns": 3},
            "accumulator_bits": 8,
        }
    },
    "buffers": {
        "weights": {"holds": "weights", "words": 32, "width_bits": 36, "residency": "network"},
        "maps": {"holds": "activations", "words": 64, "width_bits": 8},
    },
    "ports": {"ddr": {"width_bits": 64, "latency_cycles": 10, "source": "made up"}},
    "outside": [
        {"payload": name, "source": "not what most tests are about"} for name in ("image", "results")
    ],
    "programs": {
        "conv": {
            "array": "pes",
            "buffers": ["weights", "maps"],
            "steps": [
                {
                    "op": "compute",
                    "loops": [
                        {"dimension": d} for d in ("out_channels", "in_channels", "rows", "columns")
                    ],
                }
            ],
        }
    },
    "layers": {"conv0": {"program": "conv"}},
}
WORKLOAD = Workload.model_validate(
    {
        "name": "tiny",
        "input": {"shape": [4, 8, 8]},
        "layers": [
            {
                "name": "conv0",
                "op": "conv",
                "out": 8,
                "kernel": 3,
                "pad": 1,
                "activation": "bipolar",
            }
        ],
    }
)
LAST = ("programs", "conv", "steps", 0)


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(ENGINE)
    here: Any = data
    for part in path[:-1]:
        here = here[part]
    if value is None:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return data


def built(folder: Path, data: dict[str, Any], workload: Any = WORKLOAD) -> EngineDesign:
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return build_engine_design(read_architecture(file), workload)


def messages(folder: Path, data: dict[str, Any], workload: Any = WORKLOAD) -> str:
    with pytest.raises(SpecError, match="expected") as caught:
        built(folder, data, workload)
    return str(caught.value)


LOAD = {"op": "load", "payload": "weights", "port": "ddr", "buffer": "weights", "words": 8}
COMPUTE = ENGINE["programs"]["conv"]["steps"][0]
LAYERS_WEIGHTS = {"holds": "weights", "words": 32, "width_bits": 36, "residency": "layer"}
