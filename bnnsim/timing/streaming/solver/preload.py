"""Importing this module loads the solver's code, for processes that are forked afterwards."""

from __future__ import annotations

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.solver.ended_run import end_run
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.solver.steady.certificate import certify


def _run_all_kernels() -> None:
    source = TimingUnit("source", Lockstep((Block(1, (Run(1, writes=True),)),), 0, True), (), (0,))
    sink = TimingUnit("sink", Lockstep((Block(1, (Run(1, reads=True),)),), 0, True), (0,), ())
    graph = TimingGraph((source, sink), (Channel("wire", 1),), (1,))
    solver = Solver(graph, 1, has_counts=True)
    end_run(solver, 1)
    solver.next_window(1)
    solver.snapshot()
    certify(graph)


_run_all_kernels()
