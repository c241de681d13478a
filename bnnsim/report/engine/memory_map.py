"""An engine's memory map: turns from left to right, addresses from top to bottom, a memory a box."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bnnsim.design.memory_map import DRAM, Memory, MemoryMap, MemoryPlace
from bnnsim.report.figures.figure import Figure, csv_text, exact

_WAYS = {
    "network": ("not-recorded", "stays from frame to frame"),
    "ping-pong": ("busy", "beside what its turn reads in the same memory"),
    "alone": ("computing", "its turn reads nothing there"),
    "in place": ("stalled-on-input", "over what its turn reads"),
    "spilled": ("stalled-on-output", "stored in DRAM and loaded again"),
    "turn": ("idle", "passes through in tiles; its height is the most that is there at once"),
}
"""How each way to lie is coloured, and what it means."""
_NAME_SHARE = 0.09
"""Of a memory's height that a name takes."""
_HEADER = ("memory", "name", "content", "bits", "first_bit", "from_turn", "to_turn", "way")


def memory_map_figure(found: MemoryMap) -> Figure:
    """A box for each memory in which something lies, and the rows behind it as a table."""
    shown = [memory for memory in found.memories if memory.highest_bits]
    boxes = "".join(_box(found, memory) for memory in shown)
    ways = {one.way for one in found.places}
    legend = "".join(
        f'<li><span class="swatch {css}"></span><b>{way}</b> <span class="muted">{meaning}</span></li>'
        for way, (css, meaning) in _WAYS.items()
        if way in ways
    )
    rows = [[getattr(one, name) for name in _HEADER] for one in found.places]
    note = (
        f"The {len(found.turns)} turns of a frame from left to right, from {escape(found.turns[0])} to "
        f"{escape(found.turns[-1])}; the addresses of each memory from top to bottom. Point at a place "
        "for its size and its turns."
    )
    body = f'<ul class="legend">{legend}</ul>{boxes}{_table(found)}'
    return Figure("memory", "Memory map", note, body, csv_text(_HEADER, rows))


def _box(found: MemoryMap, memory: Memory) -> str:
    position = {turn: i for i, turn in enumerate(found.turns)}
    here = [one for one in found.places if one.memory == memory.name]
    height = memory.capacity_bits or max(
        memory.highest_bits, *(one.first_bit + one.bits for one in here if one.first_bit is not None), 1
    )
    stacked: dict[str, int] = {}
    placed: list[tuple[MemoryPlace, int]] = []
    for one in here:
        first = one.first_bit
        if first is None:
            first = stacked.get(one.from_turn, 0)
            stacked[one.from_turn] = first + one.bits
        placed.append((one, first))
    marks = ""
    for i, (one, first) in enumerate(placed):
        named = first + min(one.bits, _NAME_SHARE * height)
        over = [
            position[other.from_turn]
            for other, at in placed[i + 1 :]
            if at < named and first < at + other.bits
        ]
        marks += _mark(one, first, height, position, over)
    if memory.name == DRAM:
        said = f"DRAM <small class='muted'>{exact(-(-height // 8))} bytes</small>"
    else:
        share = memory.highest_bits / height
        said = (
            f"{escape(memory.name)} <small class='muted'>{memory.holds}, {exact(height)} bits; at most "
            f"{exact(memory.highest_bits)} ({share:.0%}) at {escape(memory.highest_turn)}</small>"
        )
    return f'<h3>{said}</h3><div class="memory-map" aria-hidden="true">{marks}</div>'


def _mark(
    one: MemoryPlace, first: int, height: int, position: dict[str, int], over: Sequence[int]
) -> str:
    """A place as a box; ``over``: turns from which others may lie over its name."""
    turns = len(position)
    start, end = position[one.from_turn], position[one.to_turn] + 1
    covered = end - min((turn for turn in over if start <= turn < end), default=end)
    room = f"padding-right:{100 * covered / turns:.3f}%;" if covered else ""
    css = _WAYS[one.way][0] if one.way in _WAYS else "idle"
    until = f"{one.from_turn} to {one.to_turn}" if end - start > 1 else one.from_turn
    title = f"{one.content} {one.name}: {one.bits:,} bits, {until}, {one.way}"
    return (
        f'<i class="{css}" title="{escape(title)}" style="left:{100 * start / turns:.3f}%;'
        f"width:{100 * (end - start) / turns:.3f}%;top:{100 * first / height:.3f}%;"
        f'{room}height:{100 * one.bits / height:.3f}%"><b>{escape(one.name)}</b></i>'
    )


def _table(found: MemoryMap) -> str:
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in _HEADER)
    rows = "".join(
        f"<tr><td>{escape(one.memory)}</td><td>{escape(one.name)}</td><td>{one.content}</td>"
        f"<td>{exact(one.bits)}</td><td>{exact(one.first_bit)}</td><td>{escape(one.from_turn)}</td>"
        f"<td>{escape(one.to_turn)}</td><td>{one.way}</td></tr>"
        for one in found.places
    )
    return (
        f"<details><summary>All {len(found.places)} places as a table</summary>"
        f'<div class="table"><table><tr>{head}</tr>{rows}</table></div></details>'
    )
