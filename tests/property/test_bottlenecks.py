"""What is named as the bottleneck is it: speeding it up helps, speeding up all others does not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.design.engine.program import Beside, EngineProgram, Op, Repeat, Transfer, Work
from bnnsim.timing.engine.bottleneck import find_engine_bottleneck, unit_cycles
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.engine.steady_state import steady_interval
from bnnsim.timing.streaming.bottleneck import find_bottleneck
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from tests.property.engine.programs import engine_programs

LONG = 12
"""Frames after which the small pipelines here are steady."""


def _interval(graph: TimingGraph) -> int:
    """Between two late frames, every frame simulated."""
    runs = [run_compiled(graph, frames, extrapolate=False).result for frames in (LONG, LONG + 1)]
    return runs[1].cycles_total - runs[0].cycles_total


# ---- pipelines ------------------------------------------------------------------------------


def _chain(words: int, idle: list[int], depth: int) -> TimingGraph:
    """Units that each pass a word, then are idle for some steps."""
    last = len(idle) - 1
    units = tuple(
        TimingUnit(
            f"u{i}",
            Lockstep((Block(words, (Run(1, reads=i > 0, writes=i < last), Run(pause))),), 0, True)
            if pause
            else Lockstep((Block(words, (Run(1, reads=i > 0, writes=i < last),)),), 0, True),
            (i - 1,) if i else (),
            (i,) if i < last else (),
        )
        for i, pause in enumerate(idle)
    )
    return TimingGraph(units, tuple(Channel(f"c{i}", depth) for i in range(last)), (last,))


@given(
    st.integers(1, 6), st.lists(st.integers(0, 5), min_size=2, max_size=6), st.integers(2, 4)
)
@settings(max_examples=60)
def test_faster_limiting_units_help_and_faster_others_do_not(
    words: int, idle: list[int], depth: int
) -> None:
    graph = _chain(words, idle, depth)
    found = find_bottleneck(graph, run_compiled(graph, 1, with_steady_state=True))
    assert found is not None and found.limited_by == "unit"
    named = {int(name[1:]) for name in found.limiting_units}
    assert named == {i for i, pause in enumerate(idle) if pause == max(idle)}
    before = _interval(graph)
    assert before == found.interval_cycles
    without_others = [pause if i in named else 0 for i, pause in enumerate(idle)]
    assert _interval(_chain(words, without_others, depth)) == before
    if max(idle):
        faster = [pause - (i in named) for i, pause in enumerate(idle)]
        assert _interval(_chain(words, faster, depth)) < before
        for spared in named if len(named) > 1 else ():
            all_but_one = [pause - (i in named and i != spared) for i, pause in enumerate(idle)]
            assert _interval(_chain(words, all_but_one, depth)) == before


# ---- engines --------------------------------------------------------------------------------


def _simpy_interval(program: EngineProgram) -> list[int]:
    ends = run_engine_simpy(program, 6).frame_end_cycles
    return [later - earlier for earlier, later in pairwise(ends[2:])]


def _idle(ops: tuple[Op, ...], name: str) -> tuple[Op, ...]:
    """Operations in which one unit takes no time."""
    left: list[Op] = []
    for op in ops:
        match op:
            case Repeat():
                left.append(replace(op, body=_idle(op.body, name)))
            case Beside():
                left.append(replace(op, branches=tuple(_idle(branch, name) for branch in op.branches)))
            case Work():
                mine = name == (op.unit or op.kind)
                left.append(replace(op, cycles=0) if mine else op)
            case Transfer():
                mine = name == f"port {op.port}"
                left.append(replace(op, latency_cycles=0, interval=0) if mine else op)
    return tuple(left)


@given(engine_programs())
@settings(max_examples=30, deadline=None)
def test_no_unit_of_an_engine_counts_more_than_the_named(program: EngineProgram) -> None:
    interval = steady_interval(program)[0]
    found = find_engine_bottleneck(program, interval)
    if found is None:
        return
    intervals = {}
    for name in unit_cycles(program):
        parts = tuple(replace(part, ops=_idle(part.ops, name)) for part in program.parts)
        gaps = set(_simpy_interval(replace(program, parts=parts)))
        if len(gaps) > 1:
            return  # without this unit frames are not equally spaced
        intervals[name] = gaps.pop()
    best = min(intervals.values())
    if best < found.interval_cycles:
        assert set(found.limiting_units) == {n for n, left in intervals.items() if left == best}
        assert len(found.limiting_units) > 1 or found.without_unit_cycles == best
    assert found.without_unit_cycles is not None
    assert found.without_unit_cycles < found.interval_cycles
