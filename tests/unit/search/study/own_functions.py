"""Figures of a user's own, in a module that other processes can import."""

from __future__ import annotations

from bnnsim import Evaluation


def luts(evaluation: Evaluation) -> float:
    return evaluation.resources.total.lut


def largest_unit_lut(evaluation: Evaluation) -> float:
    return max(unit.lut for unit in evaluation.resources_by_unit if unit.kind == "mvau")


def busy_share(evaluation: Evaluation) -> float | None:
    """None where the design is slower than 100,000 frames a second."""
    fps = evaluation.throughput_fps
    units = evaluation.simulation.units
    share = max(unit.busy_cycles for unit in units) / evaluation.latency_cycles
    return share if fps is not None and fps > 1e5 else None
