"""Designs written as FINN's foldings: a build's own comes back as it was, others as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.build import build_streaming_design  # noqa: E402
from bnnsim.design.design import Design  # noqa: E402
from bnnsim.finn.writing import folding_of  # noqa: E402
from bnnsim.importers.finn.network import FinnDesign, import_finn, read_finn  # noqa: E402
from bnnsim.simulation import load_streaming_design  # noqa: E402
from bnnsim.spec.faults import SpecError  # noqa: E402

BUILDS = Path(__file__).resolve().parents[2] / "golden" / "imported" / "finn"
NAMES = sorted(path.name for path in BUILDS.iterdir() if path.is_dir())
UNFOLDED = "intermediate_models/step_generate_estimate_reports.onnx"


@pytest.mark.parametrize("name", NAMES)
def test_a_build_s_own_folding_comes_back_byte_for_byte(name, tmp_path):
    found = import_finn(BUILDS / name, tmp_path, name)
    design, _ = load_streaming_design(found.architecture_path, found.network.workload_path)
    text = folding_of(design, BUILDS / name).text()
    assert text == (BUILDS / name / "final_hw_config.json").read_text()


def _random(found: FinnDesign, random: np.random.Generator) -> dict[str, dict[str, object]]:
    """A legal folding of a graph without FIFO nodes, drawn from FINN's rules alone."""

    def divisor(whole: int) -> int:
        return int(random.choice([d for d in range(1, whole + 1) if whole % d == 0]))

    entries: dict[str, dict[str, object]] = {"Defaults": {}}
    for node in found.chain.nodes.values():
        own = entries.setdefault(node.name, {})
        if node.kind == "MVAU":
            own |= {"PE": divisor(node.number("MH")), "SIMD": divisor(node.number("MW"))}
            own["ram_style"] = str(random.choice(["auto", "block", "distributed"]))
        if node.name in found.chain.units:
            own["outFIFODepths"] = [int(random.choice([2, 3, 8, 64, 700]))]
    return entries


def _sizes(design: Design) -> dict[str, object]:
    arch = design.architecture
    return {"layers": arch.layers, "fifos": arch.fifo_words}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NAMES)
def test_a_random_folding_written_and_read_back_is_the_same_design(name, seed, tmp_path):
    model = BUILDS / name / UNFOLDED
    drawn = _random(read_finn(model, "x"), np.random.default_rng(seed))
    (tmp_path / "drawn.json").write_text(json.dumps(drawn))
    design = read_finn(model, "x", tmp_path / "drawn.json").design
    (tmp_path / "written.json").write_text(folding_of(design, model).text())
    again = read_finn(model, "x", tmp_path / "written.json").design
    assert _sizes(again) == _sizes(design)
    written = json.loads((tmp_path / "written.json").read_text())
    for node, own in drawn.items():
        for key in ("PE", "SIMD", "ram_style"):
            assert written.get(node, {}).get(key) == own.get(key) or key not in own, (node, key)


def _with(found: FinnDesign, layer: str, **values: object) -> Design:
    arch = found.design.architecture
    changed = arch.layers[layer].model_copy(update=values)
    layers = {**arch.layers, layer: changed}
    network = found.design.network.workload
    return build_streaming_design(arch.model_copy(update={"layers": layers}), network)


def test_other_lanes_leave_fifo_nodes_to_finn_and_say_depths_at_the_units():
    found = read_finn(BUILDS / "cnv", "x")
    written = folding_of(_with(found, "conv1", pe=8), BUILDS / "cnv")
    assert written.entries["MVAU_hls_1"]["PE"] == 8
    assert not any("FIFO" in name or "Converter" in name for name in written.entries)
    assert any("FINN inserts them anew" in loss for loss in written.losses)
    assert written.entries["MVAU_hls_1"]["mem_mode"] == "internal_decoupled"


def test_a_stream_beyond_what_hls_has_is_refused_with_its_width():
    found = read_finn(BUILDS / "cnv" / UNFOLDED, "x")
    node = next(n for n in found.chain.nodes.values() if n.name == "MVAU_hls_1")
    from bnnsim.finn.rules import broken_rules

    wide = {node.name: {"PE": 8, "SIMD": 72, "weightDataType": "INT32"}}
    [fault] = broken_rules(found.chain, wide, "m.onnx")
    assert str(fault) == (
        "m.onnx: MVAU_hls_1.PE: expected its weights within an HLS stream's 8,191 bits, got 18,432 bits"
    )


@pytest.mark.parametrize(
    ("node", "said", "text"),
    [
        ("VVAU_hls_0", {"PE": 2, "SIMD": 3}, "all 8 channels where SIMD is above 1"),
        ("VVAU_hls_0", {"PE": 4}, "as many as ConvolutionInputGenerator_rtl_1's SIMD"),
        ("MVAU_hls_0", {"PE": 5}, "a divisor of MH 8"),
        ("ConvolutionInputGenerator_rtl_0", {"SIMD": 1, "parallel_window": 1}, "all 3 channels"),
        ("FMPadding_rtl_0", {"SIMD": 2}, "a divisor of NumChannels 3"),
    ],
)
def test_each_rule_of_finn_refuses(node, said, text):
    from bnnsim.finn.rules import broken_rules

    found = read_finn(BUILDS / "depthwise" / UNFOLDED, "x")
    faults = [str(fault) for fault in broken_rules(found.chain, {node: said}, "m.onnx")]
    assert any(text in fault for fault in faults), faults


def test_foldings_of_finn_s_own_builds_break_no_rule():
    from bnnsim.finn.rules import broken_rules

    for name in NAMES:
        assert broken_rules(read_finn(BUILDS / name, "x").chain, {}, "m") == []


def test_another_network_is_refused_at_its_first_layer():
    design = read_finn(BUILDS / "mlp", "mlp").design
    with pytest.raises(SpecError, match="the network of workload mlp, fc0"):
        folding_of(design, BUILDS / "cnv")


def test_a_qonnx_model_takes_a_folding_and_gets_the_same_names_back(tmp_path):
    model, given = BUILDS / "mlp" / "model.onnx", BUILDS / "mlp" / UNFOLDED
    exact = folding_of(read_finn(given, "x").design, given)
    (tmp_path / "folding.json").write_text(exact.text())
    found = read_finn(model, "x", tmp_path / "folding.json")
    written = folding_of(found.design, model)
    assert written.is_predicted
    for name, own in exact.entries.items():
        if not name.startswith(("Thresholding", "Elementwise")):
            for key in ("PE", "SIMD"):
                assert written.entries[name].get(key) == own.get(key), (name, key)
    for name, hardware in read_finn(given, "x").design.architecture.layers.items():
        layer = found.design.architecture.layers[name]
        assert (layer.pe, layer.simd) == (hardware.pe, hardware.simd)


CNV_FOLDS = [(16, 3), (32, 32), (16, 32), (16, 32), (4, 32), (1, 32), (1, 4), (1, 8), (5, 1)]


@pytest.mark.parametrize(
    ("matrix", "window", "first"),
    [
        ("MVAU_hls", "ConvolutionInputGenerator_rtl", "Thresholding_rtl"),
        ("MatrixVectorActivation", "ConvolutionInputGenerator", "Thresholding_Batch"),
        ("StreamingFCLayer_Batch", "ConvolutionInputGenerator", "Thresholding_Batch"),
    ],
)
def test_a_cnv_s_folding_of_each_age_goes_onto_its_qonnx_model(matrix, window, first, tmp_path):
    """PE and SIMD of BNN-PYNQ's CNV as finn-examples has them, beside the model that Brevitas wrote."""
    from tests.golden.imported.onnx_models import brevitas_model

    onnx.save(brevitas_model("cnv_1w1a", 0), tmp_path / "cnv.onnx")
    entries: dict[str, object] = {"Defaults": {}, f"{first}_0": {"PE": 1}}
    for number, (pe, simd) in enumerate(CNV_FOLDS):
        entries[f"{matrix}_{number}"] = {"PE": pe, "SIMD": simd, "ram_style": "auto"}
        if number < 6:
            entries[f"{window}_{number}"] = {"SIMD": min(simd, 32), "ram_style": "distributed"}
    (tmp_path / "folding.json").write_text(json.dumps(entries))
    found = read_finn(tmp_path / "cnv.onnx", "cnv", tmp_path / "folding.json")
    layers = found.design.architecture.layers.values()
    assert [(layer.pe, layer.simd) for layer in layers] == CNV_FOLDS
    assert found.losses == (
        f"{first}_0: in front of the first layer or behind the last, no unit here",
    )


def test_a_window_has_lanes_of_its_own_in_front_of_a_converter():
    """FINN's ConvolutionInputGenerator_rtl_3 has SIMD 1 in front of an MVAU of SIMD 6: ratio 6."""
    found = read_finn(BUILDS / "cnv", "x")
    assert found.design.architecture.layers["conv2"].simd_window == 1
    units = found.design.graph.unit_by_name
    assert units["conv2.window"].parameters.lanes == 1
    [stream] = [s for s in found.design.graph.streams if s.writer == "conv2.window"]
    converter = units[stream.reader].parameters
    assert (converter.in_lanes, converter.out_lanes) == (1, 6)
    assert not any("ConvolutionInputGenerator_rtl_3" in loss for loss in found.losses)
    assert found.design.architecture.layers["conv1"].simd_window is None  # 8, as is usual here


def test_a_window_s_own_lanes_are_written_back():
    found = read_finn(BUILDS / "cnv", "x")
    written = folding_of(_with(found, "conv2", simd_window=4), BUILDS / "cnv")
    assert written.entries["ConvolutionInputGenerator_rtl_3"]["SIMD"] == 4
    assert written.entries["MVAU_hls_2"]["SIMD"] == 6
    written = folding_of(_with(found, "conv2", simd_window=None), BUILDS / "cnv")
    assert written.entries["ConvolutionInputGenerator_rtl_3"]["SIMD"] == 8


def test_a_pool_has_as_many_channels_a_word_as_finn_s_has_pes():
    found = read_finn(BUILDS / "cnv", "x")
    pool = found.design.graph.unit_by_name["pool0.pool"].parameters
    assert pool.lanes == 1
    written = folding_of(_with(found, "pool0", pe=4), BUILDS / "cnv")
    assert written.entries["Pool_hls_0"]["PE"] == 4
    assert written.entries["ConvolutionInputGenerator_rtl_2"]["SIMD"] == 4
