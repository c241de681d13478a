"""FINN's reports beside the simulation: read as FINN wrote them, and damaged ones one line each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
from onnx import helper, numpy_helper  # noqa: E402

from bnnsim.cli.app import run  # noqa: E402
from bnnsim.finn.comparison import compare_with_finn  # noqa: E402
from bnnsim.finn.reports import read_reports  # noqa: E402
from bnnsim.spec.faults import SpecError  # noqa: E402

BUILDS = Path(__file__).resolve().parents[2] / "golden" / "imported" / "finn"


def test_every_node_s_estimate_is_the_report_s_and_stands_beside_its_unit():
    found = compare_with_finn(BUILDS / "cnv")
    said = json.loads((BUILDS / "cnv" / "report" / "estimate_layer_cycles.json").read_text())
    assert {r.node: r.estimated_cycles for r in found.nodes if r.estimated_cycles} == said
    rows = {row.node: row for row in found.nodes}
    for node in ("MVAU_hls_0", "MVAU_hls_1", "MVAU_hls_2", "MVAU_hls_3", "MVAU_hls_4"):
        assert rows[node].simulated_cycles == said[node], (
            node
        )  # steps of an MVAU: MH/PE x MW/SIMD x pixels
    assert rows["MVAU_hls_1"].unit == "conv1.mvau"
    performance = json.loads(
        (BUILDS / "cnv" / "report" / "estimate_network_performance.json").read_text()
    )
    assert found.estimated_latency_cycles == performance["critical_path_cycles"]
    assert found.estimated_interval_cycles == performance["max_cycles"]
    assert found.simulated_latency_cycles < performance["critical_path_cycles"]


def _build(tmp_path: Path, **reports: object) -> Path:
    folder = tmp_path / "build"
    shutil.copytree(BUILDS / "mlp", folder)
    for name, data in reports.items():
        text = data if isinstance(data, str) else json.dumps(data)
        (folder / "report" / f"{name}.json").write_text(text)
    return folder


def test_rtlsim_and_synthesis_are_read_with_the_partitions_prefix_off(tmp_path):
    amounts = {"LUT": 300, "SRL": 2, "FF": 99, "BRAM_36K": 2, "BRAM_18K": 1, "DSP": 0}
    folder = _build(
        tmp_path,
        post_synth_resources={
            "(top)": {**amounts, "LUT": 5000},
            "StreamingDataflowPartition_1_MVAU_hls_0": amounts,
        },
        rtlsim_performance={
            "N": 10, "latency_cycles": 700, "fclk[mhz]": 100.0, "stable_throughput[images/s]": 400000.0
        },
    )  # fmt: skip
    found = compare_with_finn(folder)
    assert found.rtlsim_latency_cycles == 700
    assert found.rtlsim_interval_cycles == 250
    assert found.synthesised["lut"] == 5000
    row = next(r for r in found.nodes if r.node == "MVAU_hls_0")
    assert row.synthesised == {"lut": 300, "ff": 99, "dsp": 0, "bram18": 5}


def test_one_frame_of_rtlsim_tells_no_interval(tmp_path):
    folder = _build(tmp_path, rtlsim_performance={"N": 1, "cycles": 700, "fclk[mhz]": 100.0})
    found = read_reports(folder)
    assert (found.rtlsim_latency_cycles, found.rtlsim_interval_cycles) == (700, None)


@pytest.mark.parametrize(
    "damage",
    ["", "[]", '{"MVAU_hls_0": "many"}', '{"MVAU_hls_0": 1e999}', "{" * 90_000, '{"a": {}}'],
)
def test_a_damaged_report_is_one_line(damage, tmp_path):
    folder = _build(tmp_path, estimate_layer_cycles=damage)
    with pytest.raises(SpecError) as error:
        read_reports(folder)
    assert len(error.value.faults) == 1
    assert "\n" not in str(error.value)


def test_a_build_without_reports_says_which(tmp_path):
    folder = _build(tmp_path)
    shutil.rmtree(folder / "report")
    with pytest.raises(SpecError, match="a FINN build with reports"):
        compare_with_finn(folder)


def test_reports_are_read_from_a_folder_of_either_name(tmp_path):
    """Brainsmith calls it ``reports``."""
    folder = _build(tmp_path, rtlsim_performance={"N": 1, "cycles": 700, "fclk[mhz]": 125.0})
    usual = compare_with_finn(folder)
    (folder / "report").rename(folder / "reports")
    found = compare_with_finn(folder)
    assert (found.rtlsim_latency_cycles, found.clock_mhz) == (700, 125.0)
    assert found == usual


@pytest.fixture
def real_input(tmp_path) -> Path:
    """A build of one MVAU of 2021 that reads halves of what the graph leaves real."""
    sizes = {"MW": 8, "MH": 6, "SIMD": 2, "PE": 3, "noActivation": 1, "ActVal": 0, "binaryXnorMode": 0}
    types = {"inputDataType": "UINT8", "weightDataType": "BIPOLAR", "outputDataType": "INT16"}
    domain = "finn.custom_op.fpgadataflow"
    said = {"name": "StreamingFCLayer_Batch_0", "domain": domain, "backend": "fpgadataflow"}
    unit = helper.make_node("StreamingFCLayer_Batch", ["s", "w"], ["y"], **said, **sizes, **types)
    weights = np.random.default_rng(5).choice([-1.0, 1.0], (8, 6)).astype(np.float32)
    tensors = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.float32(0.5), "half")]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size])
        for name, size in (("x", 8), ("y", 6))
    ]
    nodes = [helper.make_node("Mul", ["x", "half"], ["s"]), unit]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(domain, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.save(model, tmp_path / "step_set_fifo_depths.onnx")
    (tmp_path / "estimate_layer_cycles.json").write_text('{"StreamingFCLayer_Batch_0": 8}')
    return tmp_path


def test_an_input_that_the_graph_leaves_real_has_the_type_that_the_user_says(real_input, capsys):
    assert run(["compare-finn", str(real_input)]) == 2
    assert "or an input type that you choose" in capsys.readouterr().err
    assert run(["compare-finn", str(real_input), "--input-type", "uint8", "--json", "-"]) == 0
    [row] = json.loads(capsys.readouterr().out)["nodes"]
    assert (row["estimated_cycles"], row["simulated_cycles"]) == (8, 8)
