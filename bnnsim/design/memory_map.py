"""What a frame brings in, keeps where and for how long, and sends out: the record of a memory map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DRAM, OUTSIDE = "DRAM", "outside"
Content = Literal["image", "activations", "weights", "thresholds", "partial_sums", "results"]
Direction = Literal["load", "store"]
Way = Literal["network", "turn", "ping-pong", "in place", "alone", "spilled", "outside"]


@dataclass(frozen=True)
class MemoryPlace:
    """Something that lies in a memory for some turns of a frame."""

    name: str
    """The layer that made it or whose it is; image."""
    content: Content
    """image, activations (a map), weights, thresholds, partial_sums, results."""
    memory: str
    """The buffer; DRAM, behind the ports; outside, where the architecture leaves it to others."""
    bits: int
    """Its size; of what passes through in tiles the most that is there at once, a tile in each half of a
    double buffer."""
    first_bit: int | None
    """Where it begins in the memory; null for what passes through in tiles, and outside."""
    from_turn: str
    """The first turn in which it is there."""
    to_turn: str
    """The last."""
    way: Way
    """network (stays from frame to frame), turn (passes through in tiles), ping-pong (beside what its
    turn reads in the same memory), in place (over what its turn reads), alone (its turn reads nothing
    there), spilled (to DRAM), outside."""


@dataclass(frozen=True)
class Memory:
    """A memory: how large, and the most that lies in it at once."""

    name: str
    """The buffer, or DRAM."""
    holds: str
    """What a buffer is for; all of it for DRAM."""
    capacity_bits: int | None
    """Bits of all its copies and halves; null for DRAM."""
    highest_bits: int
    """The most that lies in it in a turn."""
    highest_turn: str
    """The first such turn."""


@dataclass(frozen=True)
class Crossing:
    """What goes through a port in a turn."""

    turn: str
    """The layer that leads the turn, or frame.before, frame.after."""
    payload: str
    """weights, thresholds, activations, shortcut, image or results."""
    direction: Direction
    """load (it enters) or store (it leaves)."""
    port: str
    """The port."""
    buffer: str
    """The buffer that it fills or empties."""
    words: int
    """Words of the port in the turn, those that come again too."""


@dataclass(frozen=True)
class MemoryMap:
    """What enters, what stays where, what leaves, turn by turn."""

    turns: tuple[str, ...]
    """The turns of a frame in their order."""
    memories: tuple[Memory, ...]
    """Every buffer, and DRAM where there is a port."""
    places: tuple[MemoryPlace, ...]
    """What lies where; a map in pieces has an entry for each."""
    crossings: tuple[Crossing, ...]
    """What enters and leaves, in the order of the turns."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Each memory in a sentence."""
        return tuple(self._line(memory) for memory in self.memories)

    def _line(self, memory: Memory) -> str:
        here = [one for one in self.places if one.memory == memory.name]
        laid = [o for o in here if o.content in ("image", "activations") and o.way != "network"]
        ways = sorted({one.way for one in laid})
        maps = {one.name for one in laid}
        kept = f"; {len(maps)} map{'s' * (len(maps) > 1)} ({', '.join(ways)})" if maps else ""
        if memory.capacity_bits is None:
            return f"{memory.name}: {-(-memory.highest_bits // 8):,} bytes{kept}"
        of = f"{memory.highest_bits:,} of {memory.capacity_bits:,} bits at most"
        at = f" ({memory.highest_turn})" if memory.highest_bits else ""
        return f"{memory.name} ({memory.holds}): {of}{at}{kept}"
