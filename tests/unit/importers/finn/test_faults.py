"""Damaged and hostile files of FINN are one line each, with the file, the node and what was expected."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.finn.folding import read_folding  # noqa: E402
from bnnsim.importers.finn.network import import_finn, read_finn  # noqa: E402
from bnnsim.importers.model import import_model  # noqa: E402
from bnnsim.spec.faults import SpecError  # noqa: E402

BUILDS = Path(__file__).resolve().parents[3] / "golden" / "imported" / "finn"
MODEL = BUILDS / "cnv" / "intermediate_models" / "step_set_fifo_depths.onnx"


def _refusal(path: Path, **options: object) -> str:
    with pytest.raises(SpecError) as error:
        import_finn(path, path.parent / "out", "x", **options)
    assert len(error.value.faults) == 1
    text = str(error.value.faults[0])
    assert "\n" not in text
    assert len(text) < 1200
    assert not (path.parent / "out").exists()
    return text


def _changed(tmp_path: Path, node_name: str, **attributes: object) -> Path:
    model = onnx.load(MODEL)
    node = next(n for n in model.graph.node if n.name == node_name)
    for key, value in attributes.items():
        kept = [a for a in node.attribute if a.name != key]
        del node.attribute[:]
        node.attribute.extend(kept)
        if value is not None:
            node.attribute.append(onnx.helper.make_attribute(key, value))
    onnx.save(model, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.mark.parametrize(
    ("node", "attributes", "text"),
    [
        ("MVAU_hls_1", {"PE": 3}, "MVAU_hls_1 .*PE that divides MH 8, got 3"),
        ("MVAU_hls_1", {"PE": 0}, "PE that divides MH 8, got 0"),
        ("MVAU_hls_1", {"PE": None}, "a whole number as PE, got nothing"),
        ("MVAU_hls_1", {"SIMD": "many"}, "a whole number as SIMD, got many"),
        ("MVAU_hls_1", {"MW": 71}, r"weights of shape \[MW, MH\], \[71, 8\], got \[72, 8\]"),
        ("MVAU_hls_0", {"ram_style": "paper"}, "a ram_style .*got paper"),
        ("ConvolutionInputGenerator_rtl_0", {"SIMD": 2}, "SIMD that divides IFMChannels 3, got 2"),
        ("ConvolutionInputGenerator_rtl_0", {"Stride": [0, 1]}, "at least 1"),
        ("ConvolutionInputGenerator_rtl_0", {"ConvKernelDim": [3, 3, 3]}, "two whole numbers"),
        ("ConvolutionInputGenerator_rtl_1", {"IFMDim": [1 << 40, 3]}, "IFMChannels and IFMDim"),
        ("StreamingFIFO_rtl_1", {"depth": 1 << 40}, "a depth of at most 8388608 words"),
        ("StreamingFIFO_rtl_1", {"depth": -1}, "a depth of at most"),
        ("Pool_hls_0", {"Function": "Median"}, "a Function MaxPool, AccPool or QuantAvgPool"),
    ],
)
def test_an_attribute_that_cannot_be_is_named_with_its_node(node, attributes, text, tmp_path):
    refusal = _refusal(_changed(tmp_path, node, **attributes))
    assert re.search(text, refusal), refusal
    assert node in refusal


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_model_is_one_line(share, tmp_path):
    content = MODEL.read_bytes()
    (tmp_path / "cut.onnx").write_bytes(content[: int(len(content) * share)])
    assert "cut.onnx" in _refusal(tmp_path / "cut.onnx")


@pytest.mark.parametrize("name", [b"MVAU_hls", b"StreamingFIFO_rtl", b"finn.custom_op"])
def test_a_name_that_is_no_text_is_one_line(name, tmp_path):
    content = MODEL.read_bytes()
    assert name in content
    (tmp_path / "bits.onnx").write_bytes(content.replace(name, b"\xff" + name[1:], 1))
    assert "bits.onnx: expected a whole ONNX file, got" in _refusal(tmp_path / "bits.onnx")


def test_a_circle_of_nodes_is_refused(tmp_path):
    model = onnx.load(MODEL)
    first, last = model.graph.node[0], model.graph.node[-1]
    first.input[0] = last.output[0]
    onnx.save(model, tmp_path / "circle.onnx")
    assert "a circle of" in _refusal(tmp_path / "circle.onnx")


def test_a_tensor_that_two_nodes_make_is_refused(tmp_path):
    model = onnx.load(MODEL)
    model.graph.node[3].output[0] = model.graph.node[2].output[0]
    onnx.save(model, tmp_path / "twice.onnx")
    assert "each tensor made once" in _refusal(tmp_path / "twice.onnx")


def test_an_unknown_unit_is_refused_with_those_that_are_read(tmp_path):
    model = onnx.load(MODEL)
    node = next(n for n in model.graph.node if n.op_type == "MVAU_hls")
    node.op_type = "Attention_hls"
    onnx.save(model, tmp_path / "new.onnx")
    refusal = _refusal(tmp_path / "new.onnx")
    assert "a unit that can be imported, got Attention_hls; known: AddStreams" in refusal


def _parent(tmp_path: Path, child: str) -> Path:
    given, made = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("a", [1, 48]), ("b", [1, 10]))
    )
    node = onnx.helper.make_node(
        "StreamingDataflowPartition",
        ["a"],
        ["b"],
        name="part",
        domain="finn.custom_op.fpgadataflow",
        model=f"/tmp/finn_dev_somebody/{child}",
    )
    graph = onnx.helper.make_graph([node], "parent", [given], [made])
    opset = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset), tmp_path / "parent.onnx")
    return tmp_path / "parent.onnx"


def test_a_partition_is_found_beside_its_parent(tmp_path):
    (tmp_path / "kernel_partitions").mkdir()
    content = (BUILDS / "mlp/intermediate_models/step_set_fifo_depths.onnx").read_bytes()
    (tmp_path / "kernel_partitions/partition_0.onnx").write_bytes(content)
    whole = read_finn(_parent(tmp_path, "partition_0.onnx"), "x")
    assert whole.design.architecture.layers == read_finn(BUILDS / "mlp", "x").design.architecture.layers


def test_a_partition_that_holds_itself_or_is_missing_is_refused(tmp_path):
    assert "does not hold itself" in _refusal(_parent(tmp_path, "parent.onnx"))
    refusal = _refusal(_parent(tmp_path, "gone.onnx"))
    assert "its partition gone.onnx" in refusal
    assert "part" in refusal


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "a folding of FINN"),
        (b'{"MVAU_hls_0": {"PE": 1', "a folding of FINN"),
        (b"[1, 2]", "a folding of FINN"),
        (b"[" * 100_000, "a folding of FINN"),
        (b'{"a":' * 50_000, "a folding of FINN"),
        (b'{"MVAU_hls_0": 3}', "MVAU_hls_0: expected an object of attributes, got 3"),
        (b'{"MVAU_hls_0": {"PE": 1.5}}', "PE: expected a whole number"),
        (b'{"MVAU_hls_0": {"PE": null}}', "PE: expected a whole number"),
        (b'{"MVAU_hls_0": {"PE": 1}, "MVAU_hls_0": {"PE": 2}}', "each name once, got MVAU_hls_0"),
        (b'{"Defaults": {"PE": 1}}', "a value and the types it is for"),
        (b'{"MVAU_hls_0": {"PE": ' + b"9" * 5000 + b"}}", "a folding of FINN"),
        (b"\xff\xfe\x00", "a folding of FINN"),
    ],
)
def test_a_folding_that_is_none_is_one_line(content, text, tmp_path):
    path = tmp_path / "folding.json"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=text) as error:
        read_folding(path)
    assert "\n" not in str(error.value)
    assert "folding.json" in str(error.value)


BESIDE = (
    *("final_hw_config.json", "dataflow_build_config.json", "build_config.json"),
    "report/rtlsim_performance.json",
)


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("content", [b"", b'{"Defaults": {}, "MVAU_h', b"[1]", b'{"a": {}, "a": {}}'])
def test_a_damaged_file_of_a_build_is_said_whether_it_is_needed_or_not(name, content, tmp_path):
    build = tmp_path / "build"
    shutil.copytree(BUILDS / "mlp", build)
    (build / name).write_bytes(content)
    assert name in _refusal(build)
    with pytest.raises(SpecError, match=Path(name).name):
        import_model(build, tmp_path / "out")


def test_names_of_no_node_are_refused_with_the_nearest(tmp_path):
    (tmp_path / "folding.json").write_text(json.dumps({"Defaults": {}, "MVAU_hls_9": {"PE": 1}}))
    with pytest.raises(SpecError, match="names of nodes of the model, got MVAU_hls_9"):
        read_finn(MODEL, "x", tmp_path / "folding.json")


def test_a_folder_without_a_build_says_what_was_looked_for(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "a FINN build: models with its nodes" in _refusal(tmp_path / "empty")
