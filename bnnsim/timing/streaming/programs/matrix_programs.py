"""The programs of MVAUs and of what keeps a matrix that comes as a stream.

Sources as in :mod:`bnnsim.timing.streaming.programs.unit_programs`.
"""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Bools
from bnnsim.design.streaming.units import Mvau, WeightBuffer
from bnnsim.spec.streaming.hardware import UnitLibrary
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Loop, Run

MVAU_RTL_DEPTH = 6
MVAU_RTL_DEPTH_FOLDED = 8
WEIGHT_BUFFER_LATENCY = 2
"""A matrix's last word is kept, then the first is read: it stands in a register in the next cycle."""


def mvau_program(p: Mvau, library: UnitLibrary, freezes: bool) -> Program:
    """A vector is read in its first neuron fold, streamed weights a word in every step."""
    if p.levels_out > 1 and not freezes:
        return _late_levels(p)
    depth = p.stages
    if library == "rtl":
        depth = MVAU_RTL_DEPTH_FOLDED if p.neuron_fold > 1 else MVAU_RTL_DEPTH
    if p.weights_stream:
        fold = (Run(p.synapse_fold - 1, reads=True), Run(1, True, True))
        folds = Block(p.vectors * p.neuron_fold, tuple(run for run in fold if run.steps))
        return Lockstep((folds,), depth, freezes)
    reads, writes = p.synapse_fold * p.levels_in, p.levels_out
    steps = p.steps_a_neuron_fold
    # The last steps of each neuron fold write, a level a step. Words of the fold that come in meanwhile
    # are there when it leaves: a freezing pipeline has more stages than an activation has levels.
    runs = [
        Run(min(reads, steps - writes), reads=True),
        Run(max(0, steps - writes - reads)),
        Run(max(0, reads + writes - steps), True, True),
        Run(min(writes, steps - reads), writes=True),
    ]
    later = (Run(steps - writes), Run(writes, writes=True))
    inner = p.vectors * (p.neuron_fold - 1) * (steps - writes)
    first = tuple(run for run in runs if run.steps)
    block = Block(p.vectors, (*first, *loops_of(p.neuron_fold - 1, later)))
    return Lockstep((block,), depth, freezes, inner_steps=inner)


def _late_levels(p: Mvau) -> Program:
    """A flushing MVAU with several levels out: the first leaves with the last step of its neuron fold.

    The others follow in the next steps, those of the last fold in steps of their own. (Bubbles could
    carry a word written earlier past the inputs that it needs.)
    """
    fold, later = p.steps_a_neuron_fold, p.levels_out - 1
    reads = np.arange(fold) < p.synapse_fold * p.levels_in
    writes = np.arange(fold) < later
    writes[-1] = True
    first = np.arange(fold) == fold - 1
    folds = loops_of(p.neuron_fold - 1, runs_of(np.zeros(fold, bool), writes))
    blocks = (
        Block(1, (*runs_of(reads, first), *folds)),
        Block(p.vectors - 1, (*runs_of(reads, writes), *folds)),
        Block(1, (Run(later, writes=True),)),
    )
    inner = p.vectors * (p.neuron_fold - 1) * (fold - p.levels_out)
    kept = tuple(block for block in blocks if block.steps)
    return Lockstep(kept, p.stages, False, inner_steps=inner)


def weight_buffer_program(p: WeightBuffer) -> Program:
    """A matrix is given once all of it has come; its place is free once its last word has left."""
    dependence = np.full(p.words_out, p.words_in - 1, np.int64)
    last_of_the_frame_that_goes = -1 - (p.frames - 1) * p.words_out
    release = np.full(p.words_in, last_of_the_frame_that_goes, np.int64)
    return Elastic(dependence, release, WEIGHT_BUFFER_LATENCY)


def loops_of(repeat: int, runs: tuple[Run, ...]) -> tuple[Loop, ...]:
    """``runs`` so often over, without empty ones; nothing where that is never."""
    return (Loop(repeat, tuple(run for run in runs if run.steps)),) if repeat else ()


def runs_of(reads: Bools, writes: Bools) -> tuple[Run, ...]:
    """The steps with the given flags as runs of equal ones."""
    edges = np.flatnonzero((np.diff(reads) != 0) | (np.diff(writes) != 0)) + 1
    starts = np.concatenate([[0], edges])
    lengths = np.diff(np.concatenate([starts, [len(reads)]]))
    return tuple(
        Run(int(n), bool(reads[s]), bool(writes[s])) for s, n in zip(starts, lengths, strict=True)
    )
