"""A mixed design's cycles: its streaming front as one piece of work before the engine's layers."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import EngineProgram, LayerProgram, Work
from bnnsim.design.streaming.units import StreamingGraph
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

FRONT = "front"


def whole_program(design: EngineDesign) -> EngineProgram:
    """The engine's program with the front, if any, where its first layer would begin.

    The front takes as long as one frame alone takes through its pipeline, first word in to last word
    out: the controller waits for it.
    """
    program = design.program
    if design.front is None:
        return program
    cycles = frame_latency_cycles(design.front.graph)
    layers = tuple(design.front.network.nodes)
    front = LayerProgram(FRONT, layers, "", (Work(FRONT, "stage", cycles),), {})
    begin = 1 if program.parts and not program.parts[0].layers else 0
    parts = (*program.parts[:begin], front, *program.parts[begin:])
    return replace(program, parts=parts, stages=(*program.stages, FRONT))


@lru_cache(maxsize=64)
def frame_latency_cycles(graph: StreamingGraph) -> int:
    """Cycles of one frame in an empty pipeline."""
    return run_simpy(build_timing(graph), 1).cycles_total
