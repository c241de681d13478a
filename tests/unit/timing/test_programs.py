"""Programs as nested counters say of every step what going through all steps says."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from bnnsim.design.streaming.units import Mvau, Pool, Unit, Window
from bnnsim.spec.value_type import BIPOLAR, ValueType
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.schedule import READS_WORD, WRITES_WORD, steps_with_words
from bnnsim.timing.streaming.programs.steps import Block, Loop, Run
from bnnsim.timing.streaming.programs.tape import tape
from bnnsim.timing.streaming.programs.unit_programs import unit_program

Flags = list[tuple[bool, bool]]


def _flags(blocks: tuple[Block, ...]) -> Flags:
    """What every step does, unrolled by plain loops."""
    found: Flags = []
    for block in blocks:
        for _ in range(block.repeat):
            for one in block.runs:
                loop = one if isinstance(one, Loop) else Loop(1, (one,))
                for _ in range(loop.repeat):
                    for run in loop.runs:
                        found += [(run.reads, run.writes)] * run.steps
    return found


def _drawn(draw: random.Random) -> tuple[Block, ...]:
    def run() -> Run:
        return Run(draw.randrange(4), draw.random() < 0.5, draw.random() < 0.5)

    def runs(most: int) -> tuple[Run, ...]:
        return tuple(run() for _ in range(draw.randint(1, most)))

    blocks = []
    for _ in range(draw.randint(1, 3)):
        inside = [run() if draw.random() < 0.6 else Loop(draw.randint(1, 6), runs(3)) for _ in range(3)]
        blocks.append(Block(draw.randint(1, 3), (*inside, Run(1, True, True))))
    return tuple(blocks)


@pytest.mark.parametrize("seed", range(60))
def test_counts_and_schedules_are_those_of_the_unrolled_steps(seed: int) -> None:
    blocks = _drawn(random.Random(seed))
    flags = _flags(blocks)
    program = Lockstep(blocks, 1, True)
    assert program.steps == len(flags)
    reads = [step for step, (read, _) in enumerate(flags) if read]
    writes = [step for step, (_, write) in enumerate(flags) if write]
    assert (program.words_in, program.words_out) == (len(reads), len(writes))
    each = program.counter.before_each(np.arange(2 * len(flags) + 1))
    for step in range(2 * len(flags) + 1):
        twice = [*flags, *flags][:step]
        count = program.counter.before(step)
        expected = (sum(r for r, _ in twice), sum(w for _, w in twice), sum(r and w for r, w in twice))
        assert (count.reads, count.writes, count.both) == tuple(each[step]) == expected
    wanted = [
        (step, READS_WORD * read | WRITES_WORD * write)
        for step, (read, write) in enumerate([*flags, *flags])
        if read or write
    ]
    assert list(steps_with_words(program, 2)) == wanted


def _window(kernel: int, stride: int, size: int, fold: int, style: Any = "row_buffer") -> Window:
    pair = (kernel, kernel)
    return Window(style, fold, size, size + 1, pair, (stride, stride), (1, 1), 1, 1)


@pytest.mark.parametrize("kernel", [2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("fold", [1, 3])
def test_a_row_buffer_does_in_every_step_what_its_counters_say(
    kernel: int, stride: int, fold: int
) -> None:
    """The counters gone through one by one: a lap wraps one early, words end what is left to do."""
    for size in (kernel + stride, 9, 11):
        window = _window(kernel, stride, size, fold)
        program = unit_program(Unit("w", "w", window, (), (), "hls", True))
        assert isinstance(program, Lockstep)
        written_row = window.out_width * kernel * kernel * fold
        read_row = stride * window.width * fold
        to_read = window.words_in - kernel * window.width * fold
        to_write = window.words_out
        expected: Flags = [(True, False)] * (kernel * window.width * fold)
        counter = 0
        for _ in range(window.out_height * max(written_row, read_row)):
            reads = counter < read_row - 1 and to_read > 0
            writes = counter < written_row - 1 and to_write > 0
            to_read, to_write = to_read - reads, to_write - writes
            expected.append((reads, writes))
            counter = (counter + 1) % (max(written_row, read_row) - 1)
        assert _flags(program.blocks) == expected + [(False, False)] * 8


@pytest.mark.parametrize("levels", [1, 2])
def test_a_streaming_pool_writes_with_the_pixel_that_completes_a_window(levels: int) -> None:
    pool = Pool("max", 4, 6, 8, (3, 2), BIPOLAR, style="streaming", levels=levels)
    program = unit_program(Unit("p", "p", pool, (), (), "hls", True))
    assert isinstance(program, Lockstep)
    expected = [
        (True, row % 3 == 2 and column % 2 == 1)
        for row in range(6)
        for column in range(8)
        for _ in range(levels)
    ]
    assert _flags(program.blocks) == expected


def _mvau(rows: int, columns: int, pe: int, simd: int, vectors: int, **levels: int) -> Unit:
    sums = ValueType("int", 16)
    mvau = Mvau(
        pe, simd, rows, columns, vectors, 1, 1, BIPOLAR, BIPOLAR, sums, "dot", sums, 16, 0, "",
        "auto", "per_layer", **levels,
    )  # fmt: skip
    return Unit("m", "m", mvau, (), (), "hls", levels.get("levels_out", 1) == 1)


@pytest.mark.parametrize(("levels_in", "levels_out"), [(1, 1), (2, 1), (1, 2), (2, 3)])
@pytest.mark.parametrize("fold", [1, 2, 4])
def test_an_mvau_reads_in_its_first_fold_and_writes_at_the_end_of_each(
    levels_in: int, levels_out: int, fold: int
) -> None:
    unit = _mvau(6, 4 * fold, 2, 4, 3, levels_in=levels_in, levels_out=levels_out)
    program = unit_program(unit)
    assert isinstance(program, Lockstep)
    steps = max(fold * levels_in, levels_out)
    flags = _flags(program.blocks)
    reads = [step for step, (read, _) in enumerate(flags) if read]
    assert reads == [v * 3 * steps + s for v in range(3) for s in range(fold * levels_in)]
    assert sum(write for _, write in flags) == 3 * 3 * levels_out
    first = next(step for step, (_, write) in enumerate(flags) if write)
    assert first == steps - 1


def test_a_program_of_many_folds_takes_no_more_memory_than_one_of_few() -> None:
    program = unit_program(_mvau(1 << 28, 1 << 20, 1, 1, 1000))
    assert isinstance(program, Lockstep)
    assert program.steps == 1000 << 48
    assert program.words_out == 1000 << 28
    reel = tape(program.prologue, program.blocks, program.pipeline_depth)
    assert sum(len(stretches) for _, stretches in (*reel.once, *reel.frame)) <= 10 * 1000  # vectors
    assert program.counter.before(program.steps).writes == 1000 << 28


def test_a_long_gap_costs_nothing_in_the_reference_executor() -> None:
    gap = Lockstep((Block(1, (Run(1, writes=True), Run(1 << 31))),), 1, True)
    assert [step for step, _ in steps_with_words(gap, 3)] == [0, (1 << 31) + 1, 2 * ((1 << 31) + 1)]
    assert np.int64(gap.steps) == (1 << 31) + 1
