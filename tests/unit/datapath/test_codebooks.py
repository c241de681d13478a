"""Kernels out of a codebook (Sub-bit networks): the same bits and cycles, less memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.network.network import resolve_network
from bnnsim.design.streaming.units import Mvau
from bnnsim.functional.parameters.parameters import check_parameters, random_parameters
from bnnsim.report.vectors.memories import unit_memories
from bnnsim.simulation import simulate
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload


def workload(book: int | None, channels: int = 8, **options: Any) -> Workload:
    conv = {"name": "a", "op": "conv", "out": channels, "kernel": 3, "activation": "bipolar", **options}
    layers = [conv | {"codebook": book}, {"name": "b", "op": "linear", "out": 4}]
    frame = {"shape": [channels, 5, 5], "type": "bipolar"}
    return Workload.model_validate({"name": "sub-bit", "input": frame, "layers": layers})


def architecture(simd: int, **defaults: Any) -> StreamingArchitecture:
    spec = {
        "name": "book",
        "source": "made for this test",
        "style": "streaming",
        "device": "xc7z020",
        "clock_mhz": 100,
        "defaults": defaults,
        "layers": {"a": {"pe": 2, "simd": simd}, "b": {"pe": 1, "simd": 4}},
    }
    return StreamingArchitecture.model_validate(spec)


def mvau_of(design: Design) -> Mvau:
    found = design.graph.unit_by_name["a.mvau"].parameters
    assert isinstance(found, Mvau)
    return found


@settings(max_examples=25)
@given(
    st.integers(2, 40),
    st.sampled_from([1, 2, 4, 8, 24]),
    st.sampled_from(["rtl", "row_buffer", "line_buffer"]),
    st.sampled_from([1, 2]),
    st.integers(0, 2**16),
)
def test_a_codebook_changes_no_bit_and_no_cycle(
    book: int, simd: int, style: str, groups: int, seed: int
) -> None:
    simd = 72 if style == "line_buffer" else simd
    network, plain = (workload(b, groups=groups) for b in (book, None))
    arch = architecture(max(1, simd // groups), sliding_window=style)
    weights = random_parameters(resolve_network(network), seed)
    kernels = weights.weights["a"].reshape(-1, 9)
    assert len(np.unique(kernels, axis=0)) <= book
    runs = [simulate(arch, one, frames=2, weights_seed=seed) for one in (network, plain)]
    assert runs[0].bit_exact and runs[0].cycles_total == runs[1].cycles_total


@pytest.mark.parametrize(("simd", "bits"), [(4, 4 * 5), (8, 8 * 5), (24, 24)])
def test_memories_hold_numbers_where_lanes_are_of_one_tap(simd: int, bits: int) -> None:
    """32 kernels are numbered with 5 bits; three taps side by side have weights of their own."""
    design = build_streaming_design(architecture(simd), workload(32))
    unit = mvau_of(design)
    assert unit.memory_bits == bits
    assert unit.memory_depth_words == 8 // 2 * (8 // simd if simd <= 8 else 3)
    weights = random_parameters(design.network, 3).weights
    held = unit_memories(design.graph.unit_by_name["a.mvau"], weights, {"a": np.zeros((8, 1), np.int64)})
    memory = next(one for one in held if one.role == "weights")
    assert (len(memory.words), memory.width_bits) == (unit.memory_depth_words, 2 * bits)
    if simd > 8:
        return
    kernels = next(one.words for one in held if one.role == "codebook")
    for row, channel in np.ndindex(8, 8):
        nf, pe = divmod(row, 2)
        word = memory.words[nf * (8 // simd) + channel // simd]
        number = word >> (pe * simd + channel % simd) * 5 & 31
        taps = [kernels[number] >> tap & 1 for tap in range(9)]
        assert taps == weights["a"][row, channel].reshape(-1).tolist()


@pytest.mark.parametrize("units", ["hls", "own"])
def test_a_large_layer_takes_less_memory(units: str) -> None:
    found = [
        estimate_resources(build_streaming_design(architecture(32, units=units), workload(book, 256)))
        for book in (None, 32)
    ]
    assert found[1].total.bram18 < 0.8 * found[0].total.bram18


def test_more_kernels_than_said_and_kernels_of_one_tap_are_faults() -> None:
    network = resolve_network(workload(4))
    drawn = random_parameters(resolve_network(workload(None)), 1)
    arrays = {f"{layer}.weights": array for layer, array in drawn.weights.items()}
    arrays["a.thresholds"] = drawn.thresholds["a"]
    with pytest.raises(SpecError, match=r"a.weights: expected at most 4 different kernels \(codebook\)"):
        check_parameters(network, arrays, "arrays")
    for wrong in ({"kernel": 1}, {"weight": "int2"}):
        with pytest.raises(ValueError, match="bipolar weights and a kernel of more than 1 x 1"):
            workload(4, **wrong)


def test_an_import_finds_kernels_that_come_again(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
    pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
    from tests.golden.imported.onnx_models import Builder
    from tests.unit.importers.onnx_layers import imported, scores_of, sums_of_image

    b = Builder((1, 3, 8, 8), seed=2)
    book = b.rng.choice([-1.0, 1.0], (16, 3, 3))
    x = b.op("Sign", b.batch_norm(sums_of_image(b, 16), 16, 3))
    x = b.conv(x, b.constant(book[b.rng.integers(0, 16, (16, 16))]), 3)
    x = b.op("Sign", b.batch_norm(x, 16, 5, "positive"))  # a gain below 0 would turn its row's kernels
    found = imported(b, scores_of(b, x, 16 * 16), tmp_path)
    books = [layer.codebook for layer in found.layers if layer.op == "conv"]
    assert books == [None, 16]
    assert "codebook: 16" in (tmp_path / "net.yaml").read_text()
