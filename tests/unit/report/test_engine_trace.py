"""An engine's trace, read by readers that share nothing with the writers, says what was simulated."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.cli.app import run
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import EngineProgram, Transfer, walk
from bnnsim.report.engine.log import EngineLog
from bnnsim.report.engine.perfetto import write_engine_perfetto
from bnnsim.report.engine.timeline import gantt_info
from bnnsim.report.engine.vcd import write_engine_vcd
from bnnsim.report.waveform.trace import trace
from bnnsim.simulation import RunOptions, Simulation, load_design
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.engine.result import EngineTiming
from bnnsim.timing.prefix import whole_program
from tests.designs import SHIPPED_ENGINES
from tests.golden.waveforms.vcd_reader import read_vcd, stretches
from tests.property.engine.programs import PORTS, engine_programs

ENGINES = SHIPPED_ENGINES
BOOKED = {
    "compute": "compute_cycles",
    "stage": "stage_cycles",
    "host": "host_cycles",
    "overhead": "overhead_cycles",
    "weight_load": "weight_load_cycles",
    "activation_load": "activation_load_cycles",
    "activation_store": "activation_store_cycles",
    "weight_stall": "weight_stall_cycles",
    "activation_stall": "activation_stall_cycles",
    "store_stall": "store_stall_cycles",
}


def slices(path: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """A Chrome trace's slices by process and thread, overlapping nowhere."""
    events = json.loads(path.read_text())["traceEvents"]
    process = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    thread = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for event in events:
        if event["ph"] == "X":
            key = process[event["pid"]].split(" ")[0], thread[event["pid"], event["tid"]]
            found.setdefault(key, []).append(event)
    for track in found.values():
        for early, late in pairwise(track):
            assert early["ts"] + early["dur"] <= late["ts"]
    return found


def check_files(
    program: EngineProgram, timing: EngineTiming | Simulation, vcd: Path, perfetto: Path, period: int
) -> None:
    total = timing.cycles_total
    dump = read_vcd(vcd)
    signals = dump.by_name()
    assert dump.end == total * period
    cycles = {
        name: [(a // period, b // period, value) for a, b, value in stretches(changes, dump.end)]
        for name, changes in signals.items()
    }
    tracks = slices(perfetto)
    busy = {u.name: u.busy if hasattr(u, "busy") else u.busy_cycles for u in timing.units}
    kinds = {u.name: u.kind for u in timing.units}
    for name, count in busy.items():
        if kinds[name] in ("array", "stage", "host"):
            found = sum(b - a for a, b, value in cycles[f"bnnsim.units.{name}"] if value == "1")
            assert found == count == sum(e["dur"] for e in tracks.get(("units", name), []))
        elif kinds[name] == "port" and count:
            found = sum(b - a for a, b, value in cycles[f"bnnsim.ports.{name}.busy"] if value == "1")
            assert found == count == sum(e["dur"] for e in tracks[("ports", name)])
    # what the controller did, by name, is what the parts were booked
    parts = timing.parts if isinstance(timing, EngineTiming) else timing.layers
    spent: Counter[str] = Counter()
    for a, b, value in cycles["bnnsim.controller"]:
        spent[value] += b - a
    for value, key in BOOKED.items():
        assert spent[value] == sum(getattr(part, key) for part in parts), value
        same = [e["dur"] for e in tracks.get(("frame", "controller"), []) if e["name"] == value]
        assert sum(same) == spent[value]
    # every burst of every transfer
    frames = timing.frames
    asked = [op for part in program.parts for op in walk(part.ops) if isinstance(op, Transfer)]
    for port in program.ports:
        words = frames * sum(op.words for op in asked if op.port == port)
        bursts = frames * sum(op.bursts for op in asked if op.port == port)
        seen = tracks.get(("ports", port), [])
        if all(not op.double for op in asked):  # else some run ahead of the last frame
            assert sum(e["args"]["words"] for e in seen) == words
            assert len(seen) == bursts
        if seen:
            count = int(signals[f"bnnsim.ports.{port}.burst"][-1][1], 2)
            assert count == len(seen)


@settings(max_examples=40)
@given(engine_programs(), st.integers(1, 3))
def test_traces_of_random_engines_say_what_was_simulated(
    tmp_path_factory: pytest.TempPathFactory, program: EngineProgram, frames: int
) -> None:
    folder = tmp_path_factory.mktemp("trace")
    with EngineLog(program, dict.fromkeys(PORTS, 8), dict.fromkeys(program.buffers, 1 << 62)) as log:
        timing = run_engine_simpy(program, frames, observer=log)
        assert timing == run_engine_simpy(program, frames)
        if not timing.cycles_total:
            return
        with (folder / "t.vcd").open("w") as file:
            write_engine_vcd(log, file, 100.0, 0, timing.cycles_total)
        with (folder / "t.json").open("w") as file:
            write_engine_perfetto(log, file, 100.0, 0, timing.cycles_total)
        for buffer in log.buffers:
            assert all(level.bits >= 0 for level in log.levels(buffer))
    check_files(program, timing, folder / "t.vcd", folder / "t.json", 10_000)


def test_no_buffer_is_ever_more_than_full() -> None:
    # Acce-BNN brings weights and thresholds in one stream: 8 banks of 586 words, then 64 for kh_mem.
    assert 4752 - 64 == 8 * 586
    design, _ = load_design("acce-bnn", "binarynet")
    assert isinstance(design, EngineDesign)
    levels = {row.name: row for row in gantt_info(design).levels}
    assert levels["wt_mem"].highest_bits == levels["wt_mem"].capacity_bits == 8 * 586 * 64
    for arch, workload in ENGINES.items():
        design, _ = load_design(arch, workload)
        assert isinstance(design, EngineDesign)
        for row in gantt_info(design).levels:
            assert row.highest_bits <= row.capacity_bits, (arch, row.name)


@pytest.mark.parametrize("name", ENGINES)
def test_the_trace_of_a_shipped_engine_says_what_simulate_says(name: str, tmp_path: Path) -> None:
    vcd, perfetto = tmp_path / "t.vcd", tmp_path / "t.json"
    options = RunOptions(timing_only=True, frames=1)
    found = trace(name, ENGINES[name], options, vcd=vcd, perfetto=perfetto)
    design, _ = load_design(name, ENGINES[name])
    program = whole_program(design)  # type: ignore[arg-type]
    period = 2 * round(5e5 / found.simulation.clock_mhz)
    check_files(program, found.simulation, vcd, perfetto, period)
    turns = slices(perfetto)["frame", "turns"]
    assert [e["name"] for e in turns if e["dur"]] == [
        layer.name for layer in found.simulation.layers if layer.turn_cycles
    ]
    assert [e["dur"] for e in turns] == [
        layer.turn_cycles for layer in found.simulation.layers if layer.turn_cycles
    ]


def test_a_window_holds_what_the_whole_trace_holds_there(tmp_path: Path) -> None:
    whole, part = tmp_path / "w.json", tmp_path / "p.json"
    arguments = ["trace", "fbna", "binarynet-24", "--timing-only", "--frames", "3"]
    assert run([*arguments, "--perfetto", str(whole)]) == 0
    window = ["--from", "20000", "--to", "150000"]
    assert run([*arguments, *window, "--perfetto", str(part), "--vcd", str(tmp_path / "p.vcd")]) == 0
    everything, shown = slices(whole), slices(part)
    for key, track in everything.items():
        clipped = [
            (max(e["ts"], 20000), min(e["ts"] + e["dur"], 150000), e["name"])
            for e in track
            if e["ts"] < 150000 and e["ts"] + e["dur"] > 20000
        ]
        assert clipped == [(e["ts"], e["ts"] + e["dur"], e["name"]) for e in shown.get(key, [])]
    dump = read_vcd(tmp_path / "p.vcd")
    assert dump.end == 150000 * 2 * round(5e5 / 143)
    assert min(changes[0][0] for changes in dump.by_name().values()) == 20000 * 2 * round(5e5 / 143)
