"""What an engine's transfers bring in a frame: enough weights and a whole image, in a finite time.

What is brought stays until it is used: loads between two compute steps fit their buffers together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from bnnsim.design.engine.passing import Part, is_outside, one_a_key, parts_of, passed_maps
from bnnsim.design.engine.program import (
    Beside,
    LayerProgram,
    Op,
    Repeat,
    ResolvedLoop,
    Transfer,
    Work,
    pure_cycles,
)
from bnnsim.design.network.network import INPUT, Network, Node
from bnnsim.spec.bounds import MAX_FRAME_CYCLES, MAX_FRAME_STEPS
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault
from bnnsim.spec.workload import WeightedLayer
from bnnsim.spec.yaml.source import SourceText

Key = tuple[str | int, ...]

WEIGHTS = frozenset({"", "groups", "out_channels", "in_channels", "kernel_rows", "kernel_columns"})
MAP = frozenset({"", "groups", "in_channels", "rows", "columns", "pixels", "in_rows", "in_columns"})
STORED = frozenset({"", "groups", "out_channels", "rows", "columns", "pixels", "out_rows", "out_columns"})
"""Loops that move something else every turn; a turn of the others moves the same again. Fixed trips
(no dimension) count as new."""


def check_traffic(
    spec: EngineArchitecture, text: SourceText, network: Network, bodies: list[LayerProgram]
) -> list[Fault]:
    """Faults of weights and images that are not brought, or in part, or not kept until they are used."""
    parts = parts_of(spec, bodies)
    image = _check_image(spec, text, network, parts)
    return [*check_loads(spec, text, network, parts), *one_a_key(image)]


def check_loads(
    spec: EngineArchitecture, text: SourceText, network: Network, parts: Sequence[Part]
) -> list[Fault]:
    """Faults within turns: weights that are not brought, and loads that are overwritten before their
    use."""
    of_layers = [part for part in parts if part.layers]
    weights = [_check_weights(spec, text, network.nodes[part.name], part) for part in of_layers]
    held = [
        _check_held(spec, text, network, part, payload, new)
        for part in parts
        for payload, new in (("weights", WEIGHTS), ("image", MAP), ("activations", MAP))
    ]
    return [*one_a_key(chain(*weights)), *one_a_key(chain(*held))]


def _check_image(
    spec: EngineArchitecture, text: SourceText, network: Network, parts: Sequence[Part]
) -> list[Fault]:
    readers = next((p.readers for p in passed_maps(network, parts) if p.name == INPUT), ())
    if not readers:
        return []
    outside = is_outside(spec, "image", INPUT)
    name = readers[0].name
    loading = [p for p in parts if p.position <= readers[0].position and p.moves("load", ("image",))]
    if not loading and outside:
        return []
    if not loading:
        expected = f"a load of the image for {name}, or an entry of outside (payload image)"
        return [text.fault(("frame", "before"), expected, "none")]
    total = sum(moved_bits(spec, part.body.ops, part.moves("load", ("image",)), MAP) for part in loading)
    needed = network.input.elements * network.input.type.bits
    if total < needed:
        key = part_key(spec, loading[0].body)
        return [text.fault(key, f"loads of the whole image, {needed} bits", f"{total} bits")]
    buffers = [op.buffer for part in loading for op in part.moves("load", ("image",))]
    return [
        text.fault(
            ("programs", reader.program, "buffers"),
            f"a buffer with the image for {reader.name} ({', '.join(dict.fromkeys(buffers))})",
            ", ".join(reader.buffers) or "none",
        )
        for reader in readers
        if not set(buffers) & set(reader.buffers)
    ]


def check_size(spec: EngineArchitecture, text: SourceText, parts: list[LayerProgram]) -> list[Fault]:
    """Faults of programs whose frame nobody could wait for."""
    faults: list[Fault] = []
    for part in parts:
        cycles, steps = pure_cycles(part.ops), _steps(part.ops)
        if cycles > MAX_FRAME_CYCLES:
            expected = f"at most {MAX_FRAME_CYCLES} cycles a frame"
            faults.append(text.fault(part_key(spec, part), expected, cycles))
        elif steps > MAX_FRAME_STEPS:
            expected = f"at most {MAX_FRAME_STEPS} steps and bursts a frame, repeats unrolled"
            faults.append(text.fault(part_key(spec, part), expected, steps))
    return faults


def part_key(spec: EngineArchitecture, part: LayerProgram) -> Key:
    """Where the spec says what a part of the frame does."""
    if not part.layers:
        return tuple(part.name.split("."))
    return ("programs", str(spec.layers[part.layers[0]].program), "steps")


def _check_weights(spec: EngineArchitecture, text: SourceText, node: Node, part: Part) -> list[Fault]:
    layer = node.layer
    if not isinstance(layer, WeightedLayer):
        return []
    memories = [spec.buffers[name] for name in part.buffers if spec.buffers[name].holds == "weights"]
    bits = layer.weight.bits
    if not memories:
        if is_outside(spec, "weights", node.name):
            return []
        needed = layer.out * node.matrix_width * bits
        expected = (
            f"a buffer that holds the weights of {node.name}, {needed} bits, or an entry of outside "
            "(payload weights)"
        )
        key = ("programs", part.program, "buffers")
        return [text.fault(key, expected, ", ".join(part.buffers) or "none")]
    if any(buffer.residency == "network" for buffer in memories):
        return []
    bits = memories[0].element_bits or bits
    loads = part.moves("load", ("weights",))
    if not loads:
        return []  # reported as such
    needed, loaded = layer.out * node.matrix_width * bits, moved_bits(spec, part.body.ops, loads, WEIGHTS)
    if loaded < needed:
        expected = f"loads of all weights of {node.name}, {needed} bits"
        return [text.fault(part_key(spec, part.body), expected, f"{loaded} bits")]
    room = sum(buffer.capacity_bits for buffer in memories)
    tile = max((_weights_of(tile) for tile in compute_tiles(part.body)), default=0) * bits
    if tile > room:
        name = next(n for n in part.buffers if spec.buffers[n].holds == "weights")
        expected = f"at least {tile} bits (the weights of {node.name} that one compute step takes)"
        return [text.fault(("buffers", name, "words"), expected, f"{room} bits")]
    return []


def _weights_of(tile: Mapping[str, int]) -> int:
    channels = tile["groups"] * tile["out_channels"] * tile["in_channels"]
    return channels * tile["kernel_rows"] * tile["kernel_columns"]


def _check_held(
    spec: EngineArchitecture,
    text: SourceText,
    network: Network,
    part: Part,
    payload: str,
    new: frozenset[str],
) -> list[Fault]:
    """Faults of loads that overwrite what was loaded before it is computed with.

    A fixed number of words of weights may bring thresholds and padding along.
    """
    faults = []
    layer = network.nodes[part.name].layer if part.layers else None
    bits = layer.weight.bits if payload == "weights" and isinstance(layer, WeightedLayer) else 0
    loads = part.moves("load", (payload,))
    for name in dict.fromkeys(op.buffer for op in loads):
        kinds = ("weights", "thresholds") if payload == "weights" else ()
        others = {n for n in part.buffers if spec.buffers[n].holds in kinds}
        room = sum(spec.buffers[n].capacity_bits for n in {name, *others})
        chosen = tuple(op for op in loads if op.buffer == name)
        own = bits and (spec.buffers[name].element_bits or bits)
        bits_here = gathered(spec, part.body.ops, chosen, new, dict(part.body.extents), own)
        if bits_here > room:
            expected = (
                f"at least {bits_here} bits (the {payload} loaded for {part.name} before their use)"
            )
            faults.append(text.fault(("buffers", name, "words"), expected, f"{room} bits"))
    return faults


def gathered(
    spec: EngineArchitecture,
    ops: Sequence[Op],
    moves: Sequence[Transfer],
    new: frozenset[str],
    left: Mapping[str, int],
    weight_bits: int,
) -> int:
    """Most bits that ``moves`` bring from one compute step to the next.

    Of weights (``weight_bits`` each; 0: no weights) no more than those of the tile ``left`` are any use.
    """
    most = here = 0
    useful = _weights_of(left) * weight_bits if weight_bits else None
    for op in ops:
        if isinstance(op, Repeat) and computes(op.body):
            inner = gathered(spec, op.body, moves, new, _narrowed(left, op.loops), weight_bits)
            most, here = max(most, here, inner), 0
        elif not isinstance(op, Repeat | Transfer) and computes((op,)):
            most, here = max(most, here), 0
        else:
            here += moved_bits(spec, (op,), moves, new)
            here = here if useful is None else min(here, useful)
    return max(most, here)


def _narrowed(left: Mapping[str, int], loops: Sequence[ResolvedLoop]) -> dict[str, int]:
    """The sizes of all dimensions inside ``loops``."""
    inner = dict(left)
    for loop in loops:
        if loop.dimension:
            inner[loop.dimension] = min(inner[loop.dimension], loop.tile)
    return inner


def compute_tiles(part: LayerProgram) -> Iterator[Mapping[str, int]]:
    """The sizes of all dimensions at each compute step, inside the loops around it."""
    yield from _tiles(part.ops, part.extents)


def _tiles(ops: Sequence[Op], left: Mapping[str, int]) -> Iterator[Mapping[str, int]]:
    for op in ops:
        if isinstance(op, Repeat):
            yield from _tiles(op.body, _narrowed(left, op.loops))
        elif isinstance(op, Beside):
            for branch in op.branches:
                yield from _tiles(branch, left)
        elif isinstance(op, Work) and op.kind == "compute":
            yield left


def computes(ops: Sequence[Op]) -> bool:
    """Whether an array works in ``ops``."""
    return any(
        (isinstance(op, Work) and op.kind == "compute")
        or (isinstance(op, Repeat) and computes(op.body))
        or (isinstance(op, Beside) and any(computes(branch) for branch in op.branches))
        for op in ops
    )


def moved_bits(
    spec: EngineArchitecture,
    ops: Sequence[Op],
    moves: Sequence[Transfer],
    new: frozenset[str],
    buffer: str | None = None,
) -> int:
    """Different bits that the ``moves`` among ``ops`` move (to or from ``buffer`` alone)."""
    bits = 0
    for op in ops:
        if isinstance(op, Repeat):
            bits += _turns(op.loops, new) * moved_bits(spec, op.body, moves, new, buffer)
        elif isinstance(op, Transfer) and op in moves and buffer in (None, op.buffer):
            once = op.words * spec.ports[op.port].width_bits
            bits += once * _turns(op.loops, new) // Repeat(op.loops, ()).trips
    return bits


def _turns(loops: tuple[ResolvedLoop, ...], new: frozenset[str]) -> int:
    turns = 1
    for loop in loops:
        if loop.dimension in new:
            covering = -(-loop.extent // loop.tile) if loop.dimension else loop.trips
            turns *= min(loop.trips, covering)
    return turns


def _steps(ops: tuple[Op, ...]) -> int:
    count = 0
    for op in ops:
        if isinstance(op, Repeat):
            count += op.trips * (1 + _steps(op.body))
        elif isinstance(op, Beside):
            count += sum(_steps(branch) for branch in op.branches)
        else:
            count += op.bursts if isinstance(op, Transfer) else 1
    return count
