"""Importing this module loads the compiled executor's code, for processes that are forked afterwards."""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.ended_run import end_run
from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run


def _run_both_kernels() -> None:
    source = TimingUnit("source", Lockstep((Block(1, (Run(1, writes=True),)),), 0, True), (), (0,))
    sink = TimingUnit("sink", Lockstep((Block(1, (Run(1, reads=True),)),), 0, True), (0,), ())
    machine = Machine(TimingGraph((source, sink), (Channel("wire", 1),), (1,)), MachineOptions(1))
    machine.run_to(1)
    end_run(machine)


_run_both_kernels()
