"""FIFO occupancy over time: where words pile up and where none are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bnnsim.report.figures.figure import Figure
from bnnsim.report.figures.track_encoding import encode_pairs, zigzag
from bnnsim.report.streaming.recording import LevelTrack, Recording
from bnnsim.simulation import Simulation


@dataclass(frozen=True)
class OccupancyRow:
    """One FIFO: ``track`` holds (cycles since the last change, change as zigzag) pairs, encoded.

    ``mean_words`` is the mean over all recorded cycles, ``full_cycles`` how many of them began with
    the FIFO full.
    """

    name: str
    depth_words: int
    width_bits: int
    highest_words: int
    mean_words: float
    full_cycles: int
    track: str


@dataclass(frozen=True)
class OccupancyInfo:
    clock_mhz: float
    cycles: int
    rows: tuple[OccupancyRow, ...]


def occupancy_info(recording: Recording) -> OccupancyInfo:
    """The record behind the figure."""
    rows = []
    for stream in recording.streams:
        word_cycles = full_cycles = 0
        for level, length in _stretches(stream, recording.cycles):
            word_cycles += level * length
            full_cycles += length if level >= stream.depth_words else 0
        rows.append(
            OccupancyRow(
                stream.name,
                stream.depth_words,
                stream.width_bits,
                max(stream.levels),
                word_cycles / max(1, recording.cycles),
                full_cycles,
                encode_pairs(_changes(stream)),
            )
        )
    return OccupancyInfo(recording.clock_mhz, recording.cycles, tuple(rows))


def _stretches(stream: LevelTrack, cycles: int) -> Iterator[tuple[int, int]]:
    """(level, cycles) of each stretch within the recording."""
    for i, (start, level) in enumerate(zip(stream.cycles, stream.levels, strict=True)):
        end = stream.cycles[i + 1] if i + 1 < len(stream.cycles) else cycles
        yield level, max(0, min(end, cycles) - start)


def _changes(stream: LevelTrack) -> Iterator[tuple[int, int]]:
    cycle = level = 0
    for at, held in zip(stream.cycles, stream.levels, strict=True):
        yield at - cycle, zigzag(held - level)
        cycle, level = at, held


def most_words(simulation: Simulation, occupancy: OccupancyInfo) -> dict[str, int]:
    """The most words that each FIFO held, in the run or in the frames recorded, which may be more."""
    recorded = {row.name: row.highest_words for row in occupancy.rows}
    return {
        fifo.name: max(fifo.max_occupancy_words, recorded.get(fifo.name, 0))
        for fifo in simulation.fifos
    }


def occupancy_figure(info: OccupancyInfo) -> Figure:
    """One lane a FIFO, on the timeline's axis; lowest to highest level of each column's cycles."""
    data = {
        "cycles": info.cycles,
        "clock_mhz": info.clock_mhz,
        "rows": [
            {
                "name": row.name,
                "depth": row.depth_words,
                "width": row.width_bits,
                "highest": row.highest_words,
                "mean": row.mean_words,
                "full": row.full_cycles,
                "track": row.track,
            }
            for row in info.rows
        ],
    }
    note = (
        "Words in each FIFO at the start of every cycle; moves and zooms with the timeline. "
        "A FIFO that is always full lies before a slow unit, one that is always empty behind it. "
        "Of many, those that were full longest come first."
    )
    body = (
        '<div class="controls" role="group" aria-label="Occupancy view">'
        '<button type="button" data-do="scale" aria-pressed="false">Same scale for all [words]</button>'
        '<button type="button" data-do="deep" aria-pressed="false">'
        "Only deep FIFOs (&gt; 4 words)</button>"
        '<button type="button" data-do="many" aria-pressed="false" hidden>All</button>'
        "</div>"
        '<canvas class="chart" tabindex="0" role="img" aria-label="Occupancy of every FIFO over time. '
        'Arrow left and right move, plus and minus zoom, arrow up and down choose a FIFO."></canvas>'
        '<p class="readout" aria-live="polite">&nbsp;</p>'
    )
    return Figure("occupancy", "FIFO occupancy", note, body, data=data, script="occupancy")
