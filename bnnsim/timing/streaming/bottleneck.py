"""Why a pipeline is no faster: the unit or the FIFOs that limit it, and what waits for them.

Without any FIFO limit a word waits only for the words before it, never for room, and streams lead
forward only; so frames then leave as often as the slowest unit alone can work, with words always there
and room for all it makes. That is exact, for freezing, flushing and elastic units alike. A pipeline with
real FIFOs that is as fast is limited by that unit; one that is slower, by its FIFOs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from bnnsim.timing.bottleneck import Bottleneck, Circuit, listed
from bnnsim.timing.streaming.compiled_run import CompiledRun
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.solver.steady.certificate import find_bounds, longest_program
from bnnsim.timing.streaming.solver.steady.pieces import alone
from bnnsim.timing.streaming.steady_state.api import SWEPT_WORDS, frame_words, steady_state


def find_bottleneck(graph: TimingGraph, run: CompiledRun) -> Bottleneck | None:
    """What limits ``graph``, of which ``run`` is a run that went on to its steady state.

    None where that is not proven.
    """
    steady, seen = run.steady_state, run.watched
    if steady is None or seen is None:
        return None
    interval, period = steady.interval, steady.period_frames
    assert interval is not None and period is not None, "what is not proven is not watched"
    unlimited, (unit, *equally_slow) = slowest(graph)
    streams = _Streams(graph)
    by_fifos = interval > unlimited
    position = next(i for i, u in enumerate(graph.units) if u.name == unit)
    found = Bottleneck(
        limited_by="fifos" if by_fifos else "unit",
        unit=unit,
        unit_cycles=_ceil(unlimited),
        equally_slow=tuple(equally_slow),
        stalled_cycles=_ceil(Fraction(seen.stalled[position], period)),
        interval_cycles=_ceil(interval),
        unlimited_interval_cycles=_ceil(unlimited),
        full_before=streams.names(c for c in streams.before(unit) if seen.is_full[c]),
        empty_after=streams.names(
            c for c in streams.after(unit) if seen.reader_stalled[c] and not seen.is_full[c]
        ),
        blocking=streams.names(
            c for c in streams.all if by_fifos and seen.is_full[c] and seen.writer_stalled[c]
        ),
        frames_seen=seen.frames,
        text="",
        pace=_pace(graph, interval, unit, by_fifos),
    )
    return replace(found, text=_fifos_limit(found) if by_fifos else _unit_limits(found))


def _pace(graph: TimingGraph, interval: Fraction, unit: str, by_fifos: bool) -> Circuit | None:
    """The circuit that makes the interval what it is, if it can be told: a unit that limits is one.

    Others are not looked for in frames of more than ``SWEPT_WORDS``: that takes 50 bytes a word.
    """
    longest = longest_program(graph)
    if longest.ratio == interval:
        return longest
    if not by_fifos:
        return Circuit((unit,), (), unit, interval.numerator, interval.denominator)
    if frame_words(graph) > SWEPT_WORDS:
        return None
    found = find_bounds(graph)
    return found.circuit if found is not None and found.circuit.ratio == interval else None


def _ceil(cycles: Fraction) -> int:
    return -(-cycles.numerator // cycles.denominator)


# ---- the slowest unit -----------------------------------------------------------------------


def unlimited_interval(graph: TimingGraph) -> Fraction:
    """Cycles a frame if every FIFO were as deep as it could ever help."""
    return slowest(graph)[0]


def slowest(graph: TimingGraph) -> tuple[Fraction, tuple[str, ...]]:
    """The most cycles a frame that a unit needs by itself, and the units that do.

    They limit a design whose interval is as long; where it is longer, FIFOs do.
    """
    own = slowest_units(graph)
    most = max(own.values())
    return most, tuple(name for name, cycles in own.items() if cycles == most)


def slowest_units(graph: TimingGraph) -> dict[str, Fraction]:
    """Cycles a frame of each unit by itself; elastic ones only where they may be the slowest."""
    own = _lockstep_intervals(graph)
    slowest = max(own.values(), default=Fraction(0))
    for unit in graph.units:
        program = unit.program
        if isinstance(program, Elastic) and not unit.part_of:
            # At worst every word is waited for alone.
            at_most = program.words_in + program.words_out * (1 + program.latency)
            if at_most >= slowest:
                own[unit.name] = _elastic_interval(program)
    return _in_order(graph, own)


def own_intervals(graph: TimingGraph) -> dict[str, Fraction]:
    """Cycles a frame of each unit by itself, with words always there and room for all it makes."""
    own = _lockstep_intervals(graph)
    for unit in graph.units:
        if isinstance(unit.program, Elastic) and not unit.part_of:
            own[unit.name] = _elastic_interval(unit.program)
    return _in_order(graph, own)


def _lockstep_intervals(graph: TimingGraph) -> dict[str, Fraction]:
    """A register slice, part of another unit, passes a word a cycle and is left out."""
    return {
        unit.name: Fraction(unit.program.steps)
        for unit in graph.units
        if not unit.part_of and not isinstance(unit.program, Elastic)
    }


def _in_order(graph: TimingGraph, own: dict[str, Fraction]) -> dict[str, Fraction]:
    return {unit.name: own[unit.name] for unit in graph.units if unit.name in own}


@lru_cache(maxsize=256)
def _elastic_interval(program: Elastic) -> Fraction:
    """Cycles a frame with words always there and room always free."""
    interval = steady_state(alone(program)).interval
    assert interval is not None, "a unit alone repeats"
    return interval


# ---- where it stands -------------------------------------------------------------------------


class _Streams:
    """The channels of a graph but for those between a unit and its own register slices."""

    def __init__(self, graph: TimingGraph) -> None:
        self.graph = graph
        self._writer = {c: u.part_of or u.name for u in graph.units for c in u.outputs}
        self._reader = {c: u.part_of or u.name for u in graph.units for c in u.inputs}
        self.all = [c for c in range(len(graph.channels)) if self._writer.get(c) != self._reader.get(c)]

    def names(self, channels: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.graph.channels[c].name for c in channels)

    def before(self, unit: str) -> Iterator[int]:
        """Those on the way to a unit, nearest first."""
        return self._walk(unit, self._reader, self._writer)

    def after(self, unit: str) -> Iterator[int]:
        """Those behind a unit, nearest first."""
        return self._walk(unit, self._writer, self._reader)

    def _walk(self, unit: str, near: Mapping[int, str], far: Mapping[int, str]) -> Iterator[int]:
        """Breadth first: channels with ``unit`` at their near end, then on from their far ends."""
        of_unit: dict[str, list[int]] = {}
        for channel in self.all:
            if channel in near:
                of_unit.setdefault(near[channel], []).append(channel)
        reached, seen = [unit], {unit}
        for name in reached:
            for channel in of_unit.get(name, ()):
                yield channel
                other = far.get(channel, name)
                if other not in seen:
                    seen.add(other)
                    reached.append(other)


# ---- in words -------------------------------------------------------------------------------


def _unit_limits(found: Bottleneck) -> str:
    verb = "does" if len(found.equally_slow) == 1 else "do"
    others = f" (and so {verb} {listed(found.equally_slow)})" if found.equally_slow else ""
    stalled = f"stalled {found.stalled_cycles:,} of them" if found.stalled_cycles else "never stalled"
    parts = [f"{found.unit} limits{others}: {found.unit_cycles:,} cycles a frame, {stalled}"]
    if found.full_before:
        verb = "is" if len(found.full_before) == 1 else "are"
        parts.append(f"{listed(found.full_before, 1)} before it {verb} full")
    if found.empty_after:
        verb = "runs" if len(found.empty_after) == 1 else "run"
        parts.append(f"{listed(found.empty_after, 1)} after it {verb} empty")
    parts.append(
        f"without any FIFO limit the interval would be {found.unlimited_interval_cycles:,} cycles too"
    )
    return "; ".join(parts)


def _fifos_limit(found: Bottleneck) -> str:
    full = ""
    if found.blocking:
        verb = "is" if len(found.blocking) == 1 else "are"
        full = f"; {listed(found.blocking, 3)} {verb} full while the writer waits"
    pace = f"; pace set by {found.pace.short_way}" if found.pace is not None else ""
    return (
        f"FIFOs limit: {found.interval_cycles:,} cycles a frame; without any FIFO limit the interval "
        f"would be {found.unlimited_interval_cycles:,} cycles, set by {found.unit}, which is stalled "
        f"{found.stalled_cycles:,}{full}{pace}; deeper FIFOs help (bnnsim fifos)"
    )
