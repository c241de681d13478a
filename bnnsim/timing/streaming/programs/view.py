"""One side of a lockstep program: in which steps it touches words, as flat nested counters.

A *lap* is one pass through a block: segments of (idle steps before, active steps), and the idle steps
behind the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bnnsim.timing.streaming.programs.steps import Block, Loop, Run, Side

Segments = list[tuple[int, int]]
"""(idle steps before, active steps), one after the other."""
Counted = tuple[tuple[int, int], int]
"""A segment, and how often it comes in a row."""
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
        counted, idle = _lap(block.runs, side)
        repeat = block.repeat
        if not counted:
            idle, repeat = idle * repeat, 1
        elif idle == 0 and len(counted) == 1:  # as an MVAU's writes, evenly spread
            (part, times), *_ = counted
            repeat *= times
            counted = [(part, 1)]
            if part[0] == 0:
                counted, repeat = [((0, part[1] * repeat), 1)], 1
        parts = [part for part, times in counted for _ in range(times)]
        rows.append((repeat, len(segments), len(segments) + len(parts), idle))
        segments += parts
    return View(rows, segments, len(prologue))


def _lap(runs: tuple[Run | Loop, ...], side: Side) -> tuple[list[Counted], int]:
    """One pass through ``runs``: segments, equal ones in a row counted, and the idle steps behind."""
    pass_ = _Pass(side)
    for run in runs:
        if isinstance(run, Run):
            pass_.take(run)
        else:
            pass_.loop(run)
    return pass_.end()


class _Pass:
    """Goes through runs and gathers the segments of one side."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.parts: list[Counted] = []
        self.idle = self.active = 0

    def take(self, run: Run) -> None:
        if run.reads if self.side == "reads" else run.writes:
            self.active += run.steps
            return
        if self.active and run.steps:
            self._add((self.idle, self.active))
            self.idle = self.active = 0
        self.idle += run.steps

    def loop(self, loop: Loop) -> None:
        """A loop whose steps are all alike is a run; of others turns are equal from the third on."""
        flags = {getattr(run, self.side) for run in loop.runs if run.steps}
        if len(flags) < 2:
            is_active = True in flags
            self.take(Run(loop.steps, is_active, is_active))
            return
        turns = min(loop.repeat, 3)
        for _ in range(turns):
            before = len(self.parts), self.parts[-1][1] if self.parts else 0
            for run in loop.runs:
                self.take(run)
        if loop.repeat > turns:
            again = self._since(*before)
            rest = loop.repeat - turns
            for part, times in again * (1 if len(again) == 1 else rest):
                self._add(part, times * (rest if len(again) == 1 else 1))

    def end(self) -> tuple[list[Counted], int]:
        if self.active:
            self._add((self.idle, self.active))
            self.idle = 0
        return self.parts, self.idle

    def _since(self, count: int, times: int) -> list[Counted]:
        """What has been added since there were ``count`` entries, the last ``times`` times."""
        added = self.parts[count:]
        more = self.parts[count - 1][1] - times if count else 0
        return [(self.parts[count - 1][0], more), *added] if more else added

    def _add(self, part: tuple[int, int], times: int = 1) -> None:
        if self.parts and self.parts[-1][0] == part:
            self.parts[-1] = part, self.parts[-1][1] + times
        else:
            self.parts.append((part, times))


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
