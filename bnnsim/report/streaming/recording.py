"""The first frames of a run, cycle by cycle: what every unit did and how full every FIFO was."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from bnnsim.design.design import Design
from bnnsim.design.streaming.units import UnitKind
from bnnsim.report.streaming.unit_states import Emit, State, StateTracker, computes_inside, shown_units
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import TimingResult

RECORDED_FRAMES = 3
MAX_EVENTS = 1_000_000
"""Where a recording ends early: segments and level changes in all, some 80 bytes each."""


@dataclass(frozen=True)
class UnitTrack:
    """One unit's states: in ``starts[i] <= cycle < starts[i + 1]`` it was in ``states[i]``.

    The last segment ends with the recording.
    """

    name: str
    layer: str
    kind: UnitKind
    starts: tuple[int, ...]
    states: tuple[int, ...]


@dataclass(frozen=True)
class LevelTrack:
    """One stream's FIFO: from the start of ``cycles[i]`` it held ``levels[i]`` words."""

    name: str
    depth_words: int
    width_bits: int
    cycles: tuple[int, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Recording:
    """All tracks of the first ``cycles`` cycles of a run of ``frames`` frames.

    ``is_whole`` is False where the recording ended before the run did. ``frame_end_cycles`` are the
    cycles in which the (last) sink took a frame's last word.
    """

    clock_mhz: float
    frames: int
    cycles: int
    is_whole: bool
    frame_end_cycles: tuple[int, ...]
    units: tuple[UnitTrack, ...]
    streams: tuple[LevelTrack, ...]


class _RecordingFull(Exception):
    """So many events that the recording ends here."""

    def __init__(self, cycle: int) -> None:
        super().__init__(cycle)
        self.cycle = cycle


class _Levels:
    """One FIFO's level as it changes; a word in and a word out in one cycle cancel."""

    def __init__(self) -> None:
        self.cycles = array("q", [0])
        self.levels = array("q", [0])

    def change(self, cycle: int, by: int) -> bool:
        """Book a word written (+1) or read (-1) in ``cycle``; True where the record grew."""
        after = cycle + 1
        level = self.levels[-1] + by
        if self.cycles[-1] == after:
            if len(self.levels) > 1 and self.levels[-2] == level:
                self.cycles.pop()
                self.levels.pop()
            else:
                self.levels[-1] = level
            return False
        self.cycles.append(after)
        self.levels.append(level)
        return True


class _Recorder:
    """An observer that keeps segments and level changes."""

    def __init__(self, graph: TimingGraph, streams: int, max_events: int) -> None:
        self.starts = [array("q") for _ in graph.units]
        self.states = [array("b") for _ in graph.units]
        self.levels = [_Levels() for _ in range(streams)]
        self.trackers = [
            StateTracker(computes_inside(unit), self._keep(i)) for i, unit in enumerate(graph.units)
        ]
        self._left = max_events

    def _keep(self, unit: int) -> Emit:
        def emit(start: int, end: int, state: State) -> None:
            self.starts[unit].append(start)
            self.states[unit].append(state)
            self._left -= 1

        return emit

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        if channel < len(self.levels) and self.levels[channel].change(cycle, 1):
            self._count(cycle)

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        if channel < len(self.levels) and self.levels[channel].change(cycle, -1):
            self._count(cycle)

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None:
        self.trackers[unit].stalled(side, start_cycle, end_cycle)

    def stepped(self, unit: int, cycle: int) -> None:
        self.trackers[unit].stepped(cycle)

    def _count(self, cycle: int) -> None:
        self._left -= 1
        if self._left <= 0:
            raise _RecordingFull(cycle)


def record(
    design: Design, frames: int = RECORDED_FRAMES, max_events: int = MAX_EVENTS
) -> Recording:
    """Run ``frames`` frames through the SimPy executor and keep what happened.

    Times do not depend on the bits, so the run carries none. Memory is bounded by ``max_events``.
    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where nothing can move any more.
    """
    graph = build_timing(design.graph)
    recorder = _Recorder(graph, len(design.graph.streams), max_events)
    result: TimingResult | None = None
    try:
        result = run_simpy(graph, frames, None, recorder)
        cycles = result.cycles_total
    except _RecordingFull as full:
        cycles = full.cycle
    for i, tracker in enumerate(recorder.trackers):
        tracker.finish(cycles, result.units[i] if result else None)
    return _recording(design, graph, recorder, frames, cycles, result)


def _recording(
    design: Design,
    graph: TimingGraph,
    recorder: _Recorder,
    frames: int,
    cycles: int,
    result: TimingResult | None,
) -> Recording:
    named = design.graph.unit_by_name
    units = tuple(
        UnitTrack(
            graph.units[i].name,
            named[graph.units[i].name].layer,
            named[graph.units[i].name].kind,
            tuple(recorder.starts[i]),
            tuple(recorder.states[i]),
        )
        for i in shown_units(graph)
    )
    streams = tuple(
        LevelTrack(
            stream.name, stream.depth_words, stream.width_bits, tuple(kept.cycles), tuple(kept.levels)
        )
        for stream, kept in zip(design.graph.streams, recorder.levels, strict=True)
    )
    return Recording(
        clock_mhz=design.architecture.clock_mhz,
        frames=frames,
        cycles=cycles,
        is_whole=result is not None,
        frame_end_cycles=tuple(result.frame_end_cycles) if result else (),
        units=units,
        streams=streams,
    )
