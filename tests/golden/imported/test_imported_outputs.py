"""Every declared output of an imported model comes out of the hardware as ONNX's own evaluator has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from onnx.reference import ReferenceEvaluator

from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.parameters.parameters import check_parameters
from bnnsim.importers.onnx.network import LoweredModel, import_options, lower_model
from bnnsim.search.fold.fold import fold
from bnnsim.simulation import Stimulus, simulate_design
from bnnsim.simulation.options import RunOptions
from bnnsim.spec.load import from_spec, load_architecture
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError

from .onnx_heads import random_heads

INPUTS = 6


def imported(seed: int) -> tuple[Any, LoweredModel]:
    model = random_heads(seed)
    return model, lower_model(model, "drawn.onnx", "drawn", import_options())


def stimulus_of(lowered: LoweredModel, seed: int, count: int) -> tuple[Stimulus, np.ndarray]:
    """Bits as the network's frames ``{0, 1}``, and as the model's real input."""
    network = resolve_network(lowered.workload)
    parameters = check_parameters(network, dict(lowered.arrays), "drawn")
    bits = np.random.default_rng(seed).integers(0, 2, (count, 3, 6, 6))
    frames = bits.astype(np.uint8).reshape(count, *network.input.shape)
    return Stimulus(network, parameters, frames, None), (bits * 2 - 1).astype(np.float32)


def values(lowered: LoweredModel, scores: dict[str, np.ndarray], number: int) -> np.ndarray:
    """What the notes of an import say of output ``number``: gain, offset, and the order of its axes."""
    out = lowered.outputs[number]
    real = scores[out.layer] * float(out.gain) + float(out.offset)
    return real.transpose(0, 2, 3, 1) if out.order in ("HWC", "HW") else real


def is_right(kind: str, found: np.ndarray, real: np.ndarray) -> bool:
    """Whether the model's output follows from the values that the workload keeps in front of its end."""
    flat = real.reshape(len(real), -1)
    if kind == "ArgMax":
        return bool(np.array_equal(found.reshape(-1), flat.argmax(axis=1)))
    if kind in ("Softmax", "LogSoftmax"):
        powers = np.exp(flat - flat.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        return bool(np.allclose(found if kind == "Softmax" else np.exp(found), shares, atol=1e-6))
    return bool(np.array_equal(found.reshape(flat.shape), flat))


def ends_of(model: Any) -> dict[str, str]:
    """For every output behind an Identity behind an end, the end's kind."""
    made = {name: node for node in model.graph.node for name in node.output}
    kinds = {}
    for value in model.graph.output:
        node = made[value.name]
        while node.op_type == "Identity":
            node = made[node.input[0]]
        kinds[value.name] = node.op_type
    return kinds


def compare(model: Any, lowered: LoweredModel, scores: dict[str, np.ndarray], x: np.ndarray) -> None:
    names = [value.name for value in model.graph.output]
    assert [out.output for out in lowered.outputs] == names
    evaluator = ReferenceEvaluator(model)
    runs = [evaluator.run(None, {"x": one[None]}) for one in x]
    kinds = ends_of(model)
    for number, name in enumerate(names):
        found = np.concatenate([np.atleast_1d(run[number]) for run in runs])
        assert is_right(kinds[name], found, values(lowered, scores, number)), name


@pytest.mark.parametrize("seeds", [range(25), range(25, 50), range(50, 75)], ids=str)
def test_every_output_equals_the_model_s_own(seeds: range) -> None:
    several = 0
    for seed in seeds:
        model, lowered = imported(seed)
        stimulus, x = stimulus_of(lowered, seed, INPUTS)
        activations = execute(stimulus.network, stimulus.parameters, stimulus.frames)
        scores = {
            name: activations.scores_of(name).reshape(INPUTS, *stimulus.network.tensor(name).shape)
            for name in stimulus.network.outputs
        }
        compare(model, lowered, scores, x)
        several += len(stimulus.network.outputs) > 1
    assert several > len(seeds) / 3


@pytest.mark.parametrize("seed", range(8))
def test_the_pipeline_s_sinks_take_the_model_s_outputs(seed: int, tmp_path: Path) -> None:
    model, lowered = imported(seed)
    stimulus, x = stimulus_of(lowered, seed, 2)
    path = tmp_path / "arch.yaml"
    path.write_text(fold(from_spec(lowered.workload), "xczu3eg", 20_000).text())
    design = build_streaming_design(load_architecture(path), lowered.workload)
    run = simulate_design(design, stimulus, RunOptions(frames=2))
    found = {one.name: (one.scores, one.shape) for one in run.outputs}
    if not found:
        assert run.scores is not None
        found = {design.network.output: (run.scores, design.network.tensor(design.network.output).shape)}
    scores = {name: np.array(rows).reshape(2, *shape) for name, (rows, shape) in found.items()}
    compare(model, lowered, scores, x)
    timing = build_timing(design.graph)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        depths = {channel.name: int(rng.integers(1, 40)) for channel in timing.channels}
        graph = timing.with_depths({n: d for n, d in depths.items() if n in design.graph.stream_by_name})
        try:
            expected = run_simpy(graph, 4)
        except DeadlockError:
            with pytest.raises(DeadlockError, match="deadlock"):
                run_compiled(graph, 4)
            continue
        assert tuple(run_compiled(graph, 4).result.frame_end_cycles) == expected.frame_end_cycles
