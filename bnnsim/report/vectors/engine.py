"""An engine's run as golden words: every transfer, every tile of its arrays, every map, with cycles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.engine.contents import Contents, bounds_of, placed
from bnnsim.datapath.engine.frame import EngineFrame, run_engine_frame
from bnnsim.datapath.engine.kernel import DIMENSIONS
from bnnsim.datapath.engine.stages import Values
from bnnsim.datapath.engine.tiles import LayerTiles, Tiles
from bnnsim.datapath.words import pack_rows
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.loops import planes_of
from bnnsim.design.engine.program import LayerProgram, Transfer
from bnnsim.design.network.network import INPUT
from bnnsim.design.network.node import Node
from bnnsim.report.engine.log import EngineLog
from bnnsim.report.vectors.hex import hex_lines, write_hex
from bnnsim.report.waveform.vcd import signal_name
from bnnsim.simulation import Simulation, Stimulus
from bnnsim.simulation.prefix import prefix_outputs
from bnnsim.spec.workload import FixedLinearLayer, WeightedLayer

FORMAT = "bnnsim engine vectors 1"
_TRANSFER_COLUMNS = (
    "frame,turn,payload,port,first_word,words,element_bits,elements,per_word,start,end,what\n"
)
Entry = dict[str, Any]
LAYOUT = {
    "words": "one word a line, in the order of time, frame after frame; the first element lowest",
    "elements": "bipolar: bit 1 is +1, bit 0 is -1; others two's complement of their bits",
    "transfers": "FILE.csv: a line for each transfer: its first word, what it carries, its cycles from "
    "start to before end; FILE.cycles.hex: for each word the last cycle in which it holds the port",
    "what a transfer carries": "the part of its tensor that the loops around it leave, its own loops "
    "outermost first; a map pixel by pixel, channel fastest; where that is more than it takes, the next "
    "one goes on; per_word elements in a word, 0: one behind the other across words; then zeros",
    "tiles": "FILE.csv: a line for each trip: the cycle in which it is issued, start:stop of each "
    "dimension; its results are there depth cycles after it; without a line number nothing is kept of it",
    "operands": "plane, row, column, channel (fastest) of the padded input from the first row and column "
    "that the trip reads to the last; elements of operand_bits in two's complement, a border may be 0",
    "weights": "output, kernel row, kernel column, input channel (fastest); a line for each part of the "
    "weights that some trip takes",
    "sums": "plane, output, pixel (fastest), after the trip",
    "maps": "pixel by pixel, a word a pixel, channel 0 in the lowest bits",
}
"""What the files are."""


def write_engine(
    design: EngineDesign,
    log: EngineLog,
    simulation: Simulation,
    stimulus: Stimulus,
    folder: Path,
) -> tuple[int, int, int]:
    """Write all files of a run that ``log`` has seen; (movers, memories, words) written."""
    for name in ("transfers", "tiles", "maps"):
        (folder / name).mkdir()
    parameters = stimulus.parameters.by_layer()
    frames = [_frame(design, stimulus, parameters, i) for i in range(simulation.frames)]
    contents = [Contents(design, parameters, frame) for frame in frames]
    transfers = [_write_transfers(design, log, contents, name, folder) for name in log.movers]
    layers = []
    for part in design.program.parts:
        node = design.network.nodes.get(part.name)
        if node and part.array and not isinstance(node.layer, FixedLinearLayer):
            layers.append(_write_tiles(design, log, parameters, frames, part, folder))
    maps = [_write_map(design, frames, name, folder) for name in frames[0].outputs]
    entry = {
        "format": FORMAT,
        "arch": simulation.arch,
        "workload": simulation.workload,
        "frames": simulation.frames,
        "clock_mhz": simulation.clock_mhz,
        "cycles_total": simulation.cycles_total,
        "layout": LAYOUT,
        "transfers": transfers,
        "layers": layers,
        "maps": maps,
    }
    (folder / "manifest.json").write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
    words = sum(one["words"] for one in transfers)
    return len(transfers), len(maps), words


def _frame(
    design: EngineDesign, stimulus: Stimulus, parameters: Mapping[str, Values], number: int
) -> EngineFrame:
    values = stimulus.frames[number].astype(np.int64)
    if design.network.input.type.is_bipolar:
        values = values * 2 - 1
    given = prefix_outputs(design, stimulus, number, stimulus.outputs_of(number))
    return run_engine_frame(design, parameters, values, given)


def _write_transfers(
    design: EngineDesign, log: EngineLog, contents: Sequence[Contents], mover: str, folder: Path
) -> Entry:
    """The words of one buffer in one direction, transfer by transfer."""
    bursts = iter(
        sorted(
            (one.start, one.end)
            for port in log.ports
            for one in log.bursts(port)
            if one.mover == mover
        )
    )
    name = f"transfers/{signal_name(mover)}"
    widths = {port: found.width_bits for port, found in design.architecture.ports.items()}
    used: dict[str, int] = {}
    count = total = 0
    with (
        (folder / f"{name}.hex").open("w", encoding="ascii") as words,
        (folder / f"{name}.cycles.hex").open("w", encoding="ascii") as cycles,
        (folder / f"{name}.csv").open("w", encoding="utf-8") as rows,
    ):
        rows.write(_TRANSFER_COLUMNS)
        for number, part, op, bounds in _moves(design, len(contents), mover):
            found = contents[number].carried(part, op, bounds)
            digits = -(-widths[op.port] // 4)
            words.writelines(f"{word:0{digits}x}\n" for word in found.words)
            start, end = _write_cycles(op, bursts, cycles)
            elements = found.bits // found.element_bits if found.element_bits else 0
            rows.write(
                f"{number},{part.name},{op.payload},{op.port},{total},{op.words},{found.element_bits},"
                f'{elements},{found.per_word},{start},{end},"{found.what}"\n'
            )
            used[op.port] = widths[op.port]
            count, total = count + 1, total + op.words
    buffer, _, direction = mover.rpartition(".")
    return {
        "name": mover,
        "buffer": buffer,
        "direction": direction,
        "port_width_bits": used,
        "transfers": count,
        "words": total,
        "words_file": f"{name}.hex",
        "cycles_file": f"{name}.cycles.hex",
        "rows_file": f"{name}.csv",
    }


def _moves(
    design: EngineDesign, frames: int, mover: str
) -> Iterator[tuple[int, LayerProgram, Transfer, Integers]]:
    """A mover's transfers in the order of time."""
    for number in range(frames):
        for part in design.program.parts:
            for op, bounds, _ in placed(part.ops, bounds_of(part)):
                if isinstance(op, Transfer) and f"{op.buffer}.{op.direction}" == mover:
                    yield number, part, op, bounds


def _write_cycles(
    op: Transfer, bursts: Iterator[tuple[int, int]], file: TextIO
) -> tuple[int, int]:
    """The cycles of a transfer's words; (its first cycle, the one behind its last)."""
    first = last = 0
    for index in range(op.bursts):
        start, last = next(bursts)
        first = first if index else start
        words = min(op.burst_words, op.words - index * op.burst_words)
        begin = start + op.latency_cycles
        moving = op.burst_cycles(index) - op.latency_cycles  # evenly, where a DRAM keeps the port waiting
        file.writelines(f"{begin + -(-(i + 1) * moving // words) - 1:08x}\n" for i in range(words))
    return first, last


def _write_tiles(
    design: EngineDesign,
    log: EngineLog,
    parameters: Mapping[str, Values],
    frames: Sequence[EngineFrame],
    part: LayerProgram,
    folder: Path,
) -> Entry:
    """Every trip of one layer's array: its cycle, what it reads, and its sums."""
    node = design.network.nodes[part.name]
    position = next(i for i, one in enumerate(log.program.parts) if one.name == part.name)
    works = (one for one in log.work(part.array) if one.part == position)
    layer = node.layer
    assert isinstance(layer, WeightedLayer)
    found = LayerTiles(design, part, node, parameters[part.name])
    bits = _Widths.of(design, part, node)
    name = f"tiles/{signal_name(part.name)}"
    trips = lines = 0
    with (
        (folder / f"{name}.csv").open("w", encoding="ascii") as rows,
        (folder / f"{name}.operands.hex").open("w", encoding="ascii") as operands,
        (folder / f"{name}.sums.hex").open("w", encoding="ascii") as sums,
    ):
        rows.write(f"frame,step,trip,cycle,depth,line,weights_line,{','.join(DIMENSIONS)}\n")
        for number, frame in enumerate(frames):
            step, begin = -1, 0
            for tiles in found.of(frame.outputs[node.inputs[0]]):
                if tiles.step != step:
                    step, begin = tiles.step, next(works).start if tiles.work.cycles else begin
                rows.writelines(_rows(number, tiles, begin, lines))
                if tiles.sums.size:
                    operands.writelines(hex_lines(tiles.operands, bits.operand))
                    sums.writelines(hex_lines(tiles.sums, bits.total))
                    lines += len(tiles.sums)
                trips += len(tiles.bounds)
    with (folder / f"{name}.weights.hex").open("w", encoding="ascii") as weights:
        for one in found.parts:
            own = (one + 1) // 2 if layer.weight.is_bipolar else one
            weights.writelines(hex_lines(own.reshape(1, -1), bits.weight))
    return {
        "layer": part.name,
        "array": part.array,
        "trips": trips,
        "operand_bits": bits.operand,
        "weight_bits": bits.weight,
        "sum_bits": bits.total,
        "rows_file": f"{name}.csv",
        "operands_file": f"{name}.operands.hex",
        "weights_file": f"{name}.weights.hex",
        "sums_file": f"{name}.sums.hex",
    }


@dataclass(frozen=True)
class _Widths:
    """Bits of an element in a layer's tiles."""

    operand: int
    weight: int
    total: int

    @classmethod
    def of(cls, design: EngineDesign, part: LayerProgram, node: Node) -> _Widths:
        layer, kind = node.layer, node.input.type
        assert isinstance(layer, WeightedLayer)
        total = design.architecture.arrays[part.array].accumulator_bits or node.sum_type.bits
        is_signs = kind.is_bipolar or planes_of(node) > 1
        operand = 2 if is_signs else kind.bits + (not kind.is_signed)
        return cls(operand, layer.weight.bits, total)


def _rows(number: int, tiles: Tiles, begin: int, line: int) -> Iterator[str]:
    """A line for each of some trips; ``line``: that of the first one's operands and sums."""
    work = tiles.work
    depth = work.cycles - prod(loop.trips for loop in work.loops) * work.interval
    kept = bool(tiles.sums.size)
    for i, bounds in enumerate(tiles.bounds.tolist()):
        trip = tiles.first + i
        lines = f"{line + i},{tiles.weights[i]}" if kept else ","
        spans = ",".join(f"{start}:{stop}" for start, stop in bounds)
        cycle = begin + trip * work.interval
        yield f"{number},{tiles.step},{trip},{cycle},{depth},{lines},{spans}\n"


def _write_map(
    design: EngineDesign, frames: Sequence[EngineFrame], name: str, folder: Path
) -> Entry:
    """What a layer puts out, a pixel a word."""
    tensor = design.network.tensor(name)
    called = "image" if name == INPUT else name
    file = f"maps/{signal_name(called)}.hex"
    words: list[int] = []
    for frame in frames:
        values = frame.outputs[name].transpose(1, 2, 0).reshape(-1, tensor.shape[0])
        elements = (values + 1) // 2 if tensor.type.is_bipolar else values
        words += pack_rows(np.ascontiguousarray(elements, np.int64), tensor.type.bits)
    write_hex(folder / file, tensor.shape[0] * tensor.type.bits, words)
    return {
        "layer": called,
        "shape": list(tensor.shape),
        "type": str(tensor.type),
        "element_bits": tensor.type.bits,
        "words": len(words),
        "words_file": file,
    }
