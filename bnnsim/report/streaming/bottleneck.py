"""What limits a pipeline, in a sentence, and each unit's own work."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from bnnsim.design.design import Design
from bnnsim.report.figures.figure import Figure, csv_text, exact
from bnnsim.simulation import Simulation
from bnnsim.timing.bottleneck import Bottleneck
from bnnsim.timing.streaming.bottleneck import own_intervals
from bnnsim.timing.streaming.programs.graph import build_timing

_SHOWN = 12
"""Units whose work is shown at once."""


@dataclass(frozen=True)
class UnitWork:
    """Cycles a frame that a unit needs by itself, words always there and room for all it makes."""

    name: str
    layer: str
    cycles_a_frame: int


@dataclass(frozen=True)
class BottleneckInfo:
    """What limits, as the simulation found it, and what each unit needs by itself.

    ``found`` is None where the interval is not proven: ``reason`` then says why.
    """

    found: Bottleneck | None
    reason: str
    work: tuple[UnitWork, ...]

    @property
    def limiting(self) -> tuple[str, ...]:
        """Units that limit; none where FIFOs do, or nothing is proven."""
        return self.found.limiting_units if self.found else ()

    @property
    def slowest_cycles(self) -> int:
        """Cycles a frame of the slowest unit by itself."""
        return max(unit.cycles_a_frame for unit in self.work)


def bottleneck_info(design: Design, simulation: Simulation) -> BottleneckInfo:
    """The record behind the sentence."""
    return BottleneckInfo(
        simulation.bottleneck, simulation.initiation_interval_basis, unit_work(design)
    )


def unit_work(design: Design) -> tuple[UnitWork, ...]:
    """Each unit's own cycles a frame, in the network's order."""
    units = design.graph.unit_by_name
    return tuple(
        UnitWork(name, units[name].layer, -(-cycles.numerator // cycles.denominator))
        for name, cycles in own_intervals(build_timing(design.graph)).items()
    )


def bottleneck_sentence(info: BottleneckInfo) -> str:
    """What limits the design, as HTML."""
    if info.found is None:
        return (
            f"What limits is not known, for the interval is not: {escape(info.reason)}. The slowest unit "
            f"by itself needs {exact(info.slowest_cycles)} cycles a frame."
        )
    return f"{escape(info.found.text)}."


def work_figure(info: BottleneckInfo) -> Figure:
    """Each unit's own work a frame against the interval, longest first."""
    interval = info.found.interval_cycles if info.found else 0
    longest = max(interval, info.slowest_cycles)
    ordered = sorted(info.work, key=lambda unit: -unit.cycles_a_frame)
    rows = [
        f'<li class="{"limit" if unit.name in info.limiting else ""}"><span>{escape(unit.name)}</span>'
        f'<i style="width:{100 * unit.cycles_a_frame / longest:.2f}%"></i>'
        f"{exact(unit.cycles_a_frame)}</li>"
        for unit in ordered
    ]
    note = (
        "Cycles that each unit needs by itself, a frame, with words always there and room for all it "
        "makes: the longest is the fastest that frames can follow each other, whatever the FIFOs."
    )
    if interval:
        note += f" Measured interval: {exact(interval)} cycles."
    csv = csv_text(
        ("unit", "layer", "work_cycles_a_frame"),
        [(unit.name, unit.layer, unit.cycles_a_frame) for unit in ordered],
    )
    body = f'<ul class="bars pace">{"".join(rows[:_SHOWN])}</ul>'
    if len(rows) > _SHOWN:
        body += (
            f"<details><summary>The other {len(rows) - _SHOWN} units</summary>"
            f'<ul class="bars pace">{"".join(rows[_SHOWN:])}</ul></details>'
        )
    return Figure("pace", "Work a frame [cycles]", note, body, csv)
