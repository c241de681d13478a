"""Activations of -1, 0 and +1 by two thresholds, from YAML to bits, cycles and LUTs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.evaluation import Evaluation, evaluate

NETWORK = """
name: ternary
input: {shape: [3, 8, 8], type: uint8}
layers:
  - {name: c0, op: conv, out: 8, kernel: 3, activation: {type: int2, lowest: -1, compare: ">"}}
  - {name: c1, op: conv, out: 8, kernel: 3, weight: int2,
     activation: {type: int2, lowest: -1, compare: ">"}}
  - {name: fc, op: linear, out: 10}
"""
HARDWARE = """
name: ternary
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {units: LIBRARY, pipeline: flushing}
layers:
  c0: {pe: 2, simd: 3}
  c1: {pe: 2, simd: 4}
  fc: {pe: 1, simd: 4}
"""


def _judged(folder: Path, library: str, lowest: str = "lowest: -1, ") -> Evaluation:
    (folder / "network.yaml").write_text(NETWORK.replace("lowest: -1, ", lowest), encoding="utf-8")
    (folder / "hardware.yaml").write_text(HARDWARE.replace("LIBRARY", library), encoding="utf-8")
    return evaluate(folder / "hardware.yaml", folder / "network.yaml", frames=2, weights_seed=1)


@pytest.mark.parametrize("library", ["hls", "rtl", "own"])
def test_ternary_activations_are_simulated_bit_by_bit_in_every_library(
    tmp_path: Path, library: str
) -> None:
    """c0 takes 36 pixels x 4 neuron folds x 9 synapse folds, more than c1 and fc."""
    found = _judged(tmp_path, library)
    assert found.simulation.bit_exact is True
    assert found.initiation_interval_cycles is not None
    assert found.initiation_interval_cycles >= 36 * 4 * 9


def test_two_thresholds_take_two_thirds_of_what_three_take(tmp_path: Path) -> None:
    """A comparator for each threshold; unsigned results of two bits have three."""

    def thresholds(found: Evaluation) -> float:
        parts = {p.name: p.amounts for p in found.resources.by_name["c1.mvau"].parts}
        return parts["thresholds"].lut_logic

    two = thresholds(_judged(tmp_path, "hls"))
    assert two > 0
    assert two < thresholds(_judged(tmp_path, "hls", "")) <= 2 * two
