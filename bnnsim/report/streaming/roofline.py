"""Roofline of an on-chip network: binary operations a cycle against weight-memory words a cycle."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Mvau
from bnnsim.evaluation import OPERATIONS_PER_MAC
from bnnsim.report.figures.figure import Figure, csv_text


@dataclass(frozen=True)
class RooflinePoint:
    """One matrix unit.

    ``peak``: when it works in every cycle, PE words of SIMD lanes come out of its memories and
    2 * PE * SIMD operations are done. The others are means over the steady state's cycles.
    """

    name: str
    pe: int
    simd: int
    peak_operations_a_cycle: int
    peak_words_a_cycle: int
    operations_a_cycle: float
    words_a_cycle: float

    @property
    def operations_a_word(self) -> float:
        return self.peak_operations_a_cycle / self.peak_words_a_cycle

    @property
    def utilisation(self) -> float:
        """Share of the peak that is used."""
        return self.operations_a_cycle / self.peak_operations_a_cycle


@dataclass(frozen=True)
class RooflineInfo:
    """``interval_cycles`` is the spacing of frames at which the points were taken."""

    interval_cycles: float
    points: tuple[RooflinePoint, ...]

    @property
    def peak_operations_a_cycle(self) -> int:
        return sum(point.peak_operations_a_cycle for point in self.points)

    @property
    def peak_words_a_cycle(self) -> int:
        return sum(point.peak_words_a_cycle for point in self.points)

    @property
    def operations_a_cycle(self) -> float:
        return sum(point.operations_a_cycle for point in self.points)

    @property
    def words_a_cycle(self) -> float:
        return sum(point.words_a_cycle for point in self.points)


def roofline_info(design: Design, interval_cycles: float) -> RooflineInfo:
    """The record behind the figure, with frames ``interval_cycles`` apart."""
    points = []
    for unit in design.graph.units:
        if not isinstance(unit.parameters, Mvau):
            continue
        mvau = unit.parameters
        working = mvau.fold * mvau.vectors
        points.append(
            RooflinePoint(
                unit.name,
                mvau.pe,
                mvau.simd,
                OPERATIONS_PER_MAC * mvau.pe * mvau.simd,
                mvau.pe,
                OPERATIONS_PER_MAC * mvau.pe * mvau.simd * working / interval_cycles,
                mvau.pe * working / interval_cycles,
            )
        )
    return RooflineInfo(interval_cycles, tuple(points))


def roofline_figure(info: RooflineInfo) -> Figure:
    """Each unit from where it is to where it could be; SIMD sets the slope it moves on."""
    header = (
        "unit",
        "pe",
        "simd",
        "peak_operations_a_cycle",
        "peak_words_a_cycle",
        "operations_a_cycle",
        "words_a_cycle",
        "utilisation",
    )
    rows = [
        (
            p.name,
            p.pe,
            p.simd,
            p.peak_operations_a_cycle,
            p.peak_words_a_cycle,
            p.operations_a_cycle,
            p.words_a_cycle,
            p.utilisation,
        )
        for p in info.points
    ]
    data = {
        "points": [dict(zip(header, row, strict=True)) for row in rows],
        "total": {
            "peak_operations_a_cycle": info.peak_operations_a_cycle,
            "peak_words_a_cycle": info.peak_words_a_cycle,
            "operations_a_cycle": info.operations_a_cycle,
            "words_a_cycle": info.words_a_cycle,
        },
    }
    share = info.operations_a_cycle / info.peak_operations_a_cycle if info.points else 0.0
    note = (
        f"The design does {info.operations_a_cycle:,.0f} of the "
        f"{info.peak_operations_a_cycle:,} binary operations a cycle that its PEs could do "
        f"({share:.0%}). A unit moves along its line as it is kept busier: a memory word feeds SIMD "
        "lanes, 2 × SIMD operations. Filled: as it runs; hollow: in every cycle at work."
    )
    body = (
        '<div class="controls" role="group" aria-label="Roofline axes">'
        '<button type="button" data-do="axes" aria-pressed="false">Linear axes</button>'
        "</div>"
        '<div class="plot"></div>'
        '<p class="readout" aria-live="polite">Point at a unit, or tab to it.</p>'
    )
    return Figure(
        "roofline", "Roofline", note, body, csv=csv_text(header, rows), data=data, script="roofline"
    )
