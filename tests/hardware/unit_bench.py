"""Single units in Verilog, many at once, held against SimPy's cycles and the datapath's words.

Each unit stands between FIFOs; what fills and empties them works and pauses by a program of its own, the
same in SimPy and in Verilog. Nothing here knows what a unit does.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from random import Random

from bnnsim.datapath.streaming.build import unit_datapath
from bnnsim.datapath.streaming.units import SinkDatapath, SourceDatapath
from bnnsim.design.streaming.datapath import Datapath
from bnnsim.design.streaming.units import Stream
from bnnsim.rtl.instance import Instance
from bnnsim.rtl.memories import write_rom
from bnnsim.rtl.project import library_files
from bnnsim.rtl.units.registry import unit_instance
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit, build_bench
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.reference.executor import run_simpy
from tests.hardware.drawn.unit import LAYER, SingleUnit


@dataclass(frozen=True)
class Golden:
    """What a unit's streams did: the words written, and the cycles of writing and reading each."""

    words: tuple[int, ...]
    written: tuple[int, ...]
    read: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A unit, its frames, its neighbours' programs (a flag a step, by stream) and what SimPy says."""

    name: str
    single: SingleUnit
    frames: int
    steps: tuple[tuple[bool, ...], ...]
    golden: tuple[Golden, ...]
    cycles: int

    @property
    def streams(self) -> tuple[Stream, ...]:
        return (*self.single.inputs, *self.single.outputs)


class _Watch:
    """An observer that keeps every word and cycle of the first streams."""

    def __init__(self, streams: int) -> None:
        self.words: list[list[int]] = [[] for _ in range(streams)]
        self.written: list[list[int]] = [[] for _ in range(streams)]
        self.read: list[list[int]] = [[] for _ in range(streams)]

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        if channel < len(self.words):
            self.words[channel].append(word)
            self.written[channel].append(cycle)

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        if channel < len(self.read):
            self.read[channel].append(cycle)

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None:
        pass

    def stepped(self, unit: int, cycle: int) -> None:
        pass


def draw_steps(random: Random, words: int) -> tuple[bool, ...]:
    """A frame of a neighbour: ``words`` steps with a word, between pauses of some kind."""
    kind = random.choice(["always", "always", "single", "bursts", "late"])
    steps: list[bool] = []
    if kind == "late":
        steps += [False] * random.randint(1, 30)
    for _ in range(words):
        if kind == "single":
            steps += [False] * random.choice([0, 0, 1, 2, 3])
        elif kind == "bursts" and random.random() < 0.15:
            steps += [False] * random.randint(1, 25)
        steps.append(True)
    return tuple(steps)


def make_case(name: str, single: SingleUnit, random: Random) -> Case:
    """``single`` with random neighbours and words, run by SimPy with its datapath."""
    frames = random.randint(1, 4)
    streams = (*single.inputs, *single.outputs)
    steps = tuple(draw_steps(random, stream.words) for stream in streams)
    bench = build_bench(single.unit)
    channels = list(bench.channels)
    units = list(bench.units)
    datapaths: dict[str, Datapath] = {
        single.unit.name: unit_datapath(
            single.unit,
            single.graph,
            _no_frames(),
            {LAYER: single.weights} if single.weights is not None else {},
            {LAYER: single.thresholds} if single.thresholds is not None else {},
            {LAYER: single.named},
        )
    }
    sinks = []
    for i, stream in enumerate(streams):
        channels[i] = Channel(stream.name, stream.depth_words)
        feeds = i < len(single.inputs)
        runs = tuple(Run(1, active and not feeds, active and feeds) for active in steps[i])
        program = Lockstep((Block(1, runs),), 0, True)
        if feeds:
            words = [random.getrandbits(stream.width_bits) for _ in range(frames * stream.words)]
            datapaths[f"feeds.{i}"] = SourceDatapath(words)
            units.append(TimingUnit(f"feeds.{i}", program, (), (i,)))
        else:
            datapaths[f"takes.{i}"] = SinkDatapath()
            sinks.append(len(units))
            units.append(TimingUnit(f"takes.{i}", program, (i,), ()))
    watch = _Watch(len(streams))
    graph = TimingGraph(tuple(units), tuple(channels), tuple(sinks))
    result = run_simpy(graph, frames, datapaths, watch)
    golden = tuple(
        Golden(tuple(watch.words[i]), tuple(watch.written[i]), tuple(watch.read[i]))
        for i in range(len(streams))
    )
    return Case(name, single, frames, steps, golden, result.cycles_total)


def _no_frames() -> object:
    import numpy as np

    return np.zeros((0, 1, 1, 1), np.int64)


# ---- Verilog ---------------------------------------------------------------------------------


def write_cases(cases: Sequence[Case], folder: Path) -> None:
    """Write the library, the bench of all ``cases`` and their files."""
    (folder / "data").mkdir(parents=True)
    for file in library_files():
        shutil.copyfile(file, folder / file.name)
    with as_file(files("bnnsim.rtl.bench")) as assets:
        for name in ("stream_check.v", "clock.v", "main.cpp"):
            shutil.copyfile(assets / name, folder / name)
    (folder / "neighbours.v").write_text(_NEIGHBOURS, encoding="utf-8")
    modules = [_case_text(i, case, folder / "data") for i, case in enumerate(cases)]
    instances = [
        f"    case_{i} c{i} (.clk(clk), .rst(rst), .cycle(cycle), .missing(missing[{i}]));"
        for i in range(len(cases))
    ]
    text = _BENCH.format(
        count=len(cases),
        cycles=max(case.cycles for case in cases) + 2,
        instances="\n".join(instances),
    )
    (folder / "bench.v").write_text(text + "\n".join(modules), encoding="utf-8")


def run_cases(cases: Sequence[Case], folder: Path, simulator: str = "icarus") -> list[str]:
    """The differences that the bench tells, after writing, building and running it."""
    write_cases(cases, folder)
    return run_written(folder, simulator)


def run_written(folder: Path, simulator: str = "icarus") -> list[str]:
    """Build and run a bench that is written; the differences that it tells."""
    sources = [file.name for file in sorted(folder.glob("*.v")) if file.name != "clock.v"]
    if simulator == "icarus":
        command = ["iverilog", "-g2005", "-s", "clock", "-o", "bench.vvp", "clock.v", *sources]
        program = ["vvp", "-n", "bench.vvp"]
    else:
        command = ["verilator", "--cc", "--exe", "--build", "-O0", "--noassert", "-Wno-fatal"]
        command += ["-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "build"]
        command += ["-CFLAGS", "-O0", "-o", "bench"]
        command += ["main.cpp", *sources]
        program = ["build/bench"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    done = subprocess.run(program, cwd=folder, check=True, capture_output=True, text=True).stdout
    if "bench: done" not in done:
        raise AssertionError(f"the bench did not end:\n{done[-2000:]}")
    return [line for line in done.splitlines() if line.startswith("difference: ")]


def _case_text(number: int, case: Case, data: Path) -> str:
    instance = unit_instance(case.single.values)
    wires, body = [], []
    for i, stream in enumerate(case.streams):
        golden = case.golden[i]
        stem = f"c{number}_{stream.name}"
        _write_hex(data / f"{stem}.hex", golden.words or (0,))
        _write_hex(data / f"{stem}.written.hex", golden.written or (0,))
        _write_hex(data / f"{stem}.read.hex", golden.read or (0,))
        _write_hex(data / f"{stem}.steps.hex", [int(active) for active in case.steps[i]])
        bits = stream.width_bits
        wires.append(f"    wire w{i}_valid, w{i}_ready, r{i}_valid, r{i}_ready;")
        wires.append(f"    wire [{bits - 1}:0] w{i}_data, r{i}_data;")
        wires.append(f"    wire [31:0] written{i}, read{i};")
        pins = ".clk(clk), .rst(rst)"
        steps = f'.STEPS({len(case.steps[i])}), .FRAMES({case.frames}), .FILE("data/{stem}")'
        if i < len(case.single.inputs):
            words = f".WIDTH_BITS({bits}), .WORDS({case.frames * stream.words})"
            body.append(
                f"    feeds #({words}, {steps}) feeds{i} ({pins}, "
                f".out_valid(w{i}_valid), .out_ready(w{i}_ready), .out_data(w{i}_data));"
            )
        else:
            body.append(
                f"    takes #({steps}) takes{i} ({pins}, .in_valid(r{i}_valid), .in_ready(r{i}_ready));"
            )
        body.append(
            f"    fifo #(.WIDTH_BITS({bits}), .DEPTH_WORDS({stream.depth_words})) fifo{i} ({pins},\n"
            f"        .in_valid(w{i}_valid), .in_ready(w{i}_ready), .in_data(w{i}_data),\n"
            f"        .out_valid(r{i}_valid), .out_ready(r{i}_ready), .out_data(r{i}_data));"
        )
        body.append(
            f"    stream_check #(.WIDTH_BITS({bits}), .WRITTEN({max(1, len(golden.words))}),\n"
            f'        .READ({max(1, len(golden.read))}), .NAME("{case.name}.{stream.name}"),\n'
            f'        .FILE("data/{stem}")) check{i} ({pins}, .cycle(cycle), .checks_cycles(1\'b1),\n'
            f"        .write(runs & w{i}_valid & w{i}_ready), .written_word(w{i}_data),\n"
            f"        .read(runs & r{i}_valid & r{i}_ready), .read_word(r{i}_data),\n"
            f"        .words_written(written{i}), .words_read(read{i}),\n"
            f"        .wrong_words(), .wrong_write_cycles(), .wrong_read_cycles());"
        )
    lacks = " | ".join(
        f"written{i} != {len(g.words)} | read{i} != {len(g.read)}" for i, g in enumerate(case.golden)
    )
    body.append(_instance_text(number, case, instance, data))
    return "\n".join(
        [
            f"// {case.name}: {case.single.unit.parameters}, {case.single.unit.library}",
            f"module case_{number} (input wire clk, input wire rst, input wire [31:0] cycle, "
            "output wire missing);",
            f"    wire runs = cycle < {case.cycles};",
            *wires,
            *body,
            f"    assign missing = {lacks};",
            f"    always @(posedge clk) if (!rst & cycle == {case.cycles} & missing)",
            f'        $display("difference: stream {case.name}, words are missing in cycle %0d", cycle);',
            "endmodule",
            "",
        ]
    )


def _instance_text(number: int, case: Case, instance: Instance, data: Path) -> str:
    parameters = [f".{name}({value})" for name, value in instance.parameters.items()]
    for memory in instance.memories:
        write_rom(data / f"m{number}_{memory.name}{memory.owner}", memory)
    for name in dict.fromkeys(memory.name for memory in instance.memories):
        parameters.append(f'.{name.upper()}_FILE("data/m{number}_{name}")')
    pins = [".clk(clk)", ".rst(rst)"] if instance.is_clocked else []
    if instance.counts_frames:
        pins.append(f".frames(32'd{case.frames})")
    count = len(case.single.inputs)
    positions = range(len(case.streams))
    for port, end, where in (("in", "r", positions[:count]), ("out", "w", positions[count:])):
        for pin in ("valid", "ready", "data"):
            wires = [f"{end}{i}_{pin}" for i in where]
            shared = wires[:1] if port == "out" and pin == "data" else wires
            pins.append(f".{port}_{pin}({{{', '.join(reversed(shared))}}})")
    copies = [f"    assign w{i}_data = w{count}_data;\n" for i in positions[count + 1 :]]
    joined = ",\n        "
    return (
        f"    {instance.module} #(\n        {joined.join(parameters)}\n    ) dut (\n"
        f"        {joined.join(pins)});\n{''.join(copies)}"
    )


def _write_hex(file: Path, values: Sequence[int]) -> None:
    file.write_text("".join(f"{value:x}\n" for value in values), encoding="utf-8")


def changed(case: Case, **changes: object) -> Case:
    """``case`` with other parameters of its unit in Verilog than SimPy saw."""
    unit = replace(case.single.unit, **changes)  # type: ignore[arg-type]
    return replace(case, single=replace(case.single, unit=unit))


_BENCH = """\
`timescale 1ns / 1ps
module bench (input wire clk);
    reg        rst = 1'b1;
    reg [2:0]  reset_cycles = 3'd0;
    reg [31:0] cycle = 32'd0;
    wire [{count}-1:0] missing;
    always @(posedge clk) begin
        reset_cycles <= reset_cycles + 3'd1;
        if (reset_cycles == 3'd4) rst <= 1'b0;
        if (!rst) cycle <= cycle + 32'd1;
        if (cycle == {cycles}) begin
            $display("bench: done");
            $finish;
        end
    end
{instances}
endmodule

"""
_NEIGHBOURS = """\
module feeds #(parameter WIDTH_BITS = 8, WORDS = 1, STEPS = 1, FRAMES = 1, FILE = "x") (
    input wire clk, input wire rst,
    output wire out_valid, input wire out_ready, output wire [WIDTH_BITS-1:0] out_data
);
    reg [WIDTH_BITS-1:0] words [0:WORDS-1];
    reg                  steps [0:STEPS-1];
    reg [31:0]           position, word, frame;
    initial $readmemh({FILE, ".hex"}, words);
    initial $readmemh({FILE, ".steps.hex"}, steps);
    wire runs = !rst & frame < FRAMES;
    assign out_valid = runs & steps[position];
    assign out_data = words[word];
    always @(posedge clk)
        if (rst) begin
            position <= 0;
            word <= 0;
            frame <= 0;
        end else if (runs & (!steps[position] | out_ready)) begin
            position <= position == STEPS - 1 ? 0 : position + 1;
            if (position == STEPS - 1) frame <= frame + 1;
            if (steps[position]) word <= word + 1;
        end
endmodule

module takes #(parameter STEPS = 1, FRAMES = 1, FILE = "x") (
    input wire clk, input wire rst, input wire in_valid, output wire in_ready
);
    reg        steps [0:STEPS-1];
    reg [31:0] position, frame;
    initial $readmemh({FILE, ".steps.hex"}, steps);
    wire runs = !rst & frame < FRAMES;
    assign in_ready = runs & steps[position];
    always @(posedge clk)
        if (rst) begin
            position <= 0;
            frame <= 0;
        end else if (runs & (!steps[position] | in_valid)) begin
            position <= position == STEPS - 1 ? 0 : position + 1;
            if (position == STEPS - 1) frame <= frame + 1;
        end
endmodule
"""
