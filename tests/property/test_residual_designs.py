"""Residual activations, a word a level, through every kind of unit that carries them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.datapath.mismatch import BitMismatchError
from bnnsim.datapath.streaming.build import sink_values
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Converter, Mvau
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import random_parameters
from bnnsim.simulation import Stimulus, datapaths_for
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

from .clockwork import run_clockwork
from .networks import WINDOWS, _build, _divisors

FRAMES = 3


@st.composite
def residual_designs(draw: st.DrawFn) -> Design:
    """Two convolutions, a pool, and one or two linear layers, with 1 to 4 levels and any folding: of
    ReBNet's arithmetic, or worth integers."""
    levels, in_integers = draw(st.integers(1, 4)), draw(st.booleans())
    mean_bits = draw(st.sampled_from([1, 5, 12, 24]))
    activation = f"residual{levels}.{mean_bits}" if in_integers else f"residual{levels}"
    ends_in_levels = draw(st.booleans())
    layers: list[dict[str, Any]] = [
        {"name": "a", "op": "conv", "out": 4, "kernel": 3, "activation": activation},
        {"name": "b", "op": "conv", "out": 4, "kernel": draw(st.sampled_from([1, 3]))},
        {"name": "pool", "op": "max_pool", "kernel": 2},
        {"name": "c", "op": "linear", "out": 4},
    ]
    layers[1]["activation"] = activation
    for layer in layers[:2]:
        layer["groups"] = draw(st.sampled_from([1, 1, 2]))
    reach = layers[1]["kernel"]
    if reach == 3 and draw(st.booleans()):  # the same map, by a border that makes up for the dilation
        layers[1] |= {"dilation": 2, "pad": 1, "pad_value": draw(st.sampled_from([0, 2**levels - 1]))}
        if in_integers:
            layers[1]["pad_value"] = draw(st.sampled_from([-1, 0, 1]))
    if ends_in_levels:
        layers[-1]["activation"] = activation
    elif in_integers:
        layers[-1] |= draw(st.sampled_from([{}, {"activation": "bipolar"}, {"activation": "uint2"}]))
    side = 8 if layers[1]["kernel"] == 3 else 6
    input_type = draw(st.sampled_from(["fixed8.7", "bipolar", "int4"]))
    frame = {"shape": [2, side, side], "type": input_type}
    workload = Workload.model_validate({"name": "random", "input": frame, "layers": layers})
    a, b = (layer["groups"] for layer in layers[:2])
    columns = {"a": 18 // a, "b": 4 // b * layers[1]["kernel"] ** 2, "c": 16}
    hardware: dict[str, Any] = {
        name: {
            "pe": draw(st.sampled_from([1, 2] if {"a": a, "b": b}.get(name, 1) == 2 else [1, 2, 4])),
            "simd": draw(st.sampled_from(_divisors(count))),
            "sliding_window": draw(st.sampled_from([*WINDOWS, "line_buffer"])),
            "out_fifo_words": draw(st.integers(1, 8)),
        }
        for name, count in columns.items()
    }
    hardware["pool"] = {"pool": draw(st.sampled_from(["line_buffered", "streaming"]))}
    defaults = {
        "units": draw(st.sampled_from(["hls", "rtl"])),
        "pipeline": draw(st.sampled_from(["freezing", "flushing"])),
        "fifo_words": draw(st.integers(1, 6)),
    }
    return _build(workload, hardware, defaults)


def stimulus_of(design: Design, seed: int) -> Stimulus:
    network = design.network
    return Stimulus(
        network, random_parameters(network, seed), random_frames(network, FRAMES, seed), None
    )


@given(residual_designs(), st.integers(0, 2**32 - 1))
@settings(max_examples=80)
def test_levels_arrive_bit_for_bit_and_when_the_compiled_executor_says(
    design: Design, seed: int
) -> None:
    timing = build_timing(design.graph)
    stimulus = stimulus_of(design, seed)
    datapaths = datapaths_for(design, stimulus)
    result = run_simpy(timing, FRAMES, datapaths)  # every layer is checked on the way
    (values,) = sink_values(design.graph, design.network, datapaths, FRAMES).values()
    assert np.array_equal(values.reshape(FRAMES, -1), np.asarray(stimulus.activations.scores))
    compiled = run_compiled(timing, FRAMES).result
    assert tuple(compiled.frame_end_cycles) == tuple(result.frame_end_cycles)


@given(residual_designs())
@settings(max_examples=10)
def test_levels_take_the_cycles_of_the_clock_loop(design: Design) -> None:
    timing = build_timing(design.graph)
    ends = run_simpy(timing, 2).frame_end_cycles
    assert tuple(ends) == tuple(run_clockwork(timing, 2).result.frame_end_cycles)


@given(residual_designs(), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_another_bias_than_the_networks_is_found_or_harmless(design: Design, seed: int) -> None:
    stimulus = stimulus_of(design, seed)
    parameters = stimulus.parameters
    values = {name: dict(own) for name, own in parameters.values.items()}
    thresholds = dict(parameters.thresholds)
    if "b" in thresholds:
        thresholds["b"] = thresholds["b"] + 2
    else:
        values["b"]["bias"] = values["b"]["bias"] + 64
    changed = type(parameters)(parameters.weights, thresholds, values)
    other = Stimulus(design.network, changed, stimulus.frames, None)
    others, after = datapaths_for(design, other), other.activations
    datapaths, before = datapaths_for(design, stimulus), stimulus.activations
    # The hardware with another bias, held against the network without it.
    datapaths["b.mvau"]._inner = others["b.mvau"]._inner  # type: ignore[attr-defined]
    found = ""
    try:
        run_simpy(build_timing(design.graph), FRAMES, datapaths)
    except BitMismatchError as error:
        found = str(error)
    differs = not np.array_equal(before.outputs["b"], after.outputs["b"])
    assert ("layer b, frame" in found and ", level " in found) == differs


@given(residual_designs())
@settings(max_examples=40)
def test_each_unit_passes_a_word_a_level(design: Design) -> None:
    for unit in design.graph.units:
        for name in unit.inputs:
            stream = design.graph.stream_by_name[name]
            if isinstance(unit.parameters, Mvau):
                assert stream.words == unit.parameters.words_in
            if isinstance(unit.parameters, Converter):
                assert stream.words == unit.parameters.words_in
                out = design.graph.stream_by_name[unit.outputs[0]]
                assert out.words == unit.parameters.words_out
                assert out.words * out.lanes == stream.words * stream.lanes
