"""The README of a written design: what is in it, how a stream moves, what was checked and what not."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Stream
from bnnsim.report.streaming.pipeline import unit_detail
from bnnsim.report.waveform.event_log import EventLog
from bnnsim.report.waveform.vcd import signal_name
from bnnsim.rtl.handover.axis_top import bus_bits, bus_name
from bnnsim.rtl.instance import Instance
from bnnsim.rtl.top import FRAME_BITS, sink_ports
from bnnsim.simulation import Simulation

_DIAGRAM_CYCLES = 20
_CHECK = """\
## Checked
{checked}

Again, after your own changes (the first difference is told with its stream, word and cycle):

```
bnnsim check-rtl {folder}            # with the simulator that is there
make -C sim sim                      # the same by hand; sim-stalls, sim-icarus, synth, sim-netlist, lint
```

Not checked: placement and routing, the clock ({clock:g} MHz is what the architecture asks for),
crossings of clocks, a DMA, a driver, a board. `synth/vivado.tcl` and `synth/quartus.tcl` were not run.
"""


def readme_text(
    design: Design,
    instances: Mapping[str, Instance],
    simulation: Simulation,
    log: EventLog,
    folder: str,
    checked: str,
) -> str:
    """The README; ``checked`` says what was checked with what."""
    shown = _shown_stream(design)
    parts = [
        f"# {design.name}\n",
        "Written by `bnnsim rtl`: Verilog-2005 without vendors' primitives. Its words and its cycles are "
        f"those of bnnsim's simulation of {simulation.frames} frame(s), {simulation.cycles_total:,} "
        "cycles.\n",
        "## Blocks\n",
        *_blocks(design, instances),
        _libraries(design),
        "\n## Ports\n",
        *_ports(design),
        "\n## A stream\n",
        f"`{shown.name}`, {shown.width_bits} bits, a FIFO of {shown.depth_words}: the first words "
        "(numbered from 0). A word written in a cycle can be read from the next; a place freed in a "
        "cycle can be written from the next.\n",
        *_diagram(design, log, shown),
        "\n## Files\n",
        "`rtl/` the library's modules and `top.v`; `axis_top.v` the same between AXI4-Streams; "
        "`memories/` what `$readmemh` reads (parameter `MEMORIES` is the folder, with its last `/`); "
        "`sim/` bench and golden words and cycles; `synth/` scripts; `manifest.json` every unit with its "
        "library, pipeline, program, module and memories.\n",
        _CHECK.format(checked=checked, folder=folder, clock=design.architecture.clock_mhz),
    ]
    return "\n".join(parts)


def _blocks(design: Design, instances: Mapping[str, Instance]) -> list[str]:
    rows = ["| unit | module | layer | what | memories |", "|---|---|---|---|---|"]
    for unit in design.graph.units:
        instance = instances[unit.name]
        memories = ", ".join(
            f"{memory.name} {len(memory.words):,} x {memory.width_bits}" for memory in instance.memories
        )
        detail = unit_detail(unit) or unit.kind.replace("_", " ")
        rows.append(f"| {unit.name} | `{instance.module}` | {unit.layer} | {detail} | {memories} |")
    return rows


def _libraries(design: Design) -> str:
    """Whose costs the estimates of a design's units are."""
    others = sorted({unit.library for unit in design.graph.units} - {"own"})
    if not others:
        return "\nThe units are bnnsim's own: what is estimated, simulated and written is one design.\n"
    names = " and ".join(others)
    return (
        f"\nThe architecture's units are of the library {names}: the modules here keep its cycles and "
        "words, but estimates of LUTs and flip-flops are that library's. `units: own` estimates these "
        "modules.\n"
    )


def _ports(design: Design) -> list[str]:
    graph = design.graph
    source = graph.stream_by_name[graph.unit_by_name["source"].outputs[0]]
    first = f"{source.lanes} x {source.element_bits} bits, {source.words:,} words a frame"
    rows = ["| port of `axis_top` | bits | what |", "|---|---|---|"]
    rows.append("| `aclk`, `aresetn` | 1 | rising edge; the reset is synchronous and low |")
    rows.append(f"| `frames` | {FRAME_BITS} | frames of the run; stands during the reset |")
    rows.append(f"| `s_axis` | {bus_bits(source.width_bits)} | frames: {first}, {source.type} |")
    for port, sink in zip(sink_ports(design), graph.sinks, strict=True):
        stream = graph.stream_by_name[sink.inputs[0]]
        bus = bus_name(port)
        words = f"{stream.lanes} x {stream.element_bits} bits, {stream.words:,} words a frame"
        rows.append(f"| `{bus}` | {bus_bits(stream.width_bits)} | results: {words}, {stream.type} |")
        rows.append(f"| `{bus}_frames_done` | {FRAME_BITS} | frames that have left |")
    return [
        *rows,
        "\nElement i of a word is in bits i x bits and up; a bipolar bit is 1 for +1, 0 for -1.",
    ]


def _shown_stream(design: Design) -> Stream:
    """The first stream behind a unit that computes."""
    units = design.graph.unit_by_name
    return next(stream for stream in design.graph.streams if units[stream.writer].computes)


def _diagram(design: Design, log: EventLog, stream: Stream) -> list[str]:
    position = design.graph.streams.index(stream)
    written = [cycle for cycle, _ in islice(log.writes(position), _DIAGRAM_CYCLES)]
    read = list(islice(log.reads(position), _DIAGRAM_CYCLES))
    start = max(0, written[0] - 1)
    cycles = range(start, start + _DIAGRAM_CYCLES)
    held = [sum(w < c for w in written) - sum(r < c for r in read) for c in cycles]
    rows = {
        "cycle": [str(c) for c in cycles],
        "written": [str(written.index(c)) if c in written else "." for c in cycles],
        "held": [str(count) for count in held],
        "read": [str(read.index(c)) if c in read else "." for c in cycles],
    }
    width = max(len(cell) for cell in rows["cycle"])
    lines = [f"{name:8}" + " ".join(cell.rjust(width) for cell in row) for name, row in rows.items()]
    return ["```", f"{signal_name(stream.name)}", *(line.rstrip() for line in lines), "```"]
