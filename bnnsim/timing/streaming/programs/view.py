"""One side of a lockstep program: in which steps it touches words, as flat nested counters.

A *lap* is one pass through a block: segments of (idle steps before, active steps), and the idle steps
behind the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bnnsim.timing.streaming.programs.steps import Block, Run, Side

Segments = list[tuple[int, int]]
"""(idle steps before, active steps), one after the other."""
Lap = tuple[Segments, int]
"""Segments, and the idle steps behind the last."""


@dataclass(frozen=True)
class View:
    """In which steps a lockstep program reads, or writes.

    ``blocks``: (repeat, first segment, end segment, idle steps behind the last segment); ``segments``:
    (idle steps before, active steps). The first ``prologue_blocks`` run once, the others every frame.
    """

    blocks: list[tuple[int, int, int, int]]
    segments: Segments
    prologue_blocks: int

    @cached_property
    def is_empty(self) -> bool:
        """Whether a frame has no active step."""
        return all(first == end for _, first, end, _ in self.blocks[self.prologue_blocks :])

    @cached_property
    def start(self) -> tuple[int, int, int]:
        """Block, segment and step of the first active step."""
        step = 0
        for number, (repeat, first, end, idle) in enumerate(self.blocks):
            if first < end:
                return number, first, step + self.segments[first][0]
            step += repeat * idle
        raise ValueError("a view without active steps has no start")


def flat_view(prologue: tuple[Block, ...], blocks: tuple[Block, ...], side: Side) -> View:
    """The view of one side of a program: ``prologue`` once, then ``blocks`` every frame."""
    rows: list[tuple[int, int, int, int]] = []
    segments: Segments = []
    for block in (*prologue, *blocks):
        parts, idle = _lap(block.runs, side)
        repeat = block.repeat
        if not parts:
            idle, repeat = idle * repeat, 1
        elif idle == 0 and len(set(parts)) == 1:  # as an MVAU's writes, evenly spread
            repeat *= len(parts)
            parts = parts[:1]
            if parts[0][0] == 0:
                parts, repeat = [(0, parts[0][1] * repeat)], 1
        rows.append((repeat, len(segments), len(segments) + len(parts), idle))
        segments += parts
    return View(rows, segments, len(prologue))


def _lap(runs: tuple[Run, ...], side: Side) -> Lap:
    """One pass through ``runs``."""
    parts: Segments = []
    idle = active = 0
    for run in runs:
        if run.reads if side == "reads" else run.writes:
            active += run.steps
            continue
        if active and run.steps:
            parts.append((idle, active))
            idle = active = 0
        idle += run.steps
    if active:
        parts.append((idle, active))
        idle = 0
    return parts, idle


def _laps(view: View) -> list[tuple[int, Segments, int]]:
    """(repeat, segments, idle steps behind) of every block of a frame."""
    frame = view.blocks[view.prologue_blocks :]
    return [(repeat, view.segments[first:end], idle) for repeat, first, end, idle in frame]


def _lap_steps(segments: Segments, idle: int) -> tuple[int, int]:
    """Steps of a lap, and how many of them are active."""
    active = sum(steps for _, steps in segments)
    return sum(before for before, _ in segments) + active + idle, active


def active_before(view: View, step: int) -> int:
    """How many of the first ``step`` steps of a frame are active."""
    count = 0
    for repeat, segments, idle in _laps(view):
        steps, active = _lap_steps(segments, idle)
        if step >= repeat * steps:
            step -= repeat * steps
            count += repeat * active
            continue
        laps, rest = divmod(step, steps)
        head, _ = _cut_lap((segments, idle), rest)
        return count + laps * active + sum(n for _, n in head[0])
    return count


def step_of(view: View, number: int) -> int:
    """The active step of a frame before which there are ``number`` others."""
    step = 0
    for repeat, segments, idle in _laps(view):
        steps, active = _lap_steps(segments, idle)
        if number >= repeat * active:
            number -= repeat * active
            step += repeat * steps
            continue
        laps, number = divmod(number, active)
        step += laps * steps
        for before, count in segments:
            if number < count:
                return step + before + number
            number -= count
            step += before + count
    raise ValueError("a frame has no such step")


def _cut_lap(lap: Lap, step: int) -> tuple[Lap, Lap]:
    """The first ``step`` steps of a lap, and the others."""
    segments, idle = lap
    for number, (before, active) in enumerate(segments):
        if step <= before:
            tail = [(before - step, active), *segments[number + 1 :]]
            return (segments[:number], step), (tail, idle)
        if step < before + active:
            head = [*segments[:number], (before, step - before)]
            tail = [(0, before + active - step), *segments[number + 1 :]]
            return (head, 0), (tail, idle)
        step -= before + active
    return (segments, step), ([], idle - step)


def rotated_view(view: View, step: int) -> View:
    """The view of frames that begin with ``step`` and end with the steps before it; no prologue."""
    laps = _laps(view)
    if step == 0:
        return _view(laps)
    for number, (repeat, segments, idle) in enumerate(laps):
        steps, _ = _lap_steps(segments, idle)
        if step >= repeat * steps:
            step -= repeat * steps
            continue
        done, rest = divmod(step, steps)
        head, tail = _cut_lap((segments, idle), rest)
        return _view(
            [
                (1, *tail) if rest else (1, segments, idle),
                (repeat - done - 1, segments, idle),
                *laps[number + 1 :],
                *laps[:number],
                (done, segments, idle),
                (1, *head),
            ]
        )
    raise ValueError("a frame has no such step")


def _view(laps: list[tuple[int, Segments, int]]) -> View:
    """The view of a frame from (repeat, segments, idle steps behind) in turn, without empty ones."""
    blocks: list[tuple[int, int, int, int]] = []
    segments: Segments = []
    for repeat, parts, idle in laps:
        if not repeat or not (parts or idle):
            continue
        if not parts:
            idle, repeat = repeat * idle, 1
        blocks.append((repeat, len(segments), len(segments) + len(parts), idle))
        segments += parts
    return View(blocks, segments, 0)
