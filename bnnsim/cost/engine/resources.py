"""Resources of an engine from its spec: arrays, stages, buffers, ports and controller.

Each is a unit of its own name; what its circuits are is said in the spec, or derived from its loops
(:mod:`bnnsim.cost.engine.circuits`). Not modelled: what the host or the card around the device takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, assert_never

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.parts import Part, total
from bnnsim.cost.blocks.platform import platform_parts
from bnnsim.cost.blocks.storage import master_port
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.engine.circuits import Lanes, circuit_part, derived_circuits
from bnnsim.cost.engine.parts import (
    Bank,
    accumulators,
    address_unit,
    bank_part,
    data_movers,
    move_constants,
    parameter_registers,
    sequencer,
)
from bnnsim.cost.usage import PLATFORM, Capped, EnginePart, UnitResources
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import EngineProgram, Op, Repeat, Work, leaves
from bnnsim.design.network.network import Node
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Array, Buffer, Port, StageUnit
from bnnsim.spec.engine.circuits import Adapter
from bnnsim.spec.workload import WeightedLayer

CONTROL: Literal["control"] = "control"
Named = tuple[str, EnginePart, tuple[Part, ...]]
"""(name, kind, parts)."""


def engine_units(tech: Technology, design: EngineDesign) -> list[UnitResources]:
    """Every array, stage, buffer and port with its amounts, then control and platform."""
    named = engine_parts_by_unit(tech, design)
    return [
        UnitResources(name, kind, name, total(parts).rounded(tech), parts) for name, kind, parts in named
    ]


def engine_parts_by_unit(tech: Technology, design: EngineDesign) -> list[Named]:
    """The parts of each unit, not rounded. A name that occurs twice gets its kind in front."""
    spec = design.architecture
    logic: list[Named] = []
    for name, array in spec.arrays.items():
        logic.append((name, "array", _array_parts(tech, array, layers_on(design, name))))
    for name, stage in spec.stages.items():
        logic.append((name, "stage", _stage_parts(tech, name, stage)))
    for name, port in spec.ports.items():
        logic.append((f"port {name}", "port", _port_parts(tech, port)))
    logic.append((CONTROL, "control", _control_parts(tech, spec, design.program)))
    platform = _platform(tech, design)
    if platform:
        logic.append((PLATFORM, PLATFORM, platform))
    buffers = _buffer_parts(tech, spec)
    arrays_and_stages = len(spec.arrays) + len(spec.stages)
    return [*logic[:arrays_and_stages], *buffers, *logic[arrays_and_stages:]]


def capped_blocks(
    tech: Technology, design: EngineDesign, units: Sequence[UnitResources]
) -> tuple[Capped, ...]:
    """Block memory that does not fit the device, and what tools would move to LUTs instead.

    ``units`` are all units of the design, those of :func:`engine_units` among them.
    """
    resource: Literal["m20k", "bram18"] = "m20k" if tech.is_intel else "bram18"
    wanted = sum(getattr(unit.amounts, resource) for unit in units)
    moved = moved_constants(tech, design, wanted)
    freed = -round(moved.m20k if tech.is_intel else moved.bram18)
    luts = moved.rounded(tech).alm if tech.is_intel else round(moved.lut_logic + moved.lutram)
    return (Capped(resource, wanted, wanted - freed, luts),) if freed else ()


def moved_constants(tech: Technology, design: EngineDesign, wanted_blocks: float) -> Estimate:
    """What changes of a design that wants so many blocks where constants move until it fits."""
    there = design.device.m20k if tech.is_intel else design.device.bram18
    if there is None:
        return Amounts()
    buffers = design.architecture.buffers.items()
    banks = [_bank(name, buffer) for name, buffer in buffers if buffer.style != "registers"]
    return move_constants(tech, banks, wanted_blocks - there)


def layers_on(design: EngineDesign, array: str) -> list[Node]:
    """The weighted layers that run on an array."""
    nodes = design.network.nodes
    names = [part.layers[0] for part in design.program.parts if part.array == array and part.layers]
    return [nodes[name] for name in names if isinstance(nodes[name].layer, WeightedLayer)]


def _array_parts(tech: Technology, array: Array, nodes: Sequence[Node]) -> tuple[Part, ...]:
    bits = array.accumulator_bits or max((node.sum_type.bits for node in nodes), default=16)
    lanes = Lanes({str(k): v for k, v in array.spatial_unrolling.items()}, bits)
    circuits = derived_circuits(array, nodes) if array.circuits is None else array.circuits
    return tuple(circuit_part(tech, circuit, lanes) for circuit in circuits)


def _stage_parts(tech: Technology, name: str, stage: StageUnit) -> tuple[Part, ...]:
    lanes = Lanes({str(k): v for k, v in stage.spatial_unrolling.items()})
    if stage.circuits is None:
        return (accumulators(tech, name, lanes.all, 1, lanes.accumulator_bits, lanes.accumulator_bits),)
    return tuple(circuit_part(tech, circuit, lanes) for circuit in stage.circuits)


def _buffer_parts(tech: Technology, spec: EngineArchitecture) -> list[Named]:
    return [
        (_unit(name), "buffer", (_buffer_part(tech, name, buffer),))
        for name, buffer in spec.buffers.items()
    ]


def _buffer_part(tech: Technology, name: str, buffer: Buffer) -> Part:
    if buffer.style != "registers":
        return bank_part(tech, _bank(name, buffer))
    entries = _copies(buffer) * buffer.banks * buffer.words
    return parameter_registers(tech, name, 1, entries, buffer.width_bits, buffer.writers)


def _unit(buffer: str) -> str:
    return f"buffer {buffer}"


def _bank(name: str, buffer: Buffer) -> Bank:
    assert buffer.style != "registers"
    return Bank(
        name,
        buffer.width_bits,
        buffer.words,
        buffer.banks * _copies(buffer),
        buffer.style,
        buffer.ports,
        buffer.writers,
        buffer.readers,
        buffer.rom,
    )


def _copies(buffer: Buffer) -> int:
    return buffer.copies * (2 if buffer.double else 1)


def _adapters(port: Port) -> list[Adapter]:
    return [Adapter()] if port.adapters is None else port.adapters


def _port_parts(tech: Technology, port: Port) -> tuple[Part, ...]:
    parts = []
    for adapter in _adapters(port):
        match adapter.kind:
            case "data_mover":
                parts.append(data_movers(tech, "data movers", adapter.count))
            case "m_axi":
                width = adapter.width_bits or port.width_bits
                cost = master_port(tech, width, adapter.reads, adapter.writes)
                parts.append(Part(f"master of {width} bits", cost * adapter.count))
            case "none":
                pass
            case _:
                assert_never(adapter.kind)
    return tuple(parts)


def _platform(tech: Technology, design: EngineDesign) -> tuple[Part, ...]:
    """A Zynq's interconnect, one connection a master; data movers bring their own."""
    masters = sum(
        adapter.count
        for port in design.architecture.ports.values()
        for adapter in _adapters(port)
        if adapter.kind == "m_axi"
    )
    if not masters or not design.device.family.startswith("zynq"):
        return ()
    return platform_parts(tech, masters)


def _control_parts(
    tech: Technology, spec: EngineArchitecture, program: EngineProgram
) -> tuple[Part, ...]:
    control = spec.control
    if control is not None:
        return (
            address_unit(tech, "addresses", control.counters, control.counter_bits, control.products),
            sequencer(tech, "states", control.states),
        )
    # Layers that run the same program share its loops and states.
    distinct = {
        str(spec.layers[part.layers[0]].program) if part.layers else part.name: part.ops
        for part in program.parts
    }
    states = sum(1 for ops in distinct.values() for _ in leaves(ops))
    counters = sum(_loops(ops) for ops in distinct.values())
    return (address_unit(tech, "addresses", counters, 16), sequencer(tech, "states", states))


def _loops(ops: tuple[Op, ...]) -> int:
    count = 0
    for op in ops:
        if isinstance(op, Repeat):
            count += len(op.loops) + _loops(op.body)
        elif isinstance(op, Work):
            count += len(op.loops)
    return count
