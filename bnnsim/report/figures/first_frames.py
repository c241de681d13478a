"""The first frames' activations, from the functional executor that the simulation equals."""

from __future__ import annotations

from bnnsim.report.figures.activations import ActivationsInfo, activations_info
from bnnsim.report.figures.answer import SHOWN_PREDICTIONS
from bnnsim.simulation import Simulation, Stimulus, TimingOnly


def first_frames(stimulus: Stimulus | TimingOnly, simulation: Simulation) -> ActivationsInfo | None:
    """What the layers put out for the first frames of a ``stimulus``; None where a run had no bits."""
    if isinstance(stimulus, TimingOnly) or simulation.scores is None:
        return None
    return activations_info(
        stimulus.network,
        stimulus.frames[:SHOWN_PREDICTIONS],
        stimulus.activations.outputs,
        simulation.scores[0],
        None if simulation.predictions is None else simulation.predictions[0],
    )
