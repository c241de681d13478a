"""A mixed design's bits: what the streaming prefix gives the engine."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.arrays import Int64s, Integers
from bnnsim.design.design import EngineDesign
from bnnsim.simulation.stimulus import Stimulus


def prefix_outputs(
    design: EngineDesign, stimulus: Stimulus, number: int, reference: Mapping[str, Integers]
) -> dict[str, Int64s]:
    """What the streaming prefix puts out for frame ``number`` of the stimulus, by its last layer's name.

    ``(channels, height, width)`` each; nothing where the design has no prefix. Every word that leaves a
    layer is compared with ``reference``, the network's own outputs for that frame: raises
    :class:`~bnnsim.datapath.mismatch.BitMismatchError`.
    """
    prefix = design.streaming_prefix
    if prefix is None:
        return {}

    from bnnsim.datapath.streaming.build import build_datapaths, sink_values
    from bnnsim.timing.streaming.programs.graph import build_timing
    from bnnsim.timing.streaming.reference.executor import run_simpy

    parameters = stimulus.parameters
    datapaths = build_datapaths(
        prefix.graph,
        stimulus.frames[number : number + 1],
        parameters.weights,
        parameters.thresholds,
        {name: reference[name][None] for name in prefix.network.nodes},
        parameters.values,
    )
    timing = build_timing(prefix.graph)
    run_simpy(timing, 1, datapaths)
    found = sink_values(prefix.graph, prefix.network, datapaths, 1)
    return {name: values[0] for name, values in found.items()}
