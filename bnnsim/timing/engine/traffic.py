"""What goes through an engine's ports in a frame, and how much could."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bnnsim.design.engine.program import EngineProgram, LayerProgram, Transfer, counted
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.timing.engine.bottleneck import interval_without


@dataclass(frozen=True)
class PortTraffic:
    """One port in a frame of the steady state."""

    name: str
    """The port."""
    loaded_bytes: int
    """Bytes into buffers a frame, whole words of the port."""
    stored_bytes: int
    """Bytes out of buffers a frame."""
    bytes_by_payload: Mapping[str, int]
    """The same by what they are: weights, thresholds, activations, shortcut, image, results."""
    busy_cycles: int
    """Cycles a frame in which a burst holds the port, its latency included."""
    peak_gb_s: float
    """A word a cycle, in 10^9 bytes a second."""
    had_gb_s: float
    """With the latency of its bursts: what it moves while it is at work."""
    asked_gb_s: float | None
    """What the frames would ask for if it took no time; null where nothing else takes any."""
    moved_gb_s: float
    """What it moves on average."""

    @property
    def sentence(self) -> str:
        """All of it in a sentence."""
        asked = "all it can" if self.asked_gb_s is None else f"{self.asked_gb_s:.3g} GB/s"
        return (
            f"{self.name} moves {self.loaded_bytes:,} bytes in and {self.stored_bytes:,} out a frame; "
            f"{asked} asked for, {self.had_gb_s:.3g} had of {self.peak_gb_s:.3g}"
        )


def transfers(part: LayerProgram, port: str | None = None) -> Iterator[tuple[Transfer, int]]:
    """Every transfer of a part, through one port or all, with how often it happens."""
    for op, times in counted(part.ops):
        if times and isinstance(op, Transfer) and port in (None, op.port):
            yield op, times


def word_bits(spec: EngineArchitecture) -> dict[str, int]:
    """Bits of a word of each port."""
    return {name: port.width_bits for name, port in spec.ports.items()}


def latency_cycles(program: EngineProgram, port: str) -> int:
    """Cycles a frame in which the port's bursts wait for their first words."""
    return sum(
        times * op.bursts * op.latency_cycles
        for part in program.parts
        for op, times in transfers(part, port)
    )


def part_bytes(part: LayerProgram, widths: Mapping[str, int]) -> dict[str, int]:
    """Bytes through each port in one part's turn; ``widths`` are bits of a word."""
    found: dict[str, int] = {}
    for op, times in transfers(part):
        found[op.port] = found.get(op.port, 0) + times * op.words * widths[op.port]
    return {name: -(-bits // 8) for name, bits in found.items()}


def port_traffic(
    program: EngineProgram, widths: Mapping[str, int], clock_mhz: float, interval: int
) -> tuple[PortTraffic, ...]:
    """Every port that moves something, with frames ``interval`` cycles apart."""
    found = []
    for name in program.ports:
        moves = [move for part in program.parts for move in transfers(part, name)]
        if not moves:
            continue
        bits = {"load": 0, "store": 0}
        by_payload: dict[str, int] = {}
        for op, times in moves:
            moved = times * op.words * widths[name]
            bits[op.direction] += moved
            by_payload[op.payload] = by_payload.get(op.payload, 0) + moved
        loaded, stored = (-(-bits[way] // 8) for way in ("load", "store"))
        busy = sum(times * op.cycles for op, times in moves)
        others = interval_without(program, (f"port {name}",))
        per_cycle = clock_mhz / 1000  # from bytes a cycle to 10^9 bytes a second
        found.append(
            PortTraffic(
                name=name,
                loaded_bytes=loaded,
                stored_bytes=stored,
                bytes_by_payload={key: -(-value // 8) for key, value in by_payload.items()},
                busy_cycles=busy,
                peak_gb_s=widths[name] / 8 * per_cycle,
                had_gb_s=(loaded + stored) / busy * per_cycle,
                asked_gb_s=(loaded + stored) / others * per_cycle if others else None,
                moved_gb_s=(loaded + stored) / interval * per_cycle,
            )
        )
    return tuple(found)
