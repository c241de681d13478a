"""Builds that FINN itself wrote: imported, equal to what FINN answers, with FINN's own hardware.

``tools/models/make_finn.py`` made the files (finn-plus 1.6.1); ``framework.npz`` holds what FINN's nodes
answered in FINN.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.build import build_design  # noqa: E402
from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.design.streaming.units import Converter  # noqa: E402
from bnnsim.functional.executor import execute  # noqa: E402
from bnnsim.functional.parameters.parameters import load_parameters  # noqa: E402
from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.finn.network import import_finn, read_finn  # noqa: E402
from bnnsim.importers.model import import_model  # noqa: E402
from bnnsim.spec.load import load_architecture, load_workload  # noqa: E402
from bnnsim.timing.streaming.programs.unit_programs import unit_program  # noqa: E402

BUILDS = Path(__file__).parent / "finn"
NAMES = sorted(path.name for path in BUILDS.iterdir() if path.is_dir())
STEP = "intermediate_models/step_set_fifo_depths.onnx"
SQUARE = ("ConvKernelDim", "IFMDim", "OFMDim", "Stride", "Dilation", "ImgDim", "PoolDim")
"""One number each until 2020, when maps were square."""
OLDER = {  # names and domain of each age, oldest last
    "2022": (
        "finn.custom_op.fpgadataflow",
        {
            "MVAU_hls": "MatrixVectorActivation",
            "VVAU_hls": "VectorVectorActivation",
            "ConvolutionInputGenerator_rtl": "ConvolutionInputGenerator_rtl",
            "FMPadding_rtl": "FMPadding_rtl",
            "StreamingFIFO_rtl": "StreamingFIFO",
            "StreamingDataConverter_rtl": "StreamingDataConverter_Batch",
            "Thresholding_rtl": "Thresholding_Batch",
            "Pool_hls": "Pool_Batch",
        },
    ),
    "2021": (
        "finn.custom_op.fpgadataflow",
        {
            "MVAU_hls": "StreamingFCLayer_Batch",
            "VVAU_hls": "Vector_Vector_Activate_Batch",
            "ConvolutionInputGenerator_rtl": "ConvolutionInputGenerator",
            "FMPadding_rtl": "FMPadding_Batch",
            "StreamingFIFO_rtl": "StreamingFIFO",
            "StreamingDataConverter_rtl": "StreamingDataConverter_Batch",
            "Thresholding_rtl": "Thresholding_Batch",
            "Pool_hls": "Pool_Batch",
        },
    ),
}
OLDER["2020"] = ("finn", OLDER["2021"][1])


SHAPES = {
    "mlp": (48,),
    "labels": (48,),
    "cnv": (12, 12, 3),
    "depthwise": (8, 8, 3),
    "residual": (6, 6, 3),
}
"""Of an input, channels last."""


def _frames(name: str, count: int) -> np.ndarray:
    """The inputs that FINN ran, as frames: channels first; bits where the network takes bits."""
    random, whole = np.random.default_rng(1), (count, *SHAPES[name])
    if name == "cnv":
        return np.moveaxis(random.integers(0, 256, whole), -1, 1).astype(np.uint8)
    inputs = random.integers(-8, 24, whole) / 4
    if len(SHAPES[name]) == 1:
        return (inputs >= 0).astype(np.uint8)[:, :, np.newaxis, np.newaxis]
    maps = np.moveaxis(inputs, -1, 1)
    return np.clip(np.floor(maps + 0.5), 0, 3).astype(np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_the_scores_are_those_that_finn_s_own_nodes_give(name, tmp_path):
    expected = np.load(BUILDS / name / "framework.npz")["outputs"]
    found = read_finn(BUILDS / name, name)
    imported = import_finn(BUILDS / name, tmp_path, name)
    network = resolve_network(imported.network.workload)
    parameters = load_parameters(network, imported.network.weights_path)
    made = execute(network, parameters, _frames(name, len(expected)))
    scores = made.outputs[network.outputs[0]].reshape(len(expected), -1)
    claim = found.lowered.outputs[0]
    reals = scores * float(claim.gain) + float(claim.offset)
    assert len(reals) == 1000 and len(np.unique(expected, axis=0)) > 100
    np.testing.assert_allclose(reals, expected, rtol=0, atol=1e-5)
    assert (reals.argmax(axis=1) == expected.argmax(axis=1)).all()
    if name == "labels":  # FINN's answer is the classes themselves
        assert (made.predictions == expected[:, 0]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_build_and_its_streamlined_graph_check_equal_node_by_node(name, tmp_path):
    path = BUILDS / name
    report = check_model(path, import_finn(path, tmp_path).network.workload_path, random_inputs=1000)
    assert report.is_equal, str(report)
    plain = path / "intermediate_models/step_streamline.onnx"
    report = check_model(plain, import_model(plain, tmp_path).workload_path, random_inputs=200)
    assert report.is_equal, str(report)


def _attributes(path: Path) -> dict[str, dict[str, object]]:
    return {
        node.name: {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        for node in onnx.load(path).graph.node
    }


@pytest.mark.parametrize("name", NAMES)
def test_pe_and_simd_are_the_nodes_own(name):
    found = read_finn(BUILDS / name, name)
    said = _attributes(BUILDS / name / STEP)
    matrices = [node for node in said if node.startswith("MVAU")]
    assert matrices
    for node in matrices:
        mvau = found.design.graph.unit_by_name[found.chain.units[node].unit].parameters
        assert (mvau.pe, mvau.simd) == (said[node]["PE"], said[node]["SIMD"])
        assert (mvau.matrix_height, mvau.matrix_width) == (said[node]["MH"], said[node]["MW"])


@pytest.mark.parametrize("name", NAMES)
def test_products_borders_and_converters_are_the_nodes_own(name):
    """These builds say ``resType`` lut of every MVAU, and all converters are RTL."""
    found = read_finn(BUILDS / name, name)
    units = found.design.graph.unit_by_name
    for node, said in _attributes(BUILDS / name / STEP).items():
        if node.startswith("MVAU"):
            mvau = units[found.chain.units[node].unit].parameters
            has_products = {said["inputDataType"], said["weightDataType"]} - {b"BIPOLAR", b"BINARY"}
            assert mvau.products == (said["resType"].decode() if has_products else "auto")
        if node.startswith("FMPadding"):
            assert units[found.chain.units[node].unit].parameters.lanes == said["SIMD"]
    converters = [unit for unit in units.values() if isinstance(unit.parameters, Converter)]
    assert converters and {unit.library for unit in converters} == {"rtl"}


@pytest.mark.parametrize("age", OLDER)
@pytest.mark.parametrize("name", NAMES)
def test_older_names_of_the_same_nodes_are_the_same_design(name, age, tmp_path):
    domain, names = OLDER[age]
    model = onnx.load(BUILDS / name / STEP)
    for node in model.graph.node:
        if node.domain.startswith("finn.custom_op.fpgadataflow"):
            node.op_type = names.get(node.op_type, node.op_type)
            node.domain = domain
            node.name = ""
        for attribute in node.attribute if age == "2020" else ():
            if attribute.name in SQUARE:
                attribute.CopyFrom(onnx.helper.make_attribute(attribute.name, attribute.ints[0]))
    onnx.save(model, tmp_path / "old.onnx")
    old, new = read_finn(tmp_path / "old.onnx", "x"), read_finn(BUILDS / name / STEP, "x")
    assert old.lowered.workload.layers == new.lowered.workload.layers
    hardware = {layer: (own.pe, own.simd) for layer, own in new.design.architecture.layers.items()}
    assert {k: (v.pe, v.simd) for k, v in old.design.architecture.layers.items()} == hardware
    assert old.design.architecture.fifo_words == new.design.architecture.fifo_words


def test_a_depthwise_node_takes_the_cycles_that_finn_estimates_for_its_pe(tmp_path: Path) -> None:
    """8 channels on 4 x 4 behind 3 x 3 windows, two channels at once: 16 x 4 x 9 = 576, as FINN says."""
    import_finn(BUILDS / "depthwise", tmp_path, "depthwise")
    (architecture,) = tmp_path.glob("*-finn.yaml")
    design = build_design(load_architecture(architecture), load_workload(tmp_path / "depthwise.yaml"))
    (depthwise,) = (u for u in design.graph.units if getattr(u.parameters, "group_lanes", 1) > 1)
    estimates = json.loads((BUILDS / "depthwise/report/estimate_layer_cycles.json").read_text("utf-8"))
    assert unit_program(depthwise).words_in == estimates["VVAU_hls_0"] == 576
