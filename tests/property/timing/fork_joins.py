"""Random pipelines that part and come together: branches that hold back different amounts."""

from __future__ import annotations

from hypothesis import strategies as st

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run


@st.composite
def fork_joins(draw: st.DrawFn) -> TimingGraph:
    """A fork, two branches of up to three units, a join: few words a frame, pipelines of many frames."""
    words = draw(st.integers(1, 3))

    def program(reads: bool = True, writes: bool = True) -> Lockstep:
        idle = draw(st.integers(0, 3))
        runs = (Run(1, reads, writes), *([Run(idle)] if idle else []))
        prologue: tuple[Block, ...] = ()
        if reads and writes and draw(st.integers(0, 5)) == 0:
            prologue = (Block(draw(st.integers(1, 2 * words)), (Run(1, reads=True),)),)
        depth = draw(st.integers(0, 4)) if draw(st.booleans()) else draw(st.integers(0, 14))
        return Lockstep((Block(words, runs),), depth, True, prologue=prologue)

    channels: list[Channel] = []

    def wire() -> int:
        channels.append(Channel(f"c{len(channels)}", draw(st.integers(1, 2)) * draw(st.integers(1, 6))))
        return len(channels) - 1

    source, left, right = wire(), wire(), wire()
    units = [
        TimingUnit("source", program(reads=False), (), (source,)),
        TimingUnit("fork", program(), (source,), (left, right)),
    ]
    ends = []
    for branch in (left, right):
        end = branch
        for _ in range(draw(st.integers(0, 3))):
            behind = wire()
            units.append(TimingUnit(f"u{len(units)}", program(), (end,), (behind,)))
            end = behind
        ends.append(end)
    out = wire()
    units.append(TimingUnit("join", program(), (ends[0], ends[1]), (out,)))
    units.append(TimingUnit("sink", program(writes=False), (out,), ()))
    return TimingGraph(tuple(units), tuple(channels), (len(units) - 1,))
