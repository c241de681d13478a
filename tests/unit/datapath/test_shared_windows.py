"""Convolutions that read one sliding window: the same bits, fewer units, the cycles of every executor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.cost.resources import estimate_resources
from bnnsim.datapath.streaming.build import sink_values
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.known_parts import KnownParts
from bnnsim.design.network.network import resolve_network
from bnnsim.design.streaming.layout import build_streaming
from bnnsim.design.streaming.units import Window
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import random_parameters
from bnnsim.simulation import Stimulus, datapaths_for
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import from_spec
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from tests.property.clockwork import run_clockwork

FRAMES = 2
CONV: dict[str, Any] = {"op": "conv", "out": 4, "kernel": 3, "pad": 1, "inputs": ["a"]}


def workload(bases: int, **options: Any) -> Workload:
    """So many bases of one convolution, added up; their input is an output too."""
    names = [f"b{i}" for i in range(bases)]
    layers = [
        {"name": "a", "op": "conv", "out": 4, "kernel": 1, "activation": "bipolar"},
        *({"name": name, **CONV, **options} for name in names),
        {"name": "sum", "op": "add", "inputs": names},
    ]
    frame = {"shape": [2, 6, 6], "type": "int4"}
    data = {"name": "bases", "input": frame, "layers": layers, "outputs": ["sum", "a"]}
    return Workload.model_validate(data)


def architecture(layers: dict[str, Any], **defaults: Any) -> StreamingArchitecture:
    spec = {
        "name": "shared",
        "source": "made for this test",
        "style": "streaming",
        "device": "xc7z020",
        "clock_mhz": 100,
        "defaults": {"fifo_words": 300, **defaults},
        "layers": {"a": {"pe": 2, "simd": 2}, **layers},
    }
    return StreamingArchitecture.model_validate(spec)


def design(network: Workload, layers: dict[str, Any], **defaults: Any) -> Design:
    return build_streaming_design(architecture(layers, **defaults), network)


def shared(bases: int, lanes: int = 4, **more: Any) -> dict[str, Any]:
    layers: dict[str, Any] = {f"b{i}": {"pe": 2, "simd": lanes} for i in range(bases)}
    for i in range(1, bases):
        layers[f"b{i}"] |= {"window_of": "b0", **more}
    return layers


def windows(found: Design) -> list[str]:
    return [unit.name for unit in found.graph.units if isinstance(unit.parameters, Window)]


@settings(max_examples=40)
@given(
    st.integers(2, 4),
    st.sampled_from([-1, 0, 1]),
    st.sampled_from(["rtl", "row_buffer", "line_buffer"]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2, 4, 12]),
    st.sampled_from([1, 2]),
    st.integers(0, 2**16),
)
def test_bits_are_the_networks_and_cycles_those_of_all_executors(
    bases: int, pad_value: int, style: str, simd: int, other: int, groups: int, seed: int
) -> None:
    network = workload(bases, pad_value=pad_value, groups=groups)
    own = 36 if style == "line_buffer" else simd
    layers = shared(bases, max(1, own // groups), simd=max(1, other // groups))
    found = design(network, layers, sliding_window=style)
    assert windows(found) == ["b0.window"]
    weights = random_parameters(found.network, seed)
    stimulus = Stimulus(found.network, weights, random_frames(found.network, FRAMES, seed), None)
    datapaths = datapaths_for(found, stimulus)
    timing = build_timing(found.graph)
    result = run_simpy(timing, FRAMES, datapaths)  # every layer is checked on the way
    for name, values in sink_values(found.graph, found.network, datapaths, FRAMES).items():
        scores = np.asarray(stimulus.activations.scores_of(name))
        assert np.array_equal(values.reshape(FRAMES, -1), scores)
    ends = tuple(result.frame_end_cycles)
    assert tuple(run_compiled(timing, FRAMES).result.frame_end_cycles) == ends
    if seed % 8 == 0:
        assert tuple(run_clockwork(timing, FRAMES).result.frame_end_cycles) == ends


def test_a_shared_window_saves_what_a_border_and_a_window_take() -> None:
    network, alone = workload(3), {f"b{i}": {"pe": 2, "simd": 4} for i in range(3)}
    apart, together = design(network, alone), design(network, shared(3))
    names = [unit.name for unit in together.graph.units]
    gone = [unit for unit in apart.graph.units if unit.name not in names]
    assert [unit.name for unit in gone] == [
        *("b1.widen", "b1.pad", "b1.window"),
        *("b2.widen", "b2.pad", "b2.window"),
    ]
    assert together.graph.unit_by_name["b0.window.split"].layer == "b0"
    before, after = (estimate_resources(one).total for one in (apart, together))
    assert after.lut < before.lut and after.bram18 <= before.bram18


def test_pipelines_that_know_each_other_share_as_each_says() -> None:
    """Parts of a search's pipelines are taken only where they are the same."""
    network, known = workload(3), KnownParts()
    foldings = [shared(3), {f"b{i}": {"pe": 2, "simd": 4} for i in range(3)}, shared(3), shared(2)]
    foldings[3] |= {"b2": {"pe": 2, "simd": 4}}
    for layers in foldings:
        given = from_spec(architecture(layers))
        graph, faults = build_streaming(given, resolve_network(network), known=known)
        assert (graph, faults) == (design(network, layers).graph, [])


@pytest.mark.parametrize(
    ("layer", "window", "expected"),
    [
        ({}, "b9", "window_of: expected a convolution in front with this one's input.*got 'b9'.*b0"),
        ({}, "a", "expected a convolution in front with this one's input"),
        ({}, "b1", "expected a convolution in front with this one's input"),
        ({"kernel": 1, "pad": 0}, "b0", "expected a convolution in front with this one's input"),
        ({"pad_value": 0}, "b0", "expected a convolution in front with this one's input"),
        ({"inputs": ["b0"]}, "b0", "expected a convolution in front with this one's input"),
    ],
)
def test_windows_that_cannot_be_shared_are_said(
    layer: dict[str, Any], window: str, expected: str
) -> None:
    data = workload(2).model_dump()
    data["layers"][2] |= layer
    if "inputs" in layer or "kernel" in layer:
        data["layers"] = data["layers"][:3]
        data["outputs"] = ["b1"] if "inputs" in layer else ["b0", "b1"]
    layers = shared(2)
    layers["b1"]["window_of"] = window
    with pytest.raises(SpecError, match=expected):
        design(Workload.model_validate(data), layers)


def test_a_shared_window_has_its_owners_lanes() -> None:
    with pytest.raises(SpecError, match="simd_window: expected none beside window_of, got 2"):
        design(workload(2), shared(2, simd_window=2))
    pointwise = workload(2, kernel=1, pad=0)
    with pytest.raises(SpecError, match="expected a convolution that has a sliding window, got 'b0'"):
        design(pointwise, shared(2))
