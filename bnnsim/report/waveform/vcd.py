"""A run as a value change dump, for GTKWave and every other waveform viewer."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from bnnsim.report.streaming.unit_states import STATE_TEXT, State
from bnnsim.report.waveform.event_log import EventLog
from bnnsim.report.waveform.stream_signals import NEVER, Handshake, StreamReplay
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from vcd.writer import Variable, VCDWriter

_UNITS_FIRST, _STREAMS_THEN = 0, 1


def clock_period_ps(clock_mhz: float) -> int:
    """The clock period in whole picoseconds, made even so that the falling edge is whole too."""
    return 2 * round(5e5 / clock_mhz)


def signal_name(name: str) -> str:
    """A unit's or stream's name as an identifier: ``conv0.mvau->conv0.widen#2`` becomes
    ``conv0_mvau_to_conv0_widen_2``, and ``1x1.mvau`` ``_1x1_mvau``."""
    identifier = re.sub(r"\W", "_", name.replace("->", "_to_"))
    return f"_{identifier}" if identifier[0].isdigit() else identifier


def check_signal_names(names: Iterable[str]) -> None:
    """Refuse units and streams whose ``names`` are the same identifier, such as ``a-b`` and ``a_b``.

    Raises :class:`~bnnsim.spec.faults.InputError` that names the first two.
    """
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(signal_name(name), name)
        if other != name:
            expected = "names of layers that differ in letters and digits"
            raise InputError(name, expected, f"the signal {signal_name(name)}, which {other} has too")


class _StreamVariables:
    """The seven signals of one stream; ``data`` is left out of runs whose words carry no bits."""

    def __init__(self, writer: VCDWriter, scope: tuple[str, ...], width_bits: int, depth: int) -> None:
        self._writer = writer

        def wire(name: str, size: int) -> Variable[Any]:
            return writer.register_var(scope, name, "wire", size=size, init=0)

        self.in_valid, self.in_ready = wire("in_valid", 1), wire("in_ready", 1)
        self.in_data = wire("in_data", width_bits) if width_bits else None
        self.out_valid, self.out_ready = wire("out_valid", 1), wire("out_ready", 1)
        self.out_data = wire("out_data", width_bits) if width_bits else None
        self.level = wire("level_words", max(1, depth.bit_length()))

    def show(self, time: int, wires: Handshake) -> None:
        change = self._writer.change
        change(self.in_valid, time, wires.in_valid)
        change(self.in_ready, time, wires.in_ready)
        if self.in_data is not None and wires.in_valid:
            change(self.in_data, time, wires.in_data)
        change(self.out_valid, time, wires.out_valid)
        change(self.out_ready, time, wires.out_ready)
        if self.out_data is not None and wires.out_valid:
            change(self.out_data, time, wires.out_data)
        change(self.level, time, wires.level_words)


class VcdDump:
    """Writes cycles ``first`` <= cycle < ``end`` of a logged run.

    Cycle n lasts from time n * period, where the clock rises and every signal takes its value of that
    cycle, to the next rise; the clock falls in the middle, where all signals are steady.
    """

    def __init__(
        self, log: EventLog, file: TextIO, clock_mhz: float, first: int, end: int, has_bits: bool
    ) -> None:
        from vcd import VCDWriter

        self._first, self._end = first, end
        self._period = clock_period_ps(clock_mhz)
        self._writer = VCDWriter(
            file,
            timescale="1 ps",
            date="",
            version="bnnsim",
            comment=f"cycle n = time n * {self._period} ps; cycles {first} to {end}",
            init_timestamp=first * self._period,
        )
        self._clock = self._writer.register_var(("bnnsim",), "clock", "wire", size=1, init=0)
        self._log = log
        self._states = [State.IDLE] * len(log.timing.units)
        self._segments = [log.segments(i) for i in range(len(log.timing.units))]
        self._register(log, has_bits)
        self._heap: list[tuple[int, int, int]] = []
        for unit in range(len(self._segments)):
            self._next_segment(unit)
        for stream, replay in enumerate(self._replays):
            self._schedule(stream, replay.next_cycle())
            self._schedule(stream, 0)
            self._schedule(stream, first)

    def _register(self, log: EventLog, has_bits: bool) -> None:
        units = log.timing.units
        check_signal_names([*(unit.name for unit in units), *(stream.name for stream in log.streams)])
        self._writer_of = [0] * len(log.streams)
        self._reader_of = [0] * len(log.streams)
        self._streams_of: list[list[int]] = [[] for _ in units]
        for position, unit in enumerate(units):
            for channel in (c for c in unit.outputs if c < len(log.streams)):
                self._writer_of[channel] = position
                self._streams_of[position].append(channel)
            for channel in (c for c in unit.inputs if c < len(log.streams)):
                self._reader_of[channel] = position
                self._streams_of[position].append(channel)
        self._state_variables = {
            i: self._writer.register_var(
                ("bnnsim", "units"), signal_name(units[i].name), "string", init=""
            )
            for i in log.units
        }
        self._replays = []
        self._variables = []
        for i, stream in enumerate(log.streams):
            scope = ("bnnsim", "streams", signal_name(stream.name))
            width = stream.width_bits if has_bits else 0
            self._variables.append(
                _StreamVariables(self._writer, scope, width, stream.depth_words)
            )
            self._replays.append(StreamReplay(stream.depth_words, log.writes(i), log.reads(i)))

    def _schedule(self, stream: int, cycle: int) -> None:
        if cycle != NEVER:
            heapq.heappush(self._heap, (cycle, _STREAMS_THEN, stream))

    def _next_segment(self, unit: int) -> None:
        segment = next(self._segments[unit], None)
        if segment is not None:
            start, _, state = segment
            heapq.heappush(self._heap, (start, _UNITS_FIRST, unit << 3 | state))

    def write(self) -> None:
        """Write the whole window."""
        while self._heap and self._heap[0][0] < self._first:
            self._cycle(self._heap[0][0])
        change, clock, period = self._writer.change, self._clock, self._period
        for cycle in range(self._first, self._end):
            change(clock, cycle * period, 1)
            if cycle == self._first:
                for unit in self._state_variables:
                    self._show_state(unit, cycle)
            if self._heap and self._heap[0][0] == cycle:
                self._cycle(cycle)
            change(clock, cycle * period + period // 2, 0)
        self._writer.close(self._end * period)

    def _cycle(self, cycle: int) -> None:
        """Everything that happens in ``cycle``."""
        heap = self._heap
        streams: set[int] = set()
        while heap and heap[0][0] == cycle:
            _, what, index = heapq.heappop(heap)
            if what == _STREAMS_THEN:
                streams.add(index)
                continue
            unit, state = index >> 3, State(index & 7)
            self._states[unit] = state
            self._show_state(unit, cycle)
            streams.update(self._streams_of[unit])
            self._next_segment(unit)
        for stream in sorted(streams):
            replay = self._replays[stream]
            wires, passed = replay.at(
                cycle, self._states[self._writer_of[stream]], self._states[self._reader_of[stream]]
            )
            if cycle >= self._first:
                self._variables[stream].show(cycle * self._period, wires)
            if passed:
                self._schedule(stream, cycle + 1)
                self._schedule(stream, replay.next_cycle())

    def _show_state(self, unit: int, cycle: int) -> None:
        variable = self._state_variables.get(unit)
        if variable is not None and cycle >= self._first:
            text = STATE_TEXT[self._states[unit]].replace(" ", "_")
            self._writer.change(variable, cycle * self._period, text)
