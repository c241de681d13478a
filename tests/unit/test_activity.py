"""Switching activity counted against a dumb count, and what it does to the power."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.datapath.engine.toggles import count_engine_toggles
from bnnsim.datapath.streaming.toggles import ToggleCounter
from bnnsim.design.build import build_engine_design
from bnnsim.design.network.network import INPUT
from bnnsim.design.streaming.units import Mvau
from bnnsim.evaluation import evaluate
from bnnsim.simulation import load_streaming_design, simulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

CHANNELS = (4, 8, 8)


@dataclass
class Recorder:
    """Keeps every word that passes, by channel."""

    written: dict[int, list[int]] = field(default_factory=dict)
    read: dict[int, list[int]] = field(default_factory=dict)

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        self.written.setdefault(channel, []).append(word)

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        self.read.setdefault(channel, []).append(word)

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None:
        pass

    def stepped(self, unit: int, cycle: int) -> None:
        pass


def _random_pair(seed: int) -> tuple[StreamingArchitecture, Workload]:
    """A small network of random widths on a random folding."""
    rng = random.Random(seed)
    first, second = rng.choice(CHANNELS), rng.choice(CHANNELS)
    padding = rng.choice((0, 1))
    side = 6 if padding else 4

    def folds(height: int, width: int) -> dict[str, int]:
        pe = rng.choice([d for d in (1, 2, 4, 8) if height % d == 0])
        simd = rng.choice([d for d in (1, 2, 4) if width % d == 0])
        return {"pe": pe, "simd": simd}

    layers = [
        {"name": "conv", "op": "conv", "out": first, "kernel": 3, "pad": padding}
        | {"activation": "bipolar"},
        {"name": "fc", "op": "linear", "out": second, "activation": "bipolar"},
        {"name": "out", "op": "linear", "out": 4},
    ]
    workload = Workload.model_validate(
        {"name": "small", "input": {"shape": [4, 6, 6], "type": "bipolar"}, "layers": layers}
    )
    architecture = StreamingArchitecture.model_validate(
        {
            "name": "small",
            "source": "made for this test",
            "style": "streaming",
            "device": "xc7z020",
            "clock_mhz": 100,
            "layers": {
                "conv": folds(first, 4),
                "fc": folds(second, first * side * side),
                "out": folds(4, second),
            },
        }
    )
    return architecture, workload


def _changes(words: list[int]) -> int:
    """Bits that differ from one word to the next, the first against zeros, bit by bit."""
    count, before = 0, 0
    for word in words:
        for bit in range(max(word, before).bit_length()):
            count += (word >> bit) % 2 != (before >> bit) % 2
        before = word
    return count


def _operand_words(words: list[int], mvau: Mvau) -> list[int]:
    """What stands in the operand register cycle after cycle: a vector, once for each neuron fold."""
    seen: list[int] = []
    for start in range(0, len(words), mvau.synapse_fold):
        for _ in range(mvau.neuron_fold):
            seen += words[start : start + mvau.synapse_fold]
    return seen


@pytest.mark.parametrize("seed", range(6))
def test_toggles_are_those_of_a_bit_by_bit_count(seed: int) -> None:
    architecture, workload = _random_pair(seed)
    design, _ = load_streaming_design(architecture, workload)
    counter, recorder = ToggleCounter(design.graph), Recorder()
    for observer in (counter, recorder):
        assert simulate(architecture, workload, frames=3, weights_seed=seed, observer=observer).bit_exact
    counted = counter.count(3)
    for channel, stream in enumerate(design.graph.streams):
        assert counted.streams[stream.name] == _changes(recorder.written[channel])
    mvaus = 0
    for unit in design.graph.units:
        if not isinstance(unit.parameters, Mvau):
            continue
        mvaus += 1
        channel = [s.name for s in design.graph.streams].index(unit.inputs[0])
        register = _operand_words(recorder.read[channel], unit.parameters)
        assert counted.operands[unit.name] == _changes(register)
        assert counted.accesses[unit.name] == len(register)
    assert mvaus == 3
    assert any(counted.operands.values())


def _digits(images: np.ndarray[Any, Any]) -> float:
    evaluation = evaluate("digits-7z020", "digits", images=images)
    assert evaluation.power.activity_source == "measured"
    return evaluation.power.dynamic_w


def test_black_images_take_less_dynamic_power_than_digits_and_these_less_than_noise() -> None:
    folder = Path(__file__).resolve().parents[2] / "workloads"
    real = np.load(folder / "digits-images.npz")["images_u8"][:6]
    rng = np.random.default_rng(5)
    noise = rng.integers(0, real.max(), real.shape, dtype=np.uint8, endpoint=True)
    watts = [_digits(images) for images in (np.zeros_like(real), real, noise)]
    assert watts[0] < watts[1] < watts[2]


def test_a_timing_only_run_states_its_default_activity() -> None:
    evaluation = evaluate("digits-7z020", "digits", timing_only=True)
    assert evaluation.power.activity_source == "default"
    assert evaluation.toggles is None


ENGINE = {
    "name": "small-engine",
    "source": "made for this test",
    "style": "engine",
    "device": "xc7z020",
    "clock_mhz": 100,
    "arrays": {
        "pes": {
            "supported_ops": ["conv"],
            "spatial_unrolling": {
                "out_channels": 2,
                "in_channels": 2,
                "kernel_rows": 3,
                "kernel_columns": 3,
            },
        }
    },
    "outside": [
        {"payload": name, "source": "not what this test is about"}
        for name in ("image", "weights", "activations", "results")
    ],
    "programs": {
        "conv": {
            "array": "pes",
            "steps": [
                {
                    "op": "repeat",
                    "loops": [{"dimension": "out_channels"}, {"dimension": "in_channels"}],
                    "steps": [
                        {
                            "op": "compute",
                            "loops": [{"dimension": "rows"}, {"dimension": "columns"}],
                            "depth": 3,
                            "source": "made for this test",
                        }
                    ],
                }
            ],
        }
    },
    "layers": {"conv1": {"program": "conv"}, "conv2": {"program": "conv"}},
}
ENGINE_NETWORK = {
    "name": "small",
    "input": {"shape": [4, 6, 5], "type": "bipolar"},
    "layers": [
        {"name": "conv1", "op": "conv", "out": 6, "kernel": 3, "activation": "bipolar"},
        {"name": "conv2", "op": "conv", "out": 4, "kernel": 3},
    ],
}


def test_an_engines_toggles_are_those_of_its_operands_written_out() -> None:
    design = build_engine_design(
        EngineArchitecture.model_validate(ENGINE), Workload.model_validate(ENGINE_NETWORK)
    )
    rng = np.random.default_rng(3)
    maps = {
        INPUT: rng.integers(0, 2, (4, 6, 5)) * 2 - 1,
        "conv1": rng.integers(0, 2, (6, 4, 3)) * 2 - 1,
    }
    toggles, register = 0, [0] * 18
    for source, outputs in ((INPUT, 6), ("conv1", 4)):
        values = maps[source].tolist()
        channels, height, width = maps[source].shape
        for _out in range(0, outputs, 2):
            for first in range(0, channels, 2):
                for row, column in itertools.product(range(height - 2), range(width - 2)):
                    operand = [
                        values[first + channel][row + y][column + x]
                        for y in range(3)
                        for x in range(3)
                        for channel in range(2)
                    ]
                    toggles += sum(a != b for a, b in zip(operand, register, strict=True))
                    register = operand
    counted = count_engine_toggles(design, [maps])["pes"]
    assert (counted.toggles, counted.operand_bits, counted.frames) == (toggles, 18, 1)


def test_an_engine_measures_its_activity_in_a_bit_exact_run() -> None:
    architecture = EngineArchitecture.model_validate(ENGINE)
    workload = Workload.model_validate(ENGINE_NETWORK)
    measured = evaluate(architecture, workload, weights_seed=1, frames=2)
    assumed = evaluate(architecture, workload, timing_only=True)
    assert measured.simulation.bit_exact
    assert (measured.power.activity_source, assumed.power.activity_source) == (
        "measured",
        "default",
    )
    assert measured.power.dynamic_w != assumed.power.dynamic_w
    assert measured.power.static_w == assumed.power.static_w


def test_fixed_point_operands_toggle_bit_by_bit() -> None:
    network = {
        "name": "wide",
        "input": {"shape": [2, 3, 4], "type": "int8"},
        "layers": [{"name": "conv1", "op": "conv", "out": 2, "kernel": 3}],
    }
    architecture = {**ENGINE, "layers": {"conv1": {"program": "conv"}}}
    design = build_engine_design(
        EngineArchitecture.model_validate(architecture), Workload.model_validate(network)
    )
    x = np.arange(24).reshape(2, 3, 4) - 12
    windows = [
        [int(x[c, y, column + z]) & 255 for y in range(3) for z in range(3) for c in range(2)]
        for column in range(2)
    ]
    first = sum(value.bit_count() for value in windows[0])
    second = sum((a ^ b).bit_count() for a, b in zip(*windows, strict=True))
    counted = count_engine_toggles(design, [{INPUT: x}])["pes"]
    assert (counted.toggles, counted.operand_bits) == (first + second, 18 * 8)
