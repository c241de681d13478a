"""A mixed design's cycles: its streaming prefix as one piece of work before the engine's layers."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import EngineProgram, LayerProgram, Work
from bnnsim.design.streaming.units import StreamingGraph
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

PREFIX = "front"
"""Its name among the layers of tables, pages and JSON."""


def whole_program(design: EngineDesign) -> EngineProgram:
    """The engine's program with the prefix, if any, where its first layer would begin.

    The prefix takes as long as one frame alone takes through its pipeline, first word in to last word
    out: the controller waits for it.
    """
    program = design.program
    if design.streaming_prefix is None:
        return program
    cycles = frame_latency_cycles(design.streaming_prefix.graph)
    layers = tuple(design.streaming_prefix.network.nodes)
    prefix = LayerProgram(PREFIX, layers, "", (Work(PREFIX, "stage", cycles),), {})
    begin = 1 if program.parts and not program.parts[0].layers else 0
    parts = (*program.parts[:begin], prefix, *program.parts[begin:])
    return replace(program, parts=parts, stages=(*program.stages, PREFIX))


@lru_cache(maxsize=64)
def frame_latency_cycles(graph: StreamingGraph) -> int:
    """Cycles of one frame in an empty pipeline."""
    return run_simpy(build_timing(graph), 1).cycles_total
