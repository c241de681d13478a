"""Everything that happened in a run, on disk: every word's cycle and bits, every unit's states.

A simulation reports a stall when it is over, so events do not come in the order of the cycles; here
each unit and each stream has a track of its own, which does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import TracebackType

from bnnsim.design.streaming.units import StreamingGraph
from bnnsim.report.streaming.unit_states import Emit, State, StateTracker, computes_inside, shown_units
from bnnsim.report.waveform.spool import Spool
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.result import UnitCycles

_CYCLE = struct.Struct("<q")
_SEGMENT = struct.Struct("<qqB")


class EventLog:
    """An observer that writes down what it sees. Channels are the design's streams, by position."""

    def __init__(self, graph: StreamingGraph, timing: TimingGraph) -> None:
        self.streams = graph.streams
        self.timing = timing
        self.units = shown_units(timing)
        self._word_bytes = [-(-stream.width_bits // 8) for stream in graph.streams]
        count = len(graph.streams)
        self._reads_from = count
        self._states_from = 2 * count
        sizes = [_CYCLE.size + width for width in self._word_bytes]
        sizes += [_CYCLE.size] * count + [_SEGMENT.size] * len(timing.units)
        self._spool = Spool(sizes)
        self._trackers = [
            StateTracker(computes_inside(unit), self._segment_writer(i))
            for i, unit in enumerate(timing.units)
        ]

    def _segment_writer(self, unit: int) -> Emit:
        track = self._states_from + unit

        def emit(start: int, end: int, state: State) -> None:
            self._spool.append(track, _SEGMENT.pack(start, end, state))

        return emit

    # ---- what an observer is told ------------------------------------------------------------

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        if channel < self._reads_from:
            octets = word.to_bytes(self._word_bytes[channel], "little")
            self._spool.append(channel, _CYCLE.pack(cycle) + octets)

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        if channel < self._reads_from:
            self._spool.append(self._reads_from + channel, _CYCLE.pack(cycle))

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None:
        self._trackers[unit].stalled(side, start_cycle, end_cycle)

    def stepped(self, unit: int, cycle: int) -> None:
        self._trackers[unit].stepped(cycle)

    def finish(self, cycles_total: int, accounts: Mapping[str, UnitCycles]) -> None:
        """The run is over; ``accounts`` by unit name tell the stalls that were still on."""
        for unit, tracker in zip(self.timing.units, self._trackers, strict=True):
            tracker.finish(cycles_total, accounts.get(unit.name))

    # ---- what was seen ---------------------------------------------------------------------

    def writes(self, stream: int) -> Iterator[tuple[int, int]]:
        """(cycle, word) of every word written into a stream."""
        for record in self._spool.records(stream):
            yield _CYCLE.unpack_from(record)[0], int.from_bytes(record[_CYCLE.size :], "little")

    def reads(self, stream: int) -> Iterator[int]:
        """The cycle of every word read from a stream."""
        for record in self._spool.records(self._reads_from + stream):
            yield _CYCLE.unpack(record)[0]

    def segments(self, unit: int) -> Iterator[tuple[int, int, State]]:
        """(start, end, state) of a unit, without gaps, by position in the timing graph."""
        for record in self._spool.records(self._states_from + unit):
            start, end, state = _SEGMENT.unpack(record)
            yield start, end, State(state)

    def close(self) -> None:
        self._spool.close()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
