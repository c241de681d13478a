"""The reference executor: every unit a SimPy process, every event in the order of the cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import simpy

from bnnsim.design.streaming.datapath import Datapath
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Program
from bnnsim.timing.streaming.reference.actor import (
    Actor,
    FlushingActor,
    FreezingActor,
    Observer,
    Progress,
)
from bnnsim.timing.streaming.reference.elastic_actor import ElasticActor
from bnnsim.timing.streaming.reference.fifo import Fifo
from bnnsim.timing.streaming.result import DeadlockError, TimingResult


def run_simpy(
    graph: TimingGraph,
    frames: int,
    datapaths: Mapping[str, Datapath] | None = None,
    observer: Observer | None = None,
    progress: Progress | None = None,
    order: Sequence[int] | None = None,
) -> TimingResult:
    """Run ``frames`` frames and report where the cycles went.

    ``datapaths`` by unit name makes the run bit-exact; without it words carry nothing. ``progress`` is
    called with (words taken, words in all) of the sinks. ``order`` is the order in which processes are
    created; it cannot change the result. Raises :class:`DeadlockError` where nothing can move any more.
    """
    env = simpy.Environment()
    fifos = [Fifo(env, channel) for channel in graph.channels]
    actors: list[Actor] = []
    for position, unit in enumerate(graph.units):
        datapath = datapaths.get(unit.name) if datapaths and not unit.part_of else None
        actor = _actor_class(unit.program)(env, position, unit, fifos, datapath, frames, observer)
        actors.append(actor)
    frame_ends: list[int] = []
    done = _end_of_run(env, graph, actors, frames, frame_ends, progress)
    for position in order if order is not None else range(len(actors)):
        env.process(actors[position].process())
    try:
        env.run(until=done)
    except RuntimeError as error:
        if done.triggered or env.peek() != float("inf"):
            raise
        raise _deadlock(graph, actors, fifos) from error
    total = int(env.now) + 1
    env.run(until=total)  # the other units' share of the last cycle
    return TimingResult(
        frames=frames,
        cycles_total=total,
        frame_end_cycles=tuple(frame_ends),
        units=tuple(actor.cycles(total) for actor in actors),
        max_occupancy_words=tuple(fifo.final_occupancy() for fifo in fifos),
    )


def _actor_class(program: Program) -> type[Actor]:
    if isinstance(program, Elastic):
        return ElasticActor
    return FreezingActor if program.freezes or program.pipeline_depth == 0 else FlushingActor


def _end_of_run(
    env: simpy.Environment,
    graph: TimingGraph,
    actors: Sequence[Actor],
    frames: int,
    frame_ends: list[int],
    progress: Progress | None,
) -> simpy.Event:
    """An event for the last frame's end; ``frame_ends`` gathers the cycles in which frames end.

    A frame ends when the last of the sinks has its last word of it.
    """
    done = env.event()
    words = {sink: graph.frame_words(sink) for sink in graph.sinks}
    last = sum(words.values()) * frames
    counts = dict.fromkeys(graph.sinks, 0)

    def on_word(sink: int) -> None:
        counts[sink] += 1
        if progress is not None:
            progress(sum(counts.values()), last)
        ended = min(counts[one] // words[one] for one in counts)
        if ended > len(frame_ends):
            frame_ends.append(int(env.now))
            if ended == frames:
                done.succeed()

    for sink in graph.sinks:
        actors[sink].on_every_word(partial(on_word, sink))
    return done


def _deadlock(graph: TimingGraph, actors: list[Actor], fifos: list[Fifo]) -> DeadlockError:
    waiting = {
        actor.unit.name: "room in " + ", ".join(f.channel.name for f in actor.outputs if f.ends_full())
        if actor.waits_for() == "output"
        else "a word in " + ", ".join(f.channel.name for f in actor.inputs if f.ends_empty())
        for actor in actors
        if actor.waits_for()
    }
    occupancy = {fifo.channel.name: (len(fifo.words), fifo.depth) for fifo in fifos}
    last = max(max(fifo.last_write, fifo.last_read) for fifo in fifos)
    return DeadlockError(last, waiting, occupancy)
