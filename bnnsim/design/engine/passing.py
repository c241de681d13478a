"""Who passes what to whom on an engine: a frame's maps from the parts that make them to those that read.

A part of the program that moves nothing and works on nothing (overheads alone) is a view: whoever reads
its output reads what it reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bnnsim.design.engine.fit import used_buffers
from bnnsim.design.engine.program import LayerProgram, Transfer, Work, leaves
from bnnsim.design.network.network import INPUT, Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Buffer
from bnnsim.spec.engine.outside import OutsidePayload
from bnnsim.spec.faults import Fault

MAPS = ("activations", "shortcut")
"""What buffers hold that keep maps, and how their transfers are called."""
RESULTS = ("results", *MAPS)
"""What stores bring out."""


@dataclass(frozen=True)
class Part:
    """One layer's turn (with the layers done in it), or the frame's own steps before or after all.

    ``layers`` is empty for the frame's own; ``program`` is the program's name in the spec.
    """

    position: int
    layers: tuple[str, ...]
    program: str
    body: LayerProgram
    buffers: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.layers[0] if self.layers else self.body.name

    @cached_property
    def transfers(self) -> tuple[Transfer, ...]:
        return tuple(op for op in leaves(self.body.ops) if isinstance(op, Transfer))

    @cached_property
    def is_view(self) -> bool:
        works = (op.kind in ("compute", "stage") for op in leaves(self.body.ops) if isinstance(op, Work))
        return bool(self.layers) and not self.transfers and not any(works)

    def moves(self, direction: str, payloads: Sequence[str]) -> tuple[Transfer, ...]:
        return tuple(
            op for op in self.transfers if op.direction == direction and op.payload in payloads
        )

    def holds(self, spec: EngineArchitecture) -> tuple[str, ...]:
        """Its buffers in which a whole map stays."""
        return tuple(name for name in self.buffers if keeps_maps(spec.buffers[name]))


@dataclass(frozen=True)
class Passed:
    """One map and who reads it. ``maker`` is None for the image and for a streaming prefix's output."""

    name: str
    maker: Part | None
    readers: tuple[Part, ...]


def keeps_maps(buffer: Buffer) -> bool:
    """Whether a whole map stays in it from one layer to the next."""
    return buffer.holds in MAPS and buffer.residency != "tile"


def parts_of(spec: EngineArchitecture, bodies: Sequence[LayerProgram]) -> tuple[Part, ...]:
    """The parts of a frame in the order of time."""
    parts = []
    for position, body in enumerate(bodies):
        program = str(spec.layers[body.layers[0]].program) if body.layers else ""
        buffers = tuple(used_buffers(spec, spec.programs[program])) if program else ()
        if not program:
            moved = (op.buffer for op in leaves(body.ops) if isinstance(op, Transfer))
            buffers = tuple(dict.fromkeys(moved))
        parts.append(Part(position, body.layers, program, body, buffers))
    return tuple(parts)


def passed_maps(network: Network, parts: Sequence[Part]) -> tuple[Passed, ...]:
    """Every map that goes from one part to another, the image among them, in the order of time."""
    made_in = {name: part for part in parts for name in part.layers}
    readers: dict[str, list[Part]] = {}
    for part in parts:
        if part.is_view:
            continue
        for source in sources(network, made_in, part):
            readers.setdefault(source, []).append(part)
    order = [INPUT, *network.nodes]
    return tuple(
        Passed(name, made_in.get(name), tuple(readers[name])) for name in order if name in readers
    )


def sources(network: Network, made_in: dict[str, Part], part: Part) -> tuple[str, ...]:
    """The maps that a part reads, views seen through."""
    found = (
        origin
        for name in part.layers
        for given in network.nodes[name].inputs
        if given not in part.layers
        for origin in origins(network, made_in, given)
    )
    return tuple(dict.fromkeys(found))


def origins(network: Network, made_in: dict[str, Part], name: str) -> Iterator[str]:
    """Where a map really comes from: itself, or what the view behind it reads."""
    part = made_in.get(name)
    if part is None or not part.is_view:
        yield name
        return
    for given in network.nodes[name].inputs:
        yield from origins(network, made_in, given)


def is_outside(spec: EngineArchitecture, payload: OutsidePayload, layer: str) -> bool:
    """Whether the spec says that ``payload`` of ``layer`` is none of the engine's business."""
    return any(
        entry.payload == payload and (entry.layers is None or layer in entry.layers)
        for entry in spec.outside
    )


def one_a_key(found: Iterable[Fault]) -> list[Fault]:
    """The first fault of each key: what mends it mends the others, which are only counted."""
    faults = list(found)
    first: dict[str, Fault] = {}
    for fault in faults:
        first.setdefault(fault.key, fault)
    counts = Counter(fault.key for fault in faults)
    return [
        replace(fault, expected=f"{fault.expected} (and so for {counts[key] - 1} more)")
        if counts[key] > 1
        else fault
        for key, fault in first.items()
    ]
