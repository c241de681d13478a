"""The first frames' activations, from the functional executor that the simulation equals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bnnsim.design.network.network import Network
from bnnsim.report.figures.activations import ActivationsInfo, activations_info
from bnnsim.report.figures.answer import SHOWN_PREDICTIONS
from bnnsim.simulation import Simulation, stimulate


def first_frames(
    network: Network,
    folder: Path | None,
    simulation: Simulation,
    images: Sequence[str | Path] | None,
    weights_seed: int | None,
) -> ActivationsInfo | None:
    """What the layers put out for the frames of ``simulation``; None where it had no bits.

    ``folder``, ``images`` and ``weights_seed`` as the simulation was given them.
    """
    from bnnsim.functional.executor import execute

    shown = min(simulation.frames, SHOWN_PREDICTIONS)
    stimulus, _ = stimulate(network, folder, images, shown, weights_seed)
    if stimulus is None or simulation.scores is None or simulation.predictions is None:
        return None
    found = execute(network, stimulus.parameters, stimulus.frames)
    return activations_info(
        network,
        stimulus.frames,
        found.outputs,
        simulation.scores[0],
        simulation.predictions[0],
    )
