"""Why an engine is no faster: the unit without whose work its frames would follow each other fastest.

The layers take turns, so everything that is not hidden behind something else costs its cycles; what
counts most is found by leaving each unit's work out of the program and timing what remains.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from bnnsim.design.engine.program import EngineProgram, counted
from bnnsim.timing.bottleneck import Bottleneck, listed
from bnnsim.timing.engine.steady_state import longest_interval
from bnnsim.timing.engine.variants import changed_program, unit_of, without


def find_engine_bottleneck(program: EngineProgram, interval: int | None) -> Bottleneck | None:
    """What limits an engine whose frames follow each other every ``interval`` cycles.

    None where that is not known, or nothing takes time.
    """
    busy = unit_cycles(program)
    if not interval or not busy:
        return None
    groups: list[tuple[str, ...]] = [(name,) for name in busy]
    without = {names: interval_without(program, names) for names in groups}
    if min(without.values()) >= interval:  # units side by side: only together do they count
        groups = [*combinations(busy, 2), tuple(busy)]
        without = {names: interval_without(program, names) for names in groups}
    least = min(without.values())
    names = tuple(dict.fromkeys(n for group, left in without.items() if left == least for n in group))
    found = Bottleneck(
        limited_by="unit",
        unit=names[0],
        unit_cycles=busy[names[0]],
        equally_slow=names[1:],
        stalled_cycles=max(0, interval - busy[names[0]]),
        interval_cycles=interval,
        unlimited_interval_cycles=interval,
        full_before=(),
        empty_after=(),
        blocking=(),
        frames_seen=0,
        text="",
        without_unit_cycles=least if len(names) == 1 else interval_without(program, names),
    )
    return replace(found, text=_text(found))


def unit_cycles(program: EngineProgram) -> dict[str, int]:
    """Cycles a frame in which each unit is at work, those that work not at all left out."""
    cycles: dict[str, int] = {}
    for part in program.parts:
        for op, times in counted(part.ops):
            cycles[unit_of(op)] = cycles.get(unit_of(op), 0) + op.cycles * times
    return {name: count for name, count in cycles.items() if count}


def interval_without(program: EngineProgram, units: tuple[str, ...]) -> int:
    """The interval if the work of ``units`` took no time; the longest gap where frames are not steady."""
    return longest_interval(changed_program(program, without(units)))


def _text(found: Bottleneck) -> str:
    several = bool(found.equally_slow)
    whose = "they" if several else "it"
    return (
        f"{listed(found.limiting_units)} {'count' if several else 'counts'} most: "
        f"{found.unit + ' ' if several else ''}at work {found.unit_cycles:,} of the "
        f"{found.interval_cycles:,} cycles a frame; if {whose} took no time, a frame "
        f"would take {found.without_unit_cycles:,}"
    )
