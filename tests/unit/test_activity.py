"""Switching activity counted against a dumb count, and what it does to the power."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.activity import ToggleCounter
from bnnsim.design.units import Mvau
from bnnsim.evaluation import evaluate
from bnnsim.simulation import load_design, simulate
from bnnsim.spec.architecture import StreamingArchitecture
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
    design, _ = load_design(architecture, workload)
    counter, recorder = ToggleCounter(design.graph), Recorder()
    for watcher in (counter, recorder):
        assert simulate(
            architecture, workload, frames=3, weights_seed=seed, watcher=watcher
        ).bit_exact
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
