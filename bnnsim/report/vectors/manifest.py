"""The manifest of a design's words, memories and hardware: ``vectors`` and ``rtl`` write the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from bnnsim.design.streaming.units import Unit
from bnnsim.simulation import Simulation
from bnnsim.spec.value_type import ValueType
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Loop, Run
from bnnsim.timing.streaming.programs.unit_programs import unit_program

FORMAT = "bnnsim vectors 1"
FILE = "manifest.json"
WORD_ORDER = "one word a line, in the order in which they pass; frame after frame"
WORD_LAYOUT = "element i of a word in bits i * element_bits and up; bipolar: bit 1 is +1, bit 0 is -1"
CYCLE_ORDER = "one cycle a line in hex, of the word in the same line of the stream's words"
MOST_RUNS = 4096
"""A program of more runs of steps is left out: it follows from the unit's parameters."""

Entry = dict[str, Any]


def manifest(simulation: Simulation, streams: Sequence[Entry], units: Sequence[Entry]) -> Entry:
    """What a folder of words and memories says of itself; files are relative to the folder."""
    return {
        "format": FORMAT,
        "arch": simulation.arch,
        "workload": simulation.workload,
        "frames": simulation.frames,
        "clock_mhz": simulation.clock_mhz,
        "cycles_total": simulation.cycles_total,
        "word_order": WORD_ORDER,
        "word_layout": WORD_LAYOUT,
        "cycle_order": CYCLE_ORDER,
        "streams": list(streams),
        "units": list(units),
    }


def unit_entry(unit: Unit, memories: Sequence[Entry], **more: Any) -> Entry:
    """A unit with all that determines its hardware, and ``more`` that a command knows of it."""
    program = unit_program(unit)
    return {
        "name": unit.name,
        "kind": unit.kind,
        "layer": unit.layer,
        "library": unit.library,
        "pipeline": _pipeline(program),
        "pipeline_depth": program.pipeline_depth if isinstance(program, Lockstep) else program.latency,
        "inputs": list(unit.inputs),
        "outputs": list(unit.outputs),
        "parameters": {
            field.name: _plain(getattr(unit.parameters, field.name)) for field in fields(unit.parameters)
        },
        "program": program_entry(program),
        **more,
        "memories": list(memories),
    }


def program_entry(program: Program) -> Entry:
    """A unit's program: the steps of a frame as runs of equal ones in nested counters."""
    if isinstance(program, Elastic):
        return {"form": "elastic", "words_in": program.words_in, "words_out": program.words_out}
    entry: Entry = {"form": "lockstep", "steps": program.steps}
    for name, blocks in (("prologue", program.prologue), ("blocks", program.blocks)):
        if sum(_count(block) for block in blocks) <= MOST_RUNS:
            entry[name] = [_steps(block) for block in blocks]
    return entry


def _pipeline(program: Program) -> str:
    if isinstance(program, Elastic):
        return "elastic"
    return "freezing" if program.freezes else "flushing"


def _count(part: Block | Loop | Run) -> int:
    return 1 if isinstance(part, Run) else sum(_count(inner) for inner in part.runs)


def _steps(part: Block | Loop | Run) -> Entry:
    if isinstance(part, Run):
        return {"steps": part.steps, "reads": part.reads, "writes": part.writes}
    return {"repeat": part.repeat, "runs": [_steps(inner) for inner in part.runs]}


def _plain(value: Any) -> Any:
    if isinstance(value, ValueType):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
