"""A second opinion on what a design's own modules take: each synthesised, beside the model."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.parts import total
from bnnsim.cost.blocks.technology import Technology, technology_of
from bnnsim.cost.own.structure import Contents, columns_of, own_fifo
from bnnsim.cost.own.units import module_parts
from bnnsim.cost.second_opinion import SynthesisedUnit, SynthesisReport, lut_interval
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.network.tensor import RESIDUAL_SUM
from bnnsim.design.streaming.units import StreamingGraph, Unit
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.report.waveform.vcd import signal_name
from bnnsim.rtl.handover.scripts import SYNTHESIS_OPTIONS
from bnnsim.rtl.instance import Instance
from bnnsim.rtl.project import design_instances, write_hardware
from bnnsim.rtl.synthesis import Synthesis, SynthesisError, synthesise, write_synthesis
from bnnsim.rtl.tools import find_tool, missing
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_device

COMMAND = f"synth_xilinx {SYNTHESIS_OPTIONS}"
DEVICE = "xc7z020"
"""A part of the family that modules are synthesised for, whatever the design's own is."""


def check_own(design: Design | EngineDesign) -> Design:
    """The design, if it has a module of this project and Yosys is there.

    Raises :class:`~bnnsim.spec.faults.InputError` for a design without, and :class:`SynthesisError`
    where Yosys is missing.
    """
    expected = "a design with units of this project's Verilog (units: own)"
    if isinstance(design, EngineDesign):
        raise InputError("--synth", expected, f"the engine {design.architecture.name}")
    if not any(unit.library == "own" for unit in design.graph.units):
        libraries = ", ".join(sorted({unit.library for unit in design.graph.units}))
        raise InputError("--synth", expected, f"{design.architecture.name}, whose units are {libraries}")
    if find_tool("yosys") is None:
        raise SynthesisError(f"no synthesis: not found: {missing(['yosys'])}")
    return design


def second_opinion(design: Design, parameters: Parameters) -> SynthesisReport:
    """Synthesise every distinct own module of ``design`` with its weights, beside the model.

    Raises :class:`SynthesisError`; :class:`~bnnsim.spec.faults.InputError` for units without a module.
    """
    instances = design_instances(design, parameters)
    found = synthesise_design(design, instances)
    graph = design.graph
    own: dict[str, str] = {unit.name: unit.kind for unit in graph.units if unit.library == "own"}
    own.update({stream.name: "fifo" for stream in graph.streams if stream.library == "own"})
    counts: dict[str, list[str]] = {}
    for name in own:
        counts.setdefault(found.modules[signal_name(name)], []).append(name)
    tech = _technology()
    estimates = module_estimates(design, instances)
    units = []
    for names in counts.values():
        counted = found.units[signal_name(names[0])]
        units.append(_unit(tech, names, own[names[0]], estimates[names[0]], counted))
    units.sort(key=lambda unit: (-unit.synthesised_lut, -unit.synthesised_ff, unit.name))
    every = [*(unit.name for unit in graph.units), *(stream.name for stream in graph.streams)]
    others = tuple(name for name in every if name not in own)
    return SynthesisReport(found.tool, COMMAND, tuple(units), others)


def synthesise_design(design: Design, instances: Mapping[str, Instance]) -> Synthesis:
    """Yosys on the design's core in a folder that is gone afterwards. Raises :class:`SynthesisError`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        write_hardware(design, instances, folder)
        write_synthesis(folder)
        return synthesise(folder)


def known_contents(instance: Instance) -> Contents:
    """What stands in an instance's read-only memories, by their names."""
    images: dict[str, list[tuple[int, ...]]] = {}
    for memory in instance.memories:
        images.setdefault(memory.name, []).append(memory.words)
    found = {name: columns_of(words) for name, words in images.items()}
    given = instance.parameters
    has_signs = instance.module == "mvau" and given["WEIGHT_BIPOLAR"] and not given["CODEBOOK"]
    if has_signs and "weights" in images:
        size = int(given["PE"]), int(given["SIMD"])
        found["signs"] = columns_of(_first_signs(*size, images["weights"]))
    if instance.module == "lookup":
        mask = (1 << int(given["OUTPUT_BITS"])) - 1
        found["begun"] = columns_of([[word & mask for word in images["table"][0]]])
    if "in_means" in images:
        found["means"] = columns_of([_level_means(images["in_means"][0][0], given)])
    return found


def _first_signs(pe: int, simd: int, images: list[tuple[int, ...]]) -> list[list[int]]:
    """The bipolar weights of each PE's first lane, word by word, of one memory for all or one a PE."""
    row_bits = simd if len(images) == 1 else 0
    places = [(images[n % len(images)], n * row_bits) for n in range(pe)]
    return [[word >> place & 1 for word in words] for words, place in places]


def _level_means(word: int, given: Mapping[str, int | str]) -> list[int]:
    """The mean of each level, which are one word of their memory."""
    bits = int(given.get("MEAN_BITS", RESIDUAL_SUM.bits))
    return [word >> level * bits & (1 << bits) - 1 for level in range(int(given["LEVELS_IN"]))]


def module_estimate(tech: Technology, unit: Unit, graph: StreamingGraph, contents: Contents) -> Estimate:
    """What the module of an own unit takes, not rounded."""
    stream = graph.stream_by_name[(unit.inputs or unit.outputs)[0]]
    widths = stream.element_bits, stream.width_bits
    return total(module_parts(tech, unit.parameters, unit.freezes, *widths, contents))


def module_estimates(design: Design, instances: Mapping[str, Instance]) -> dict[str, Estimate]:
    """What the model says of the modules of all own units and streams, by name."""
    tech, graph = _technology(), design.graph
    found = {
        unit.name: module_estimate(tech, unit, graph, known_contents(instances[unit.name]))
        for unit in graph.units
        if unit.library == "own"
    }
    streams = (stream for stream in graph.streams if stream.library == "own")
    return found | {s.name: own_fifo(tech, s.width_bits, s.depth_words) for s in streams}


def _technology() -> Technology:
    return technology_of(load_device(DEVICE).spec, default_coefficients())


def _unit(
    tech: Technology, names: list[str], kind: str, estimate: Estimate, counted: Amounts[int]
) -> SynthesisedUnit:
    low, high = lut_interval(tech.coefficients, estimate.lut)
    whole = estimate.rounded(tech)
    return SynthesisedUnit(
        name=names[0],
        kind=kind,
        count=len(names),
        lut=whole.lut,
        lut_low=low,
        lut_high=high,
        synthesised_lut=counted.lut,
        ff=whole.ff,
        synthesised_ff=counted.ff,
        bram18=whole.bram18,
        synthesised_bram18=counted.bram18,
        dsp=whole.dsp,
        synthesised_dsp=counted.dsp,
    )
