"""A pipeline whose frames are cut where its words are, to see sooner how often they follow one another.

A freezing pipeline lets the last words of a frame go only when the next frame pushes them out. Every
layer adds to that, so that the sink has its first frame when the source is far into the eighth: much work
to learn what the frames' interval is. But in the long run a freezing unit with ``depth`` stages is one
without, whose words leave ``depth`` ticks later, some of them in the next pass of its program: tick t
does step t and lets the word of step t - depth leave, once it has its words and its room.

So cut every program there where the words begin that the unit before it starts its own pass with. That
only numbers the events of an endless run in another way, and starts the run with other words under way.
Its interval is the same: as long as all cycles are maxima of others plus constants, two runs that differ
in how they start stay as far apart as they were, at most, for ever. (Flushing pipelines of several stages
are not of that kind, see :mod:`bnnsim.timing.streaming.steady_state.repetition`; a graph that has one
is not turned.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bnnsim.timing.streaming.programs.flat_program import View
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program

Lap = tuple[list[tuple[int, int]], int]
"""(idle, active) steps in turn, and the idle steps behind."""


@dataclass(frozen=True, eq=False)
class Turned(Lockstep):
    """A lockstep program whose pass begins with step ``reads_from`` for its reads and ``writes_from``
    for its writes."""

    reads_from: int = 0
    writes_from: int = 0

    @cached_property
    def reading(self) -> View:
        return turned_view(super().reading, self.reads_from)

    @cached_property
    def writing(self) -> View:
        return turned_view(super().writing, self.writes_from)


def turned_graph(graph: TimingGraph) -> TimingGraph | None:
    """``graph`` with every program cut where its words are; None where that cannot be.

    It has no freezing pipeline any more. None for graphs with flushing pipelines of several stages, for
    test benches that are open only now and then, and where branches join that hold back different numbers
    of words: cut so, one would begin a frame, or some words, before the other.
    """
    if any(channel.ready_every > 1 for channel in graph.channels):
        return None
    # Per channel the word, counted from the first frame's first, that its writer's pass begins with.
    begins: dict[int, int] = {}
    units = []
    for unit in graph.units:
        fed = [c for c in unit.inputs if not graph.channels[c].supplies]
        if any(c not in begins for c in fed) or len({begins[c] for c in fed}) > 1:
            return None
        turned = _turned(unit.program, begins[fed[0]] if fed else 0)
        if turned is None:
            return None
        units.append(replace(unit, program=turned[0]))
        begins |= dict.fromkeys(unit.outputs, turned[1])
    return replace(graph, units=tuple(units))


def _turned(program: Program, first: int) -> tuple[Program, int] | None:
    """A program whose pass begins with input word ``first``; the output word that it begins with.

    Both count from the first frame's first word, and may be negative.
    """
    if isinstance(program, Elastic):
        frame, word = divmod(first, program.words_in)
    elif program.writes_ahead or (program.pipeline_depth > 1 and not program.freezes):
        return None
    else:  # what is read ahead of a pass belongs to later words
        frame, word = divmod(first - program.words_ahead, max(1, program.words_in))
    if word not in program.turned_forms:
        if isinstance(program, Elastic):
            form = _turned_elastic(program, word)
        else:
            form = _turned_lockstep(program, word)
        if form is None:
            return None
        program.turned_forms[word] = form
    turned, begins = program.turned_forms[word]
    return turned, frame * program.words_out + begins


def _turned_lockstep(program: Lockstep, word: int) -> tuple[Program, int]:
    """A pass that begins with word ``word`` of a frame's reads; where it begins in the writes."""
    lead = replace(program, prologue=()) if program.has_lead else program
    begin = step_of(lead.reading, word) if word else 0
    depth = program.pipeline_depth
    frame, writes_from = divmod(begin - depth if program.freezes else begin, program.steps)
    begins = frame * program.words_out + active_before(lead.writing, writes_from)
    turned = Turned(
        program.blocks,
        0 if program.freezes else depth,
        program.freezes,
        reads_from=begin,
        writes_from=writes_from,
    )
    return turned, begins


def _turned_elastic(program: Elastic, word: int) -> tuple[Program, int] | None:
    """The first word out is the first that needs a word of the pass."""
    if word == 0:
        return program, 0
    words_in, words_out = program.words_in, program.words_out
    needs = np.repeat(program.flat.needs[:, 0], program.flat.needs[:, 1])
    frees = program.flat.frees
    begins = int(np.searchsorted(needs, word))
    if begins == words_out or frees[word - 1] >= begins:
        return None
    turned = Elastic(
        np.concatenate([needs[begins:], needs[:begins] + words_in]) - word,
        np.concatenate([frees[word:], frees[:word] + words_out]) - begins,
        program.latency,
    )
    return turned, begins


# ---- views ----------------------------------------------------------------------------------


def _laps(view: View) -> list[tuple[int, list[tuple[int, int]], int]]:
    """(repeat, segments, idle steps behind) of every block of a frame."""
    frame = view.blocks[view.prologue_blocks :]
    return [(repeat, view.segments[first:end], idle) for repeat, first, end, idle in frame]


def _lap_steps(segments: list[tuple[int, int]], idle: int) -> tuple[int, int]:
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


def turned_view(view: View, step: int) -> View:
    """A frame's view that begins with ``step`` and goes on with the frame's first steps."""
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


def _view(laps: list[tuple[int, list[tuple[int, int]], int]]) -> View:
    blocks: list[tuple[int, int, int, int]] = []
    segments: list[tuple[int, int]] = []
    for repeat, parts, idle in laps:
        if not repeat or not (parts or idle):
            continue
        if not parts:
            idle, repeat = repeat * idle, 1
        blocks.append((repeat, len(segments), len(segments) + len(parts), idle))
        segments += parts
    return View(blocks, segments, 0)
