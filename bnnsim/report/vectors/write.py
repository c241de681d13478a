"""Write a bit-exact run as files that ``$readmemh`` reads, with a manifest that says what is what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.streaming.units import Stream, Unit
from bnnsim.files.folder import check_new_folder
from bnnsim.files.part import new_part
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.report.engine.trace import logged
from bnnsim.report.vectors.engine import write_engine
from bnnsim.report.vectors.hex import write_hex
from bnnsim.report.vectors.manifest import FILE, manifest, unit_entry
from bnnsim.report.vectors.memories import Memory, unit_memories
from bnnsim.report.waveform.event_log import EventLog
from bnnsim.report.waveform.vcd import check_signal_names, signal_name
from bnnsim.simulation import (
    RunOptions,
    Simulation,
    TimingOnly,
    load_design,
    simulate_design,
    stimulate,
)
from bnnsim.simulation.engine import simulate_engine
from bnnsim.spec.faults import InputError
from bnnsim.timing.streaming.programs.graph import build_timing


@dataclass(frozen=True)
class Vectors:
    """What was written into ``folder``: the run, and how many files."""

    folder: Path
    simulation: Simulation
    streams: int
    memories: int
    words: int
    ways: str = "streams"
    """What the words pass: a pipeline's streams, or an engine's movers."""


def write_vectors(
    architecture: str | Path,
    workload: str | Path,
    out: Path,
    options: RunOptions,
) -> Vectors:
    """Simulate bit for bit and write every stream's words and cycles and every unit's memories.

    ``out`` must not hold anything yet; it appears whole or not at all. Raises :class:`InputError`
    where it does or cannot be made, where there are no weights or images, and what ``simulate`` raises.
    """
    check_new_folder(out)
    design, folder = load_design(architecture, workload)
    if isinstance(design, EngineDesign):
        return _write_engine(design, folder, out, options)
    graph = design.graph
    names = [unit.name for unit in graph.units] + [stream.name for stream in graph.streams]
    check_signal_names(names)
    stimulus = stimulate(design, folder, options)
    if isinstance(stimulus, TimingOnly):
        raise InputError("vectors", "weights and images (or --weights-seed)", stimulus.reason)
    with EventLog(design.graph, build_timing(design.graph)) as log:
        simulation = simulate_design(design, stimulus, options, log)
        with _folder(out) as place:
            written = _write_all(design, log, simulation, stimulus.parameters, place)
    return Vectors(out, simulation, *written)


def _write_engine(
    design: EngineDesign, folder: Path | None, out: Path, options: RunOptions
) -> Vectors:
    stimulus = stimulate(design, folder, options)
    if isinstance(stimulus, TimingOnly):
        raise InputError("vectors", "weights and images (or --weights-seed)", stimulus.reason)
    with logged(design) as log:
        simulation = simulate_engine(design, stimulus, replace(options, executor="simpy"), log)
        with _folder(out) as place:
            written = write_engine(design, log, simulation, stimulus, place)
    return Vectors(out, simulation, *written, "movers")


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A folder that becomes ``out`` when all is written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with new_part(out, is_folder=True) as part:
        part.path.chmod(0o755)
        yield part.path
        if out.exists():
            out.rmdir()
        part.path.replace(out)


def _write_all(
    design: Design,
    log: EventLog,
    simulation: Simulation,
    parameters: Parameters,
    folder: Path,
) -> tuple[int, int, int]:
    """(streams, memories, words) written."""
    (folder / "streams").mkdir()
    (folder / "memories").mkdir()
    streams = [
        write_stream(folder, log, i, stream)
        for i, stream in enumerate(design.graph.streams)
    ]
    units = []
    memories = 0
    for unit in design.graph.units:
        kept = [
            _write_memory(folder, unit, memory)
            for memory in unit_memories(
                unit, parameters.weights, parameters.thresholds, parameters.values
            )
        ]
        memories += len(kept)
        units.append(unit_entry(unit, kept))
    entry = manifest(simulation, streams, units)
    (folder / FILE).write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
    return len(streams), memories, sum(int(stream["words"]) for stream in streams)


def write_stream(folder: Path, log: EventLog, position: int, stream: Stream) -> dict[str, Any]:
    """Write a stream's words, and the cycles in which they were written and read, into
    ``folder/streams``; returns its entry of the manifest."""
    name = f"streams/{signal_name(stream.name)}"
    write_hex(folder / f"{name}.hex", stream.width_bits, (w for _, w in log.writes(position)))
    write_hex(folder / f"{name}.written.hex", 32, (cycle for cycle, _ in log.writes(position)))
    write_hex(folder / f"{name}.read.hex", 32, log.reads(position))
    return {
        "name": stream.name,
        "writer": stream.writer,
        "reader": stream.reader,
        "width_bits": stream.width_bits,
        "lanes": stream.lanes,
        "element_bits": stream.element_bits,
        "type": str(stream.type),
        "depth_words": stream.depth_words,
        "words": sum(1 for _ in log.writes(position)),
        "words_a_frame": stream.words,
        "words_file": f"{name}.hex",
        "written_cycles_file": f"{name}.written.hex",
        "read_cycles_file": f"{name}.read.hex",
    }


def _write_memory(folder: Path, unit: Unit, memory: Memory) -> dict[str, Any]:
    file = f"memories/{signal_name(unit.name)}.{memory.name}.hex"
    write_hex(folder / file, memory.width_bits, memory.words)
    return {
        "role": memory.role,
        "pe": memory.pe,
        "width_bits": memory.width_bits,
        "depth_words": len(memory.words),
        "element_bits": memory.element_bits,
        "is_signed": memory.is_signed,
        "address": memory.address,
        "layout": memory.layout,
        "words_file": file,
    }
