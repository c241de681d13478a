"""An engine that cannot run a network says which entry is wrong, and what would be right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.design.build import build_design, build_engine_design
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_workload, read_architecture
from bnnsim.spec.workload import Workload
from tests.unit.design.small_engine import (
    COMPUTE,
    ENGINE,
    LAST,
    LOAD,
    WORKLOAD,
    built,
    changed,
    messages,
)


def test_engine_of_these_tests_is_right_before_it_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(ENGINE), encoding="utf-8")
    design = build_engine_design(read_architecture(file), WORKLOAD)
    assert [part.name for part in design.program.parts] == ["conv0"]


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
            ("arrays", "pes", "supported_ops"),
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
            [{"dimension": d} for d in ("in_channels", "rows", "columns")],
            r"expected loops that cover out_channels of conv0 \(its tile here is 8\), "
            "got an array that unrolls 1 of them",
        ),
        (
            ("programs", "conv", "steps"),
            [{**LOAD, "port": "dram"}, COMPUTE],
            r"steps\[0\].port: expected a port of this spec \(ddr\), got 'dram'",
        ),
        (
            ("buffers", "weights", "residency"),
            "layer",
            "programs.conv.steps: expected a load of weights through a port "
            r"\(weights does not keep the network's\), got none",
        ),
        (
            ("programs", "conv", "steps"),
            [{**LOAD, "words": 1 << 20, "loops": [{"dimension": "depth"}]}, COMPUTE],
            "expected out_channels, in_channels",
        ),
        (
            ("programs", "conv", "steps"),
            [{"op": "calls", "fits": ["weights"], "steps": [COMPUTE]}],
            r"expected a host \(key host\) that makes the calls, got none",
        ),
        (
            ("programs", "conv", "steps"),
            [{"op": "stage", "unit": "pool"}, COMPUTE],
            r"steps\[0\].unit: expected one of the stages \(none declared\), got 'pool'",
        ),
        (
            ("arrays", "pes", "accumulator_bits"),
            6,
            r"arrays.pes.accumulator_bits: expected at least 7 \(sums of conv0 are int7\), got 6",
        ),
        (
            ("programs", "conv", "steps"),
            [{"op": "beside", "branches": [[COMPUTE], [COMPUTE]]}],
            r"steps\[0\]: expected branches that share no unit, got pes",
        ),
        (
            ("programs", "conv", "steps"),
            [{"op": "beside", "branches": [[COMPUTE], [LOAD]]}],
            r"steps\[0\]: expected branches without transfers, got a load or store",
        ),
        (("style",), "engin", r"style: expected one of streaming, engine, got .*nearest: engine"),
        (("device",), "xc7z02", r"device: expected one of .*got 'xc7z02' \(nearest: xc7z020"),
    ],
)
def test_misfit_names_its_entry(tmp_path: Path, path: tuple[Any, ...], value: Any, message: str) -> None:
    assert re.search(message, messages(tmp_path, changed(path, value)))


def test_compute_loop_with_negative_extra_is_refused(tmp_path: Path) -> None:
    loops = [{"dimension": d} for d in ("out_channels", "in_channels", "columns")]
    data = changed((*LAST, "loops"), [*loops, {"dimension": "rows", "extra": -3}])
    expected = r"loops\[3\].extra: expected a number >= 0 \(what is computed must cover rows\), got -3"
    assert re.search(expected, messages(tmp_path, data))


def test_repeat_around_a_compute_step_with_negative_extra_is_refused(tmp_path: Path) -> None:
    loops = [{"dimension": d} for d in ("out_channels", "in_channels", "columns")]
    inner = {"op": "repeat", "loops": [{"trips": 1}], "steps": [{"op": "compute", "loops": loops}]}
    outer = {"op": "repeat", "loops": [{"dimension": "rows", "extra": -1}], "steps": [inner]}
    text = messages(tmp_path, changed(("programs", "conv", "steps"), [outer]))
    assert re.search(r"steps\[0\].loops\[0\].extra: expected a number >= 0 .*cover rows\), got -1", text)


def test_compute_loop_over_one_group_alone_is_refused(tmp_path: Path) -> None:
    data = changed(("arrays", "pes", "group"), {"words": 64})
    data["arrays"]["pes"]["spatial_unrolling"]["in_channels"] = 2
    data["buffers"]["weights"]["words"] = 64
    data["programs"]["conv"]["steps"][0]["loops"][1] = {"dimension": "in_channels", "within_group": True}
    expected = r"within_group: expected a loop over all 4 in_channels that are left here, got one over 2"
    assert re.search(expected, messages(tmp_path, data))


def test_program_of_a_weighted_layer_needs_a_compute_step(tmp_path: Path) -> None:
    steps = [{"op": "overhead", "cycles": 9, "cause": "none", "source": "made up"}]
    text = messages(tmp_path, changed(("programs", "conv", "steps"), steps))
    assert re.search(
        r"layers.conv0.program: expected a program with a compute step for conv0 \(conv\), "
        "got conv without one",
        text,
    )


def test_weighted_layer_cannot_hide_in_anothers_program(tmp_path: Path) -> None:
    second = {"name": "conv1", "op": "conv", "out": 8, "kernel": 3, "activation": "bipolar"}
    first = WORKLOAD.model_dump(mode="json", exclude_unset=True)
    two = Workload.model_validate({**first, "layers": [*first["layers"], second]})
    data = changed(("layers", "conv1"), {"within": "conv0"})
    assert re.search(
        "layers.conv1.within: expected a program of its own for a layer with weights, got 'conv0'",
        messages(tmp_path, data, two),
    )


HUGE = 9 * 10**18
OVERHEAD = {"op": "overhead", "cause": "none", "source": "made up"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("host",),
            {"call_us": float("inf"), "source": "x"},
            "host.call_us: expected .*number.*, got inf",
        ),
        (("host",), {"call_us": 1e9, "source": "x"}, r"host.call_us: expected a number <= 1e\+06"),
        (("clock_mhz",), float("nan"), "clock_mhz: expected .*number.*, got nan"),
        (("clock_mhz",), float("inf"), "clock_mhz: expected .*number.*, got inf"),
        (("budget",), {"power_w": float("inf")}, "budget.power_w: expected a finite number, got inf"),
        (("ports", "ddr", "latency_cycles"), HUGE, r"latency_cycles: expected a number <= 2147483648"),
        (
            ("programs", "conv", "steps"),
            [{**OVERHEAD, "cycles": HUGE}, COMPUTE],
            r"steps\[0\].cycles: expected a number <= 2147483648",
        ),
        (
            (*LAST, "loops"),
            [*COMPUTE["loops"], {"trips": 10**21}],
            r"loops\[4\].trips: expected a number <= 2147483648",
        ),
        (
            (*LAST, "loops"),
            [*COMPUTE["loops"], {"trips": 1 << 31}, {"trips": 3}],
            r"programs.conv.steps: expected at most 1099511627776 cycles a frame, got 3298534883328",
        ),
        (
            ("programs", "conv", "steps"),
            [
                {
                    "op": "repeat",
                    "loops": [{"trips": 1 << 20}, {"trips": 1 << 10}],
                    "steps": [{"op": "compute", "loops": COMPUTE["loops"]}],
                }
            ],
            "programs.conv.steps: expected at most 16777216 steps and bursts a frame",
        ),
    ],
)
def test_numbers_beyond_reason_are_refused_in_words(
    tmp_path: Path, path: tuple[Any, ...], value: Any, message: str
) -> None:
    assert re.search(message, messages(tmp_path, changed(path, value)))


@pytest.mark.parametrize("pace", [{"depth": 3}, {"interval": 2}])
def test_depth_or_interval_without_a_source_is_refused(tmp_path: Path, pace: dict[str, int]) -> None:
    bare = [{**COMPUTE, **pace}]
    expected = "expected a step that says where its depth or interval comes from"
    assert expected in messages(tmp_path, changed(("programs", "conv", "steps"), bare))
    built(tmp_path, changed(("programs", "conv", "steps"), [{**bare[0], "source": "made up"}]))


def test_map_that_overflows_the_partial_sums_is_refused(tmp_path: Path) -> None:
    data = changed(("arrays", "pes", "group"), {"words": 63})
    assert "at least 64 words (the partial sums of one map of conv0), got 63" in messages(tmp_path, data)


def test_partial_sum_buffer_must_hold_the_sums_that_wait(tmp_path: Path) -> None:
    data = changed(("buffers", "sums"), {"holds": "partial_sums", "words": 63, "width_bits": 8})
    data["programs"]["conv"]["buffers"].append("sums")
    data["arrays"]["pes"]["spatial_unrolling"]["in_channels"] = 2
    data["programs"]["conv"]["steps"] = [
        {
            "op": "repeat",
            "loops": [{"dimension": "out_channels"}, {"dimension": "in_channels"}],
            "steps": [{"op": "compute", "loops": [{"dimension": "rows"}, {"dimension": "columns"}]}],
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
    data["buffers"]["weights"] |= {"words": 1, "width_bits": 8, "residency": "tile"}
    data["programs"]["conv"]["steps"] = [{"op": "calls", "fits": ["weights"], "steps": [LOAD, COMPUTE]}]
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
