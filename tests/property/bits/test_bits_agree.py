"""The simulated hardware's bits are the functional executor's, on every kind of unit and folding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnnsim.datapath.mismatch import BitMismatchError
from bnnsim.datapath.streaming.build import sink_values
from bnnsim.design.design import Design
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import random_parameters
from bnnsim.simulation import Stimulus, datapaths_for
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError
from tests.property.networks import designs

FRAMES = 2


@given(designs(), st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_simulated_words_equal_the_functional_executor(design: Design, seed: int) -> None:
    network = design.network
    stimulus = Stimulus(
        network, random_parameters(network, seed), random_frames(network, FRAMES, seed), None
    )
    datapaths = datapaths_for(design, stimulus)
    try:
        run_simpy(build_timing(design.graph), FRAMES, datapaths)  # every layer is checked on the way
    except DeadlockError:
        return
    values = sink_values(design.graph, design.network, datapaths, FRAMES)
    assert list(values) == list(network.outputs)
    for name, found in values.items():
        scores = np.asarray(stimulus.activations.scores_of(name))
        assert np.array_equal(found.reshape(FRAMES, -1), scores)


@given(designs(), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_a_flipped_weight_is_found_or_harmless(design: Design, seed: int) -> None:
    """The comparison can fail: where a flipped weight changes a layer's output, it says so."""
    network = design.network
    parameters = random_parameters(network, seed)
    assume(parameters.weights)
    frames = random_frames(network, FRAMES, seed)
    name, weights = sorted(parameters.weights.items())[0]
    flipped = weights.copy()
    flat = flipped.reshape(-1)
    bipolar = network.nodes[name].layer.weight.is_bipolar  # type: ignore[union-attr]
    flat[0] = 1 - flat[0] if bipolar else (-1 if flat[0] >= 0 else 1)
    weights = {**parameters.weights, name: flipped}
    other = type(parameters)(weights, parameters.thresholds, parameters.values)
    flipped_stimulus = Stimulus(network, other, frames, None)
    datapaths, right = datapaths_for(design, flipped_stimulus), flipped_stimulus.activations
    before = execute(network, parameters, frames).outputs[name]
    changed = not np.array_equal(before, right.outputs[name])
    wrong = datapaths_for(design, Stimulus(network, parameters, frames, None))
    # The hardware with the flipped weight, held against the network without it.
    mixed = {
        unit.name: datapaths[unit.name] if unit.layer != name else wrong[unit.name]
        for unit in design.graph.units
    }
    checked = mixed[f"{name}.mvau"]
    checked._inner = datapaths[f"{name}.mvau"]._inner  # type: ignore[attr-defined]
    found = ""
    try:
        run_simpy(build_timing(design.graph), FRAMES, mixed)
    except DeadlockError:
        return
    except BitMismatchError as error:
        found = error.layer
    assert found == (name if changed else "")


def test_mismatch_names_layer_pixel_and_channel() -> None:
    error = BitMismatchError("conv1", 2, 3, 4, 17, 1, -1)
    wanted = r"layer conv1, frame 2, pixel \(row 3, column 4\), channel 17: .* has 1, .* hardware -1"
    with pytest.raises(BitMismatchError, match=wanted):
        raise error
