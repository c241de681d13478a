"""Where an engine's cycles go: memory or compute, in all and a layer, and what each would bring.

Whatever is said to limit was tried: the frame is timed once more with one unit twice as fast. A unit
twice as fast does each of its steps in half the cycles, a port twice as wide each transfer in half the
words, a port of half the latency each burst's request in half the cycles, all rounded up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import EngineProgram, Transfer, Work, leaves
from bnnsim.design.network.node import OPERATIONS_PER_MAC
from bnnsim.timing.engine.bottleneck import unit_cycles
from bnnsim.timing.engine.result import PartCycles
from bnnsim.timing.engine.steady_state import longest_interval, steady_frame
from bnnsim.timing.engine.tables import TableBuilder
from bnnsim.timing.engine.traffic import (
    PortTraffic,
    latency_cycles,
    part_bytes,
    port_traffic,
    word_bits,
)
from bnnsim.timing.engine.variants import (
    Change,
    changed_program,
    half_the_latency,
    half_the_words,
    half_the_work,
    unit_of,
)

Bound = Literal["compute", "memory", "host", "overhead", "both"]
CLASSES: tuple[Bound, ...] = get_args(Bound)[:4]
ResourceKind = Literal["array", "stage", "port", "latency", "host", "overhead"]
CLASS_OF: Mapping[ResourceKind, Bound] = {
    "array": "compute",
    "stage": "compute",
    "port": "memory",
    "latency": "memory",
    "host": "host",
    "overhead": "overhead",
}
COUNTS_FROM = 1.01
"""A resource counts if frames follow each other at least so many times as fast with it twice as fast."""
_SAID: Mapping[Bound, str] = {
    "compute": "arrays and stages twice as fast",
    "memory": "ports twice as wide and half their latency",
    "host": "a host twice as fast",
    "overhead": "half the overhead",
    "both": "all of it twice as fast",
}


@dataclass(frozen=True)
class Doubled:
    """One resource of an engine twice as fast, and all else as it is."""

    name: str
    """The array, stage or port; latency of PORT; host; overhead."""
    kind: ResourceKind
    """array, stage, port (twice the width), latency (half of it), host, overhead."""
    busy_cycles: int
    """Cycles a frame in which it is at work now."""
    interval_cycles: int
    """The interval between frames with it twice as fast."""
    speedup: float
    """The interval now by that one."""
    counts: bool
    """Whether frames follow each other at least 1 % faster."""


@dataclass(frozen=True)
class LayerSpending:
    """One layer's turn in a frame of the steady state. The cycles add up to ``total_cycles``."""

    name: str
    """The layer that leads the turn."""
    bound: Bound | None
    """compute, memory, host or overhead: what, twice as fast in this turn alone, saves most; null where
    nothing saves anything."""
    saved_cycles: int
    """What it saves of the interval."""
    total_cycles: int
    """Of the whole turn."""
    array_cycles: int
    """An array at work."""
    stage_cycles: int
    """Stages in sequence with it."""
    weight_cycles: int
    """Waiting for weights and thresholds, those that are loaded beside the arrays too."""
    activation_cycles: int
    """Waiting for the image or maps on their way in."""
    store_cycles: int
    """Waiting for maps or results on their way out."""
    host_cycles: int
    """The host's calls."""
    overhead_cycles: int
    """No unit works, as the architecture states it."""
    operations: int
    """Two a multiply-accumulate of the turn's layers."""
    moved_bytes: int
    """Bytes through all ports."""
    peak_operations_a_cycle: int
    """What its array could do in every cycle; 0 without an array."""
    operations_a_cycle: float
    """What it does in the turn's cycles on average."""
    operations_a_byte: float | None
    """Operations for each byte through a port; null where nothing is moved."""

    @property
    def memory_cycles(self) -> int:
        """Of the turn, waiting for any port."""
        return self.weight_cycles + self.activation_cycles + self.store_cycles


@dataclass(frozen=True)
class Spending:
    """Where the cycles of an engine's frame go, in the steady state."""

    bound: Bound
    """compute (arrays and stages), memory (ports), host or overhead: what, twice as fast, brings most;
    both where nothing brings anything alone."""
    speedups: Mapping[str, float]
    """By class (compute, memory, host, overhead): the interval now by that with all of it twice as
    fast."""
    interval_cycles: int
    """The interval between frames."""
    resources: tuple[Doubled, ...]
    """Each resource twice as fast, what brings most first."""
    ports: tuple[PortTraffic, ...]
    """What goes through each port in a frame."""
    layers: tuple[LayerSpending, ...]
    """The turns, in their order."""
    text: str
    """The verdict in a sentence."""


def find_spending(
    design: EngineDesign, program: EngineProgram, interval: int | None
) -> Spending | None:
    """Where the cycles of ``program``, that of ``design`` with its prefix, go; None where its frames do
    not follow each other at a known ``interval``."""
    if not interval:
        return None
    spec = design.architecture
    trial = _Trials(program, interval)
    doubled = (trial.doubled(name, kind, busy) for name, kind, busy in _resources(program))
    speedups = {name: interval / trial.interval(_of_class(name)) for name in CLASSES}
    best = max(CLASSES, key=lambda name: speedups[name])
    bound: Bound = best if speedups[best] >= COUNTS_FROM else "both"
    turns = steady_frame(program)
    layers = tuple(_layer(design, trial, i, turns[i]) for i in range(len(turns)))
    return Spending(
        bound=bound,
        speedups={str(name): speedup for name, speedup in speedups.items()},
        interval_cycles=interval,
        resources=tuple(sorted(doubled, key=lambda found: -found.speedup)),
        ports=port_traffic(program, word_bits(spec), spec.clock_mhz, interval),
        layers=layers,
        text=_text(bound, speedups, interval, spec.clock_mhz, layers),
    )


class _Trials:
    """A program with single resources, classes or layers twice as fast."""

    def __init__(self, program: EngineProgram, interval: int) -> None:
        self.program = program
        self.interval_now = interval
        self.builder = TableBuilder()

    def interval(self, change: Change) -> int:
        changed = changed_program(self.program, change)
        if changed is self.program:
            return self.interval_now
        return max(1, longest_interval(changed, self.builder))

    def doubled(self, name: str, kind: ResourceKind, busy: int) -> Doubled:
        interval = self.interval(_of_resource(name, kind))
        speedup = self.interval_now / interval
        return Doubled(name, kind, busy, interval, speedup, speedup >= COUNTS_FROM)


def _resources(program: EngineProgram) -> list[tuple[str, ResourceKind, int]]:
    """Every resource that works in a frame, its kind and the cycles in which it does."""
    found: list[tuple[str, ResourceKind, int]] = []
    for name, busy in unit_cycles(program).items():
        if name.startswith("port "):
            latency = latency_cycles(program, name.removeprefix("port "))
            found.append((name, "port", busy))
            if latency:
                found.append((f"latency of {name}", "latency", latency))
        elif name in program.arrays:
            found.append((name, "array", busy))
        elif name in program.stages:
            found.append((name, "stage", busy))
        else:
            found.append((name, "host" if name == "host" else "overhead", busy))
    return found


def _of_resource(name: str, kind: ResourceKind) -> Change:
    def change(_: int, op: Work | Transfer) -> Work | Transfer:
        if isinstance(op, Work):
            return half_the_work(op) if unit_of(op) == name else op
        if kind == "latency":
            return half_the_latency(op) if name == f"latency of {unit_of(op)}" else op
        return half_the_words(op) if unit_of(op) == name else op

    return change


def _of_class(name: Bound, only: int | None = None) -> Change:
    """All of a class twice as fast, in one part of the frame or in all."""
    kinds = {"compute": ("compute", "stage"), "host": ("host",), "overhead": ("overhead",)}
    chosen = kinds.get(name, ())

    def change(position: int, op: Work | Transfer) -> Work | Transfer:
        if only not in (None, position):
            return op
        if isinstance(op, Work):
            return half_the_work(op) if op.kind in chosen else op
        return half_the_latency(half_the_words(op)) if name == "memory" else op

    return change


def _layer(design: EngineDesign, trial: _Trials, position: int, turn: PartCycles) -> LayerSpending:
    part = trial.program.parts[position]
    saved = {name: trial.interval_now - trial.interval(_of_class(name, position)) for name in CLASSES}
    best = max(CLASSES, key=lambda name: saved[name])
    works = {op.unit for op in leaves(part.ops) if isinstance(op, Work) and op.kind == "compute"}
    arrays = [design.architecture.arrays[name] for name in works & {part.array}]
    lanes = sum(prod(array.spatial_unrolling.values()) for array in arrays)
    operations = OPERATIONS_PER_MAC * sum(design.network.nodes[name].macs for name in part.layers)
    moved = sum(part_bytes(part, word_bits(design.architecture)).values())
    return LayerSpending(
        name=part.name,
        bound=best if saved[best] > 0 else None,
        saved_cycles=max(0, saved[best]),
        total_cycles=turn.cycles,
        array_cycles=turn.compute_cycles,
        stage_cycles=turn.stage_cycles,
        weight_cycles=turn.weight_load_cycles + turn.weight_stall_cycles,
        activation_cycles=turn.activation_load_cycles + turn.activation_stall_cycles,
        store_cycles=turn.activation_store_cycles + turn.store_stall_cycles,
        host_cycles=turn.host_cycles,
        overhead_cycles=turn.overhead_cycles,
        operations=operations,
        moved_bytes=moved,
        peak_operations_a_cycle=OPERATIONS_PER_MAC * lanes,
        operations_a_cycle=operations / turn.cycles if turn.cycles else 0.0,
        operations_a_byte=operations / moved if moved else None,
    )


def _text(
    bound: Bound,
    speedups: Mapping[Bound, float],
    interval: int,
    clock_mhz: float,
    layers: tuple[LayerSpending, ...],
) -> str:
    works = sum(layer.array_cycles + layer.stage_cycles for layer in layers) / interval
    waits = sum(layer.memory_cycles for layer in layers) / interval
    shares = f"{works:.0%} of a frame's cycles are work, {waits:.0%} waiting for memory"
    if bound == "both":
        return f"memory and compute side by side ({shares}); neither alone twice as fast brings 1 %"
    fps = clock_mhz * 1e6 / interval
    tried = [
        f"{_SAID[name]} {fps * speedups[name]:,.1f} FPS (x {speedups[name]:.3g})"
        for name in sorted(CLASSES, key=lambda name: -speedups[name])
        if speedups[name] >= COUNTS_FROM
    ]
    return f"{bound}-bound ({shares}): {', '.join(tried)}"
