"""Switching activity of a design of either kind: counted in a run, or that of random data at its rate."""

from __future__ import annotations

from bnnsim.cost.switching import Activity, activity_at_rate
from bnnsim.datapath.streaming.toggles import ToggleCount
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation.engine import engine_activity
from bnnsim.evaluation.record import Toggles
from bnnsim.evaluation.streaming import measured_activity


def design_activity(
    design: Design | EngineDesign, interval_cycles: float, toggles: Toggles | None = None
) -> Activity:
    """Activity with a frame every ``interval_cycles``; without ``toggles`` the default."""
    if isinstance(design, EngineDesign):
        assert not isinstance(toggles, ToggleCount)
        return engine_activity(design, interval_cycles, toggles)
    if toggles is None:
        return activity_at_rate(design, interval_cycles)
    assert isinstance(toggles, ToggleCount)
    return measured_activity(design, toggles, interval_cycles)
