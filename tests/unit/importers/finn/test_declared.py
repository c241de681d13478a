"""What a build declares: how wide its sums are, and in its RTL what waits behind weight memories."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.streaming.units import Mvau  # noqa: E402
from bnnsim.finn.writing import folding_of  # noqa: E402
from bnnsim.importers.finn.network import import_finn, read_finn  # noqa: E402
from bnnsim.spec.faults import SpecError  # noqa: E402

BUILDS = Path(__file__).resolve().parents[3] / "golden" / "imported" / "finn"
STEP = Path("intermediate_models") / "step_set_fifo_depths.onnx"
RTL = Path("stitched_ip") / "ip" / "verilog" / "rtl_ops"
QUEUED = "module memstream #()();\n\tlocalparam int unsigned  FULL_CREDIT = {};\nendmodule\n"
OLD = "module memstream #()();\n\tuwire  rollback;\nendmodule\n"


def _said(path: Path) -> dict[str, int | None]:
    """``sum_bits`` of every layer with weights, its own or the default."""
    arch = read_finn(path, "x").design.architecture
    return {
        name: one.sum_bits or arch.defaults.sum_bits
        for name, one in arch.layers.items()
        if one.simd is not None
    }


def test_sums_are_as_wide_as_accDataType_of_each_node():
    bits = {"conv0": 14, "conv1": 7, "conv2": 7, "gemm0": 7, "gemm1": 4}
    assert list(_said(BUILDS / "cnv").values()) == list(bits.values())
    design = read_finn(BUILDS / "cnv", "x").design
    units = [unit.parameters for unit in design.graph.units if isinstance(unit.parameters, Mvau)]
    assert [unit.sum_bits for unit in units] == list(bits.values())


def test_a_depthwise_unit_s_sums_are_declared_too():
    assert list(_said(BUILDS / "depthwise").values()) == [7, 6, 6, 16]


def _changed(tmp_path: Path, **attributes: str | None) -> Path:
    """The build of ``mlp`` with attributes of all MVAUs changed or (None) left out."""
    folder = tmp_path / "build"
    shutil.copytree(BUILDS / "mlp", folder)
    model = onnx.load(folder / STEP)
    for node in (n for n in model.graph.node if n.op_type == "MVAU_hls"):
        kept = [a for a in node.attribute if a.name not in attributes]
        new = [onnx.helper.make_attribute(k, v) for k, v in attributes.items() if v is not None]
        del node.attribute[:]
        node.attribute.extend([*kept, *new])
    onnx.save(model, folder / STEP)
    return folder


def test_code_that_was_made_without_minimised_widths_has_sums_of_32_bits(tmp_path):
    """``INT32`` is what FINN's MVAU takes where nothing is set."""
    folder = _changed(tmp_path, accDataType=None, code_gen_dir_ipgen="/finn/code_gen_ipgen_MVAU_hls_0")
    arch = read_finn(folder, "x").design.architecture
    assert arch.defaults.sum_bits == 32
    assert {one.sum_bits for one in arch.layers.values()} == {None}


def test_widths_that_may_be_minimised_yet_are_not_said(tmp_path):
    assert set(_said(_changed(tmp_path, accDataType=None)).values()) == {None}


def test_what_is_no_type_of_whole_numbers_is_said_or_refused(tmp_path):
    found = read_finn(_changed(tmp_path / "a", accDataType="FLOAT32"), "x")
    assert "MVAU_hls_0: accDataType FLOAT32; sums as wide as they must be here" in found.losses
    assert found.design.architecture.layers["fc0"].sum_bits is None
    for type_, text in (("paper", "paper"), ("INT65", "INT65"), ("INT" + "9" * 5000, "INT999")):
        path = _changed(tmp_path / type_[:6], accDataType=type_)
        refusal = f"MVAU_hls_0 .*accDataType of 1 to 64 bits, got {text}"
        with pytest.raises(SpecError, match=refusal) as error:
            read_finn(path, "x")
        assert len(error.value.faults) == 1
        assert len(str(error.value)) < 1200


def _with_rtl(tmp_path: Path, name: str = "mlp", **texts: str) -> Path:
    folder = tmp_path / "build"
    shutil.copytree(BUILDS / name, folder)
    for node, text in texts.items():
        (folder / RTL / node).mkdir(parents=True)
        (folder / RTL / node / "memstream.sv").write_text(text)
    return folder


def test_the_queue_of_a_build_s_own_memstream_is_said_and_from_where(tmp_path):
    files = {"MVAU_hls_0": QUEUED.format(8), "MVAU_hls_1": QUEUED.format(8)}
    folder = _with_rtl(tmp_path, **files)
    found = import_finn(folder, tmp_path / "out", "x")
    assert found.architecture.defaults.weight_queue_words == 8
    assert "weight_queue_words: 8" in found.architecture_path.read_text()
    [note] = [note for note in found.notes if "weight_queue_words" in note]
    assert note == f"weight_queue_words 8 of {(RTL / 'MVAU_hls_0' / 'memstream.sv').as_posix()}"
    bare = import_finn(BUILDS / "mlp", tmp_path / "bare", "x")
    assert "weight_queue_words" not in bare.architecture_path.read_text()
    assert not any("weight_queue_words" in note for note in bare.notes)


def test_a_memstream_without_a_queue_has_none(tmp_path):
    found = read_finn(_with_rtl(tmp_path, MVAU_hls_0=OLD), "x")
    assert found.design.architecture.defaults.weight_queue_words == 0


def test_rtl_of_several_ages_says_nothing_but_that(tmp_path):
    found = read_finn(_with_rtl(tmp_path, MVAU_hls_0=OLD, MVAU_hls_1=QUEUED.format(8)), "x")
    assert found.design.architecture.defaults.weight_queue_words == 0
    assert "memstream.sv of several ages: weight_queue_words is not said" in found.build.notes


def test_weights_that_no_memory_streams_have_no_queue(tmp_path):
    folder = _with_rtl(tmp_path, MVAU_hls_0=QUEUED.format(8))
    model = onnx.load(folder / STEP)
    node = next(n for n in model.graph.node if n.name == "MVAU_hls_1")
    kept = [a for a in node.attribute if a.name != "mem_mode"]
    del node.attribute[:]
    node.attribute.extend([*kept, onnx.helper.make_attribute("mem_mode", "internal_embedded")])
    onnx.save(model, folder / STEP)
    graph = read_finn(folder, "x").design.graph
    units = [unit.parameters for unit in graph.units if isinstance(unit.parameters, Mvau)]
    assert [unit.queue_words for unit in units] == [8, 0, 8]


@pytest.mark.parametrize("words", ["17", "9" * 5000])
def test_a_queue_that_cannot_be_is_refused_by_its_file(words, tmp_path):
    folder = _with_rtl(tmp_path, MVAU_hls_0=QUEUED.format(words))
    refusal = r"memstream.sv: expected a FULL_CREDIT of at most 16 words, got \d"
    with pytest.raises(SpecError, match=refusal) as error:
        read_finn(folder, "x")
    assert len(str(error.value)) < 1200


@pytest.mark.parametrize("name", ["cnv", "depthwise", "labels", "mlp", "residual"])
def test_what_is_declared_changes_no_folding(name, tmp_path):
    folder = _with_rtl(tmp_path, name, MVAU_hls_0=QUEUED.format(8))
    written = folding_of(read_finn(folder, "x").design, folder)
    assert written.text() == (folder / "final_hw_config.json").read_text()
