"""Any legal folding, written and read back onto the same model, is the same design."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.design.design import Design
from bnnsim.finn.writing import FinnFolding, folding_of
from bnnsim.importers.finn.network import FinnDesign, read_finn
from bnnsim.importers.finn.nodes import DataflowNode

BUILDS = Path(__file__).resolve().parents[2] / "golden" / "imported" / "finn"
NAMES = sorted(path.name for path in BUILDS.iterdir() if path.is_dir())
UNFOLDED = "intermediate_models/step_generate_estimate_reports.onnx"
INSERTED = "intermediate_models/step_set_fifo_depths.onnx"

Entries = dict[str, dict[str, Any]]
DEPTHS = st.sampled_from([2, 3, 8, 33, 700, 20_000])
STYLES = st.sampled_from(["auto", "block", "distributed", "ultra"])
PRODUCTS = st.sampled_from(["auto", "lut", "dsp"])


def _divisor(draw: st.DrawFn, whole: int) -> int:
    return draw(st.sampled_from([d for d in range(1, whole + 1) if whole % d == 0]))


def _lanes(draw: st.DrawFn, node: DataflowNode, lanes: dict[str, int]) -> dict[str, Any]:
    """What FINN's rules let a node have; ``lanes`` of VVAUs, pools and their windows, which agree."""
    match node.kind:
        case "MVAU":
            folds = {"PE": _divisor(draw, node.number("MH")), "SIMD": _divisor(draw, node.number("MW"))}
            return folds | {"ram_style": draw(STYLES), "resType": draw(PRODUCTS)}
        case "VVAU":
            channels, (height, width) = node.number("Channels"), node.pair("Kernel")
            pe = lanes[node.name]
            simd = _divisor(draw, height * width) if pe == channels else 1
            return {"PE": pe, "SIMD": simd, "ram_style": draw(STYLES)}
        case "ConvolutionInputGenerator":
            channels = node.number("IFMChannels")
            simd = lanes.get(node.name) or _divisor(draw, channels)
            is_parallel = simd == channels and not node.number("depthwise", 0) and draw(st.booleans())
            return {"SIMD": simd, "parallel_window": int(is_parallel)}
        case "Pool":
            return {"PE": lanes[node.name]}
        case "LabelSelect":
            return {"PE": _divisor(draw, node.number("Labels"))}
        case "FMPadding":
            return {"SIMD": _divisor(draw, node.number("NumChannels"))}
    return {}


@st.composite
def foldings(draw: st.DrawFn, found: FinnDesign) -> Entries:
    """A folding drawn from FINN's rules, with depths at both ends of every stream."""
    lanes: dict[str, int] = {}
    for node in found.chain.nodes.values():
        if node.kind == "VVAU" or node.kind == "Pool":
            window = found.chain.front(node)
            assert window is not None
            lanes[node.name] = lanes[window.name] = _divisor(draw, node.number("Channels"))
    entries: Entries = {"Defaults": {}}
    for node in found.chain.nodes.values():
        own = _lanes(draw, node, lanes)
        if node.name in found.chain.units:
            own |= {"inFIFODepths": [draw(DEPTHS)], "outFIFODepths": [draw(DEPTHS)]}
        if own:
            entries[node.name] = own
    return entries


def _read(model: Path, folding: str, room: Path) -> Design:
    (room / "folding.json").write_text(folding)
    return read_finn(model, "x", room / "folding.json").design


def _there_and_back(path: Path, drawn: Entries) -> tuple[Design, FinnFolding]:
    """The design of a folding, and what is written of it, which has to be read as the same design."""
    with tempfile.TemporaryDirectory() as room:
        design = _read(path, json.dumps(drawn), Path(room))
        written = folding_of(design, path)
        again = _read(path, written.text(), Path(room))
    assert again.graph.units == design.graph.units
    assert again.graph.streams == design.graph.streams
    return design, written


@pytest.mark.parametrize("model", [UNFOLDED, INSERTED, "."])
@pytest.mark.parametrize("name", NAMES)
def test_any_legal_folding_comes_back_as_the_same_design(name, model):
    path = BUILDS / name / model
    found = read_finn(path, "x")

    @settings(max_examples=8)
    @given(foldings(found))
    def comes_back(drawn: Entries) -> None:
        design, written = _there_and_back(path, drawn)
        for node, own in drawn.items():
            if node.startswith("ConvolutionInputGenerator"):
                assert written.entries[node]["SIMD"] == own["SIMD"]
            if node.startswith("LabelSelect"):
                assert written.entries[node]["PE"] == own["PE"]
            if node.startswith(("MVAU", "VVAU")):
                behind = [
                    stream.depth_words
                    for stream in design.graph.streams
                    if stream.writer == found.chain.units[node].unit
                ]
                assert min(behind) >= own["outFIFODepths"][0]
                said = {key: written.entries[node].get(key) for key in ("PE", "SIMD", "ram_style")}
                assert said == {key: own[key] for key in said}

    comes_back()


@st.composite
def fifo_depths(draw: st.DrawFn, fifos: list[str]) -> Entries:
    return {"Defaults": {}} | {name: {"depth": draw(DEPTHS)} for name in fifos if draw(st.booleans())}


@pytest.mark.parametrize("model", [INSERTED, "."])
@pytest.mark.parametrize("name", NAMES)
def test_depths_of_fifo_nodes_come_back_at_the_nodes_that_stand_alone(name, model):
    """Of several FIFOs in a row the words come back together."""
    path = BUILDS / name / model
    found = read_finn(path, "x")
    fifos = [node.name for node in found.chain.nodes.values() if node.kind == "StreamingFIFO"]
    alone = [held[0].name for held in found.depths.holders.values() if len(held) == 1]
    assert len(alone) > 3

    @settings(max_examples=8)
    @given(fifo_depths(fifos))
    def comes_back(drawn: Entries) -> None:
        _, written = _there_and_back(path, drawn)
        for node in set(alone) & set(drawn):
            assert written.entries[node]["depth"] == drawn[node]["depth"]

    comes_back()
