"""An engine that cannot run a network says which entry is wrong, and what would be right."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.design.build import build_design
from bnnsim.design.engine import build_engine_design
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_workload, read_architecture
from bnnsim.spec.workload import Workload

ENGINE: dict[str, Any] = {
    "name": "small",
    "source": "made for this test",
    "style": "engine",
    "device": "xc7z020",
    "clock_mhz": 100,
    "arrays": {
        "pes": {
            "executes": ["conv"],
            "unrolls": {"in_channels": 4, "kernel_rows": 3, "kernel_columns": 3},
            "accumulator_bits": 8,
        }
    },
    "buffers": {
        "weights": {"holds": "weights", "words": 32, "width_bits": 36, "keeps": "network"},
        "maps": {"holds": "activations", "words": 64, "width_bits": 8},
    },
    "ports": {"ddr": {"width_bits": 64, "latency_cycles": 10, "source": "made up"}},
    "programs": {
        "conv": {
            "array": "pes",
            "buffers": ["weights", "maps"],
            "steps": [
                {
                    "do": "compute",
                    "loops": [{"over": d} for d in ("out_channels", "in_channels", "rows", "columns")],
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


def messages(folder: Path, data: dict[str, Any], workload: Any = WORKLOAD) -> str:
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    with pytest.raises(SpecError, match="expected") as caught:
        build_engine_design(read_architecture(file), workload)
    return str(caught.value)


def test_engine_of_these_tests_is_right_before_it_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(ENGINE), encoding="utf-8")
    design = build_engine_design(read_architecture(file), WORKLOAD)
    assert [part.name for part in design.program.parts] == ["conv0"]


LOAD = {"do": "load", "what": "weights", "port": "ddr", "buffer": "weights", "words": 8}
COMPUTE = ENGINE["programs"]["conv"]["steps"][0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("buffers", "weights", "words"),
            7,
            r"buffers.weights.words: expected at least 8 \(the weights of conv0\), got 7",
        ),
        (
            ("buffers", "maps", "words"),
            32,
            r"buffers.maps.words: expected at least 64 \(the maps of conv0\), got 32",
        ),
        (
            ("arrays", "pes", "executes"),
            ["linear"],
            "layers.conv0.program: expected a program whose array runs a conv, "
            "got conv on pes, which runs linear",
        ),
        (("layers", "conv0"), None, r"expected a program \(conv\) for layer conv0 \(conv\), got none"),
        (
            ("layers", "conv0", "program"),
            "cnov",
            r"layers.conv0.program: expected one of the programs conv, got 'cnov' \(nearest: conv\)",
        ),
        (
            ("layers", "conv1"),
            {"program": "conv"},
            r"layers.conv1: expected a layer of workload tiny, got 'conv1' \(nearest: conv0\)",
        ),
        (
            (*LAST, "loops"),
            [{"over": d} for d in ("in_channels", "rows", "columns")],
            r"expected loops that cover out_channels of conv0 \(its tile here is 8\), "
            "got an array that unrolls 1 of them",
        ),
        (
            ("programs", "conv", "steps"),
            [{**LOAD, "port": "dram"}, COMPUTE],
            r"steps\[0\].port: expected a port of this spec \(ddr\), got 'dram'",
        ),
        (
            ("buffers", "weights", "keeps"),
            "layer",
            "programs.conv.steps: expected a load of weights through a port "
            r"\(weights does not keep the network's\), got none",
        ),
        (
            ("programs", "conv", "steps"),
            [{**LOAD, "words": 1 << 20, "loops": [{"over": "depth"}]}, COMPUTE],
            "expected out_channels, in_channels",
        ),
        (
            ("programs", "conv", "steps"),
            [{"do": "calls", "fits": ["weights"], "steps": [COMPUTE]}],
            r"expected a host \(key host\) that makes the calls, got none",
        ),
        (
            ("programs", "conv", "steps"),
            [{"do": "stage", "on": "pool"}, COMPUTE],
            r"steps\[0\].on: expected one of the stages \(none declared\), got 'pool'",
        ),
        (
            ("arrays", "pes", "accumulator_bits"),
            6,
            r"arrays.pes.accumulator_bits: expected at least 7 \(sums of conv0 are int7\), got 6",
        ),
        (
            ("programs", "conv", "steps"),
            [{"do": "beside", "branches": [[COMPUTE], [COMPUTE]]}],
            r"steps\[0\]: expected branches that share no unit, got pes",
        ),
        (
            ("programs", "conv", "steps"),
            [{"do": "beside", "branches": [[COMPUTE], [LOAD]]}],
            r"steps\[0\]: expected branches without transfers, got a load or store",
        ),
        (("style",), "engin", r"style: expected one of streaming, engine, got .*nearest: engine"),
        (("device",), "xc7z02", r"device: expected one of .*got 'xc7z02' \(nearest: xc7z020"),
    ],
)
def test_misfit_names_its_entry(tmp_path: Path, path: tuple[Any, ...], value: Any, message: str) -> None:
    assert re.search(message, messages(tmp_path, changed(path, value)))


def test_map_that_overflows_the_partial_sums_is_refused(tmp_path: Path) -> None:
    data = changed(("arrays", "pes", "group"), {"words": 63})
    assert "at least 64 words (the partial sums of one map of conv0), got 63" in messages(tmp_path, data)


def test_partial_sum_buffer_must_hold_the_sums_that_wait(tmp_path: Path) -> None:
    data = changed(("buffers", "sums"), {"holds": "partial_sums", "words": 63, "width_bits": 8})
    data["programs"]["conv"]["buffers"].append("sums")
    data["arrays"]["pes"]["unrolls"]["in_channels"] = 2
    data["programs"]["conv"]["steps"] = [
        {
            "do": "repeat",
            "loops": [{"over": "out_channels"}, {"over": "in_channels"}],
            "steps": [{"do": "compute", "loops": [{"over": "rows"}, {"over": "columns"}]}],
        }
    ]
    assert "at least 64 (the partial sums of a tile of conv0), got 63" in messages(tmp_path, data)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    data = changed(("buffers", "weights", "words"), 7)
    data["buffers"]["maps"]["words"] = 32
    text = messages(tmp_path, data)
    assert "buffers.weights.words" in text
    assert "buffers.maps.words" in text


def test_call_that_no_batch_fits_names_the_buffer(tmp_path: Path) -> None:
    data = changed(("host",), {"call_us": 0.0, "source": "made up"})
    data["buffers"]["weights"] |= {"words": 1, "width_bits": 8, "keeps": "tile"}
    data["programs"]["conv"]["steps"] = [{"do": "calls", "fits": ["weights"], "steps": [LOAD, COMPUTE]}]
    assert "buffers.weights.words: expected at least 5 (one output channel of conv0), got 1" in (
        messages(tmp_path, data)
    )


def test_streaming_units_refuse_fixed_point_layers() -> None:
    expected = "layers.fc: expected a layer that a streaming unit runs .* got fixed_linear"
    with pytest.raises(SpecError, match=expected):
        build_design(read_architecture("pynq-cnv"), load_workload("fracbnn-cifar10"))


def test_network_of_another_engine_is_refused_with_every_missing_layer() -> None:
    with pytest.raises(SpecError, match=r"expected a program .* for layer fc0 \(linear\), got none"):
        build_engine_design(read_architecture("acce-bnn"), load_workload("cnv"))
