"""When an engine's units are at work, how often their bits change, and what a layer's turn costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bnnsim.arrays import Int64s
from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.cost.energies import DynamicPower
from bnnsim.cost.engine.resources import CONTROL
from bnnsim.cost.power import FrameEnergy, Power, fixed_energy_uj, frame_energy_uj
from bnnsim.cost.switching import Activity, activity_at_rate, frame_bits
from bnnsim.cost.usage import PLATFORM
from bnnsim.datapath.engine.toggle_record import ArrayToggles
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import LayerProgram, leaves
from bnnsim.design.network.network import INPUT
from bnnsim.simulation import Stimulus
from bnnsim.timing.engine.account import part_busy
from bnnsim.timing.prefix import PREFIX, whole_program

Busy = Mapping[str, float]


def engine_busy(design: EngineDesign, part: LayerProgram) -> dict[str, float]:
    """Cycles of one part of the frame in which each unit of the engine works.

    Names are those of the resources. A buffer works when it is loaded or stored, and while the arrays
    and stages of a program that names it compute; control always, the platform with the ports. Of a
    mixed design's prefix all units work in its turn.
    """
    if part.name == PREFIX and design.streaming_prefix is not None:
        graph = design.streaming_prefix.graph
        works = sum(op.cycles for op in leaves(part.ops))
        names = [*(unit.name for unit in design.prefix_units), *(stream.name for stream in graph.streams)]
        return dict.fromkeys(names, float(works))
    cycles = part_busy(part)
    spec = design.architecture
    busy: dict[str, float] = {}
    for name in (*spec.arrays, *spec.stages):
        busy[name] = cycles.get(name, 0)
    at_work = sum(busy.values())
    listed = spec.programs[str(spec.layers[part.layers[0]].program)].buffers if part.layers else []
    for name in spec.buffers:
        moved = cycles.get(f"{name}.load", 0) + cycles.get(f"{name}.store", 0)
        busy[f"buffer {name}"] = moved + (at_work if name in listed else 0)
    for name in spec.ports:
        busy[f"port {name}"] = cycles.get(f"port {name}", 0)
    through_ports = sum(busy[f"port {name}"] for name in spec.ports)
    busy[PLATFORM] = through_ports
    busy[CONTROL] = at_work + through_ports
    return busy


def engine_toggles(design: EngineDesign, stimulus: Stimulus) -> dict[str, ArrayToggles]:
    """Toggles of frames that the engine was found to execute bit-exactly, in its arrays' order.

    The values are those of the functional executor, which the engine's equal.
    """
    from bnnsim.datapath.engine.toggles import count_engine_toggles  # numba takes its time

    network = design.network
    elements = {INPUT: stimulus.frames, **stimulus.activations.outputs}
    types = {INPUT: network.input.type} | {name: n.output.type for name, n in network.nodes.items()}

    def values(name: str, frame: int) -> Int64s:
        found: Int64s = elements[name][frame].astype("int64")
        return found * 2 - 1 if types[name].is_bipolar else found

    frames = range(len(stimulus.frames))
    return count_engine_toggles(
        design, [{name: values(name, frame) for name in elements} for frame in frames]
    )


def engine_activity(
    design: EngineDesign,
    interval_cycles: float,
    toggles: Mapping[str, ArrayToggles] | None = None,
    coefficients: Coefficients | None = None,
) -> Activity:
    """Activity of an engine with a frame every ``interval_cycles``.

    A unit's bits toggle in the cycles in which it works: an array's as often as was counted, the other
    units' as often as the counted arrays' on average, and without a count as those of random data.
    """
    values = coefficients or default_coefficients()
    accesses = values["reference_accesses"]
    sums: dict[str, float] = {}
    for part in whole_program(design).parts:
        for name, cycles in engine_busy(design, part).items():
            sums[name] = sums.get(name, 0.0) + cycles
    rates, others = _toggle_rates(toggles or {}, sums, values["reference_toggles"])
    shares = {name: min(1.0, cycles / interval_cycles) for name, cycles in sums.items()}
    units = {name: rates.get(name, others) * share for name, share in shares.items()}
    memories = {name: accesses * share for name, share in shares.items()}
    streams: dict[str, float] = {}
    work = dict(shares)
    bits = sum(sums[f"port {name}"] * port.width_bits for name, port in design.architecture.ports.items())
    if design.streaming_prefix is not None:
        prefix = activity_at_rate(design.streaming_prefix, interval_cycles, values)
        streams = dict(prefix.streams)
        # The platform is the engine's, and what the prefix puts out stays on the device.
        units = {**prefix.units, **units}
        memories = {**prefix.memories, **memories}
        work = {**prefix.work, **work}
        bits += frame_bits(design.streaming_prefix, results=False)
    source: Literal["default", "measured"] = "measured" if toggles else "default"
    return Activity(units, streams, memories, source, work, bits / interval_cycles)


def _toggle_rates(
    counted: Mapping[str, ArrayToggles], busy: Busy, default: float
) -> tuple[dict[str, float], float]:
    """Toggles a bit and working cycle of each counted array, and their mean over the cycles."""
    if not counted:
        return {}, default
    cycles = {name: busy[name] * count.frames for name, count in counted.items()}
    rates = {
        name: count.toggles / (count.operand_bits * cycles[name]) for name, count in counted.items()
    }
    mean = sum(rates[name] * cycles[name] for name in rates) / sum(cycles.values())
    return rates, mean


def engine_energy(
    design: EngineDesign, power: Power, part_cycles: Mapping[str, float], interval_cycles: float
) -> FrameEnergy:
    """Energy of a frame, each unit's part of it given to the layers in whose turn it works.

    ``part_cycles`` are the cycles of each part's turn. The clock tree's energy, and that of units that
    never work, goes by these. On the basis ``chip``.
    """
    frame_us = interval_cycles / power.clock_mhz
    parts = {part.name: engine_busy(design, part) for part in whole_program(design).parts}
    turns = _shares({name: part_cycles.get(name, 0.0) for name in parts})
    sums = dict.fromkeys(parts, 0.0)
    for item in power.dynamic:
        works = _shares({name: busy.get(item.name, 0.0) for name, busy in parts.items()}) or turns
        for name in parts:
            sums[name] += _energy(item, turns[name], works[name]) * frame_us
    sums |= fixed_energy_uj(power, interval_cycles, "chip")
    return FrameEnergy(
        "chip", sums, frame_energy_uj(power.chip_w, interval_cycles, power.clock_mhz)
    )


def _energy(item: DynamicPower, turn: float, work: float) -> float:
    return item.clock_w * turn + (item.total_w - item.clock_w) * work


def _shares(amounts: Mapping[str, float]) -> dict[str, float]:
    total = sum(amounts.values())
    return {name: amount / total for name, amount in amounts.items()} if total else {}
