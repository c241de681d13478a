"""Retiming: a pipeline whose frames begin where their words are, so that its interval shows sooner.

A freezing pipeline lets the last words of a frame go only when the next frame pushes them out. Every
layer adds to that: a sink may have its first frame when the source is far into the eighth. The retimed
graph has no such wait and the same interval (docs/steady-state.md says why).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.programs.view import View, active_before, rotated_view, step_of


@dataclass(frozen=True, eq=False)
class Retimed(Lockstep):
    """A lockstep program whose pass begins with step ``reads_from`` for its reads and ``writes_from``
    for its writes."""

    reads_from: int = 0
    writes_from: int = 0

    @cached_property
    def reading(self) -> View:
        return rotated_view(super().reading, self.reads_from)

    @cached_property
    def writing(self) -> View:
        return rotated_view(super().writing, self.writes_from)


def retimed_graph(graph: TimingGraph) -> TimingGraph | None:
    """``graph`` with every program's pass beginning where its words do; None where that cannot be.

    It has no freezing pipeline any more. None for graphs with flushing pipelines of several stages, for
    test benches that are open only now and then, and where branches join that hold back different numbers
    of words: one would begin a frame, or some words, before the other.
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
        retimed = _retimed(unit.program, begins[fed[0]] if fed else 0)
        if retimed is None:
            return None
        units.append(replace(unit, program=retimed[0]))
        begins |= dict.fromkeys(unit.outputs, retimed[1])
    return replace(graph, units=tuple(units))


def _retimed(program: Program, first: int) -> tuple[Program, int] | None:
    """A program whose pass begins with input word ``first``; the output word that it begins with.

    Both count from the first frame's first word, and may be negative.
    """
    if isinstance(program, Elastic):
        frame, word = divmod(first, program.words_in)
    elif program.writes_ahead or (program.pipeline_depth > 1 and not program.freezes):
        return None
    else:  # what is read ahead of a pass belongs to later words
        frame, word = divmod(first - program.words_ahead, max(1, program.words_in))
    if word not in program.retimed_forms:
        if isinstance(program, Elastic):
            form = _retimed_elastic(program, word)
        else:
            form = _retimed_lockstep(program, word)
        if form is None:
            return None
        program.retimed_forms[word] = form
    retimed, begins = program.retimed_forms[word]
    return retimed, frame * program.words_out + begins


def _retimed_lockstep(program: Lockstep, word: int) -> tuple[Program, int]:
    """A pass that begins where word ``word`` of a frame is read, and the word that it writes first.

    A freezing pipeline of d stages is dropped: in the tick in which the pass reads for step t, it writes
    what step t - d would write, so its writes begin d steps before its reads. The word may be negative,
    one of an earlier frame.
    """
    lead = replace(program, prologue=()) if program.has_lead else program
    begin = step_of(lead.reading, word) if word else 0
    depth = program.pipeline_depth
    frame, writes_from = divmod(begin - depth if program.freezes else begin, program.steps)
    begins = frame * program.words_out + active_before(lead.writing, writes_from)
    retimed = Retimed(
        program.blocks,
        0 if program.freezes else depth,
        program.freezes,
        reads_from=begin,
        writes_from=writes_from,
    )
    return retimed, begins


def _retimed_elastic(program: Elastic, word: int) -> tuple[Program, int] | None:
    """A pass that begins with input word ``word``, and with the first output word that depends on it."""
    if word == 0:
        return program, 0
    words_in, words_out = program.words_in, program.words_out
    runs = program.order.dependence_runs
    dependence = np.repeat(runs[:, 0], runs[:, 1])
    release = program.order.release
    begins = int(np.searchsorted(dependence, word))
    if begins == words_out or release[word - 1] >= begins:
        return None
    retimed = Elastic(
        np.concatenate([dependence[begins:], dependence[:begins] + words_in]) - word,
        np.concatenate([release[word:], release[:word] + words_out]) - begins,
        program.latency,
    )
    return retimed, begins
