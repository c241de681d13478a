"""Write a design as a project: hardware, bench, golden words, scripts; checked, then put in its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.cost.own.structure import part_depths
from bnnsim.design.design import Design
from bnnsim.files.folder import check_new_folder
from bnnsim.files.part import new_part
from bnnsim.files.whole import no_place
from bnnsim.report.vectors.manifest import FILE, manifest, unit_entry
from bnnsim.report.waveform.event_log import EventLog
from bnnsim.report.waveform.vcd import signal_name
from bnnsim.rtl.bench.write import write_bench
from bnnsim.rtl.handover.axis_top import axis_top_text
from bnnsim.rtl.handover.readme import readme_text
from bnnsim.rtl.handover.scripts import (
    constraints,
    makefile,
    quartus_script,
    vivado_script,
)
from bnnsim.rtl.handover.told import not_checked_text, verified_text
from bnnsim.rtl.instance import Instance
from bnnsim.rtl.project import design_instances, write_hardware
from bnnsim.rtl.synthesis import Synthesis, synthesise, write_synthesis
from bnnsim.rtl.verification import Verification, chosen_simulator, verify
from bnnsim.simulation import (
    RunOptions,
    Simulation,
    TimingOnly,
    load_streaming_design,
    simulate_design,
    stimulate,
)
from bnnsim.spec.faults import InputError
from bnnsim.timing.streaming.programs.graph import build_timing

BUILDS = ("build", "build-netlist")


@dataclass(frozen=True)
class Written:
    """What was written into ``folder``, and what was found when it was checked.

    ``verification`` is None where nobody asked for it (``was_asked``) or no simulator was found.
    """

    folder: Path
    simulation: Simulation
    units: int
    streams: int
    memories: int
    words: int
    verification: Verification | None
    synthesis: Synthesis | None
    was_asked: bool


def write_rtl(
    architecture: str | Path,
    workload: str | Path,
    out: Path,
    options: RunOptions,
    is_checked: bool = True,
    is_synthesised: bool = False,
) -> Written:
    """Simulate bit for bit, write the design as Verilog with its bench, and run the bench.

    ``out`` must not hold anything yet; it appears whole or not at all. A design whose words or cycles
    differ is written nevertheless: :attr:`Written.verification` tells the first difference.

    Raises :class:`~bnnsim.spec.faults.InputError` where ``out`` cannot be written, for engines, for units
    without a module, where there are no weights or images; what ``simulate`` raises;
    :class:`~bnnsim.rtl.simulators.SimulatorError` and :class:`~bnnsim.rtl.synthesis.SynthesisError`.
    """
    check_new_folder(out)
    reason = "an engine's arrays and its microprogram have no Verilog modules yet; bnnsim report shows it"
    design, place = load_streaming_design(architecture, workload, "rtl", reason)
    stimulus = stimulate(design, place, options)
    if isinstance(stimulus, TimingOnly):
        raise InputError("rtl", "weights and images (or --weights-seed)", stimulus.reason)
    instances = design_instances(design, stimulus.parameters)
    with EventLog(design.graph, build_timing(design.graph)) as log:
        simulation = simulate_design(design, stimulus, options, log)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with new_part(out, is_folder=True) as part:
                part.path.chmod(0o755)
                streams, memories = _write_all(design, instances, simulation, log, part.path)
                words = sum(int(stream["words"]) for stream in streams)
                counts = (len(instances), len(streams), memories, words)
                synthesis = synthesise(part.path) if is_synthesised else None
                simulator = chosen_simulator() if is_checked else None
                found = verify(part.path, simulator, simulation.frames, words) if simulator else None
                told = not_checked_text(str(out), is_checked)
                if found:
                    told = verified_text(found, *counts[:2])
                readme = readme_text(design, instances, simulation, log, str(out), told)
                (part.path / "README.md").write_text(readme, encoding="utf-8")
                for build in BUILDS:
                    shutil.rmtree(part.path / "sim" / build, ignore_errors=True)
                if out.exists():
                    out.rmdir()
                part.path.replace(out)
        except OSError as error:
            raise no_place(Path(error.filename or out), error) from None
    return Written(out, simulation, *counts, found, synthesis, is_checked)


def _write_all(
    design: Design,
    instances: Mapping[str, Instance],
    simulation: Simulation,
    log: EventLog,
    folder: Path,
) -> tuple[list[dict[str, Any]], int]:
    """The streams' entries of the manifest, and how many memories were written."""
    write_hardware(design, instances, folder)
    (folder / "axis_top.v").write_text(axis_top_text(design), encoding="utf-8")
    streams = [
        _below(entry, "sim")
        for entry in write_bench(design, log, simulation.frames, simulation.cycles_total, folder / "sim")
    ]
    text = makefile(simulation.frames, design.graph.flushes)
    (folder / "sim" / "Makefile").write_text(text, encoding="utf-8")
    _write_scripts(design, folder)
    units = []
    for unit in design.graph.units:
        instance = instances[unit.name]
        module = {"module": instance.module, "module_parameters": dict(instance.parameters)}
        units.append(unit_entry(unit, _memory_entries(unit.name, instance), **module))
    text = json.dumps(manifest(simulation, streams, units), indent=2) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")
    return streams, sum(len(instance.memories) for instance in instances.values())


def _write_scripts(design: Design, folder: Path) -> None:
    write_synthesis(folder)
    names = [file.name for file in sorted((folder / "rtl").glob("*.v"))]
    clock_mhz = design.architecture.clock_mhz
    texts = {
        "vivado.tcl": vivado_script(design.device, clock_mhz),
        "quartus.tcl": quartus_script(design.device, names),
        "clock.xdc": constraints(clock_mhz),
    }
    for name, text in texts.items():
        (folder / "synth" / name).write_text(text, encoding="utf-8")


def _below(entry: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """A stream's entry with its files relative to the folder above."""
    return {key: f"{folder}/{value}" if key.endswith("_file") else value for key, value in entry.items()}


def _memory_entries(unit: str, instance: Instance) -> list[dict[str, Any]]:
    """Each memory with the files of its parts and where they begin."""
    entries = []
    for memory in instance.memories:
        parts, start = [], 0
        for number, depth in enumerate(part_depths(len(memory.words))):
            stem = f"{signal_name(unit)}.{memory.name}{memory.owner}"
            file = f"memories/{stem}_{chr(ord('a') + number)}.hex"
            parts.append({"words_file": file, "first_address": start, "depth_words": depth})
            start += depth
        entries.append(
            {
                "role": memory.name,
                "owner": memory.owner.strip("_"),
                "width_bits": memory.width_bits,
                "depth_words": len(memory.words),
                "address": memory.address,
                "layout": memory.layout,
                "parts": parts,
            }
        )
    return entries
