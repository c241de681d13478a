"""What the solver's tables say of a program, whatever graph it is in: made once a program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.programs.steps import count_words
from bnnsim.timing.streaming.programs.strides import LAP, strided, table
from bnnsim.timing.streaming.programs.tape import READS, WRITES, tape
from bnnsim.timing.streaming.solver.kernels import records as k

assert (READS, WRITES) == (k.READS, k.WRITES)


@dataclass(frozen=True, eq=False)
class Mould:
    """A program's records, with places in its words counted from their beginning.

    ``words``: the tape, or an elastic program's dependence runs and releases; ``is_place`` as long, 1
    where a word is a place. ``reads_more`` and ``writes_more``: how many words beyond those of whole
    frames a window may move at most. ``pipe_words``: what it takes of the pipes. ``taken_kept`` and
    ``left_kept``: how many words that it took, and that left, an elastic program may still ask for.
    """

    unit: bytes
    place: bytes
    words: Int64s
    is_place: Int64s
    reads_more: int = 0
    writes_more: int = 0
    pipe_words: int = 0
    taken_kept: int = 0
    left_kept: int = 0


class Key:
    """A program as itself: equal ones need not be compared, step by step."""

    __slots__ = ("program",)

    def __init__(self, program: Program) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other.program is self.program


def mould(program: Program) -> Mould:
    """The mould of a program. Raises ValueError for one that no hardware could have."""
    return _mould(Key(program))


@lru_cache(maxsize=4096)
def _mould(key: Key) -> Mould:
    program = key.program
    return _elastic(program) if isinstance(program, Elastic) else _lockstep(program)


def _lockstep(program: Lockstep) -> Mould:
    if not program.steps:
        raise ValueError("a lockstep program needs steps")
    if program.writes_ahead and not program.words_out:
        raise ValueError("a program's prologue writes and its frames do not")
    freezes = program.freezes or not program.pipeline_depth
    reel = tape(program.prologue, program.blocks, program.pipeline_depth if freezes else 0)
    once, frame = strided(reel.once), strided(reel.frame)
    laps = [*once, *frame]
    words = table(laps)
    is_place = [0, 1, 1, 0, 0, 0] * len(laps)
    unit = k.UnitRecord(
        kind=k.FREEZING if freezes else k.FLUSHING,
        stages=program.pipeline_depth,
        steps=program.steps,
        once_ticks=reel.once_ticks,
        words_in=program.words_in,
        words_out=program.words_out,
        frame_lap=LAP * len(once),
        frame_end=LAP * len(laps),
    )
    pipe_words = 0
    if not freezes:
        size = 1 << (program.pipeline_depth + 1).bit_length()
        unit.pipe_mask, pipe_words = size - 1, 6 * size
    more = -(-program.pipeline_depth // program.steps)
    return Mould(
        unit=k.packed(unit),
        place=k.packed(k.PlaceRecord(rounds=words[0], stride=words[1], left=words[words[1]])),
        words=np.array(words, np.int64),
        is_place=np.array(is_place + [0] * (len(words) - len(is_place)), np.int64),
        reads_more=program.words_in * more + program.words_ahead,
        writes_more=program.words_out * more + count_words(program.prologue, "writes"),
        pipe_words=pipe_words,
    )


def _elastic(program: Elastic) -> Mould:
    order = program.order
    runs = order.dependence_runs.size
    unit = k.UnitRecord(
        kind=k.ELASTIC,
        words_in=program.words_in,
        words_out=program.words_out,
        latency=program.latency,
        dependence_end=runs,
        release_start=runs,
        snapshot_left=max(1, -int(order.release[0])),
        snapshot_taken=order.taken_ring,
    )
    words = np.concatenate([order.dependence_runs.reshape(-1), order.release])
    return Mould(
        unit=k.packed(unit),
        place=k.packed(k.PlaceRecord(dependence_left=int(order.dependence_runs[0, 1]))),
        words=words,
        is_place=np.zeros(len(words), np.int64),
        taken_kept=order.taken_ring,
        left_kept=order.left_ring,
    )
