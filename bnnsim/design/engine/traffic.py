"""What an engine's transfers bring in a frame: enough weights and a whole image, in a finite time."""

from __future__ import annotations

from bnnsim.design.engine.fit import used_buffers
from bnnsim.design.engine.program import (
    Beside,
    LayerProgram,
    Op,
    Repeat,
    ResolvedLoop,
    Transfer,
    leaves,
    pure_cycles,
)
from bnnsim.design.network.network import Network, Node
from bnnsim.spec.bounds import MAX_FRAME_CYCLES, MAX_FRAME_STEPS
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault
from bnnsim.spec.workload import WeightedLayer
from bnnsim.spec.yaml.source import SourceText

Key = tuple[str | int, ...]

_WEIGHTS = frozenset({"", "out_channels", "in_channels", "kernel_rows", "kernel_columns"})
_IMAGE = frozenset({"", "in_channels", "rows", "columns", "pixels", "in_rows", "in_columns"})
"""Loops that bring something else every turn; a turn of the others brings the same again. Fixed trips
(no dimension) count as new."""


def check_traffic(
    spec: EngineArchitecture, text: SourceText, network: Network, parts: list[LayerProgram]
) -> list[Fault]:
    """Faults of layers that load fewer bits of weights than they have, and of images cut short."""
    faults: list[Fault] = []
    for part in parts:
        if part.layers:
            faults += _check_weights(spec, text, network.nodes[part.layers[0]], part)
    brought = [(part, _moved(spec, part.ops, "image", _IMAGE)) for part in parts]
    brought = [(part, bits) for part, bits in brought if bits is not None]
    total = sum(bits or 0 for _, bits in brought)
    image = network.input
    needed = image.elements * image.type.bits
    if brought and total < needed:
        key = part_key(spec, brought[0][0])
        faults.append(text.fault(key, f"loads of the whole image, {needed} bits", f"{total} bits"))
    return faults


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


def _check_weights(
    spec: EngineArchitecture, text: SourceText, node: Node, part: LayerProgram
) -> list[Fault]:
    layer = node.layer
    if not isinstance(layer, WeightedLayer):
        return []
    program = spec.programs[str(spec.layers[node.name].program)]
    buffers = [spec.buffers[name] for name in used_buffers(spec, program)]
    memories = [buffer for buffer in buffers if buffer.holds == "weights"]
    if not memories or any(buffer.residency == "network" for buffer in memories):
        return []
    bits = memories[0].element_bits or layer.weight.bits
    needed = layer.out * node.matrix_width * bits
    loaded = _moved(spec, part.ops, "weights", _WEIGHTS)
    if loaded is None or loaded >= needed:
        return []  # none at all is reported as such
    expected = f"loads of all weights of {node.name}, {needed} bits"
    return [text.fault(part_key(spec, part), expected, f"{loaded} bits")]


def _moved(
    spec: EngineArchitecture, ops: tuple[Op, ...], payload: str, new: frozenset[str]
) -> int | None:
    """Different bits of ``payload`` that ``ops`` load; None where they load none."""
    if not any(_loads(op, payload) for op in leaves(ops)):
        return None
    bits = 0
    for op in ops:
        if isinstance(op, Repeat):
            bits += _turns(op.loops, new) * (_moved(spec, op.body, payload, new) or 0)
        elif isinstance(op, Transfer) and _loads(op, payload):
            once = op.words * spec.ports[op.port].width_bits
            bits += once * _turns(op.loops, new) // Repeat(op.loops, ()).trips
    return bits


def _loads(op: Op, payload: str) -> bool:
    return isinstance(op, Transfer) and op.direction == "load" and op.payload == payload


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
