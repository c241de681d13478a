"""The page of a FIFO sizing: throughput against FIFO memory, without any network."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bnnsim.design.design import Design
from bnnsim.report.figures.plot_page import plot_page
from bnnsim.search.fifos.sizing import FifoSizing


@dataclass(frozen=True)
class SizingPoint:
    """One set of depths on the front: its memory, and the frames a second that it gives."""

    fifo_bits: int
    bram18: int
    interval_cycles: int
    throughput_fps: float


@dataclass(frozen=True)
class SizingRow:
    """One stream's depths before and after, and the bits of its FIFO then."""

    stream: str
    before_words: int
    after_words: int
    after_bits: int


@dataclass(frozen=True)
class SizingInfo:
    """What the page shows: ``front`` smallest first, ``chosen`` what was written, ``before`` the design's
    own depths where they run; ``rows`` by bits, most first."""

    arch: str
    workload: str
    clock_mhz: float
    front: tuple[SizingPoint, ...]
    chosen: SizingPoint
    before: SizingPoint | None
    best_fps: float
    rows: tuple[SizingRow, ...]
    sentence: str


def sizing_info(design: Design, sizing: FifoSizing) -> SizingInfo:
    """What the page of ``sizing`` shows."""
    clock_mhz = design.architecture.clock_mhz

    def point(bits: int, bram18: int, cycles: int) -> SizingPoint:
        return SizingPoint(bits, bram18, cycles, clock_mhz * 1e6 / cycles)

    before = sizing.before_interval_cycles
    widths = {stream.name: stream.width_bits for stream in design.graph.streams}
    rows = [
        SizingRow(name, sizing.before_words[name], depth, depth * widths[name])
        for name, depth in sizing.depth_words.items()
    ]
    return SizingInfo(
        arch=design.architecture.name,
        workload=design.network.workload.name,
        clock_mhz=clock_mhz,
        front=tuple(
            point(p.fifo_bits, p.bram18, p.initiation_interval_cycles) for p in sizing.curve
        ),
        chosen=point(sizing.fifo_bits, sizing.bram18, sizing.initiation_interval_cycles),
        before=(
            None if before is None else point(sizing.before_bits, sizing.before_bram18, before)
        ),
        best_fps=clock_mhz * 1e6 / sizing.unlimited_interval_cycles,
        rows=tuple(sorted(rows, key=lambda row: (-row.after_bits, row.stream))),
        sentence=_sentence(sizing),
    )


def _sentence(sizing: FifoSizing) -> str:
    own = sizing.before_interval_cycles
    was = "does not run, or not provably" if own is None else f"takes {own:,} cycles a frame"
    proof = "no FIFO can lose a word alone" if sizing.is_minimal else "not every FIFO was tried alone"
    end = "" if sizing.is_finished else " The sizing was interrupted: this is the best until then."
    return (
        f"{sizing.fifo_bits:,} bits of FIFOs keep {sizing.initiation_interval_cycles:,} cycles a frame; "
        f"without any FIFO limit it would be {sizing.unlimited_interval_cycles:,}. With its own depths "
        f"({sizing.before_bits:,} bits) the design {was}. {sizing.designs_timed} sets of depths were "
        f"timed exactly; {proof}.{end}"
    )


def sizing_page(info: SizingInfo, is_single_file: bool = True) -> str:
    """The page as HTML; :func:`~bnnsim.report.figures.plot_page.library` says what lies beside it."""
    title = f"{info.arch} x {info.workload}: FIFO depths"
    return plot_page("fifos", title, "fifos.html", ("fifos.js",), asdict(info), is_single_file)
