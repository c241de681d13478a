"""How a second opinion on a design's modules is printed."""

from __future__ import annotations

from collections.abc import Callable

from bnnsim.cli.facts import show_facts
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.cost.error_bars import SHARE
from bnnsim.cost.second_opinion import SynthesisedUnit, SynthesisReport

LARGEST_MODULES = 24


def show_synthesis(report: SynthesisReport) -> None:
    """Print the largest modules by model and tool, then what all come to."""
    shown = report.units[:LARGEST_MODULES]
    title = f"Model against {report.tool}: the {len(shown)} largest modules of {len(report.units)}"
    pairs = ("FF", "Yosys"), ("BRAM18", "Yosys")
    table = FittedTable(
        title,
        [
            *(Column("module, first of its kind", "name"), Column("times", rank=3), Column("LUT")),
            *(Column(f"{SHARE:.0%} within", rank=1), Column("Yosys")),
            *(Column(name, rank=2 if pair[0] == "BRAM18" else 0) for pair in pairs for name in pair),
        ],
    )
    for unit in shown:
        inside = f"{unit.lut_low:,} to {unit.lut_high:,}"
        luts = f"{unit.synthesised_lut:,}" + ("" if unit.is_within else " !")
        ffs = f"{unit.synthesised_ff:,}" + ("" if unit.is_counted else " !")
        blocks = f"{unit.bram18:,}", f"{unit.synthesised_bram18:,}"
        counts = f"{unit.count}", f"{unit.lut:,}", inside, luts, f"{unit.ff:,}", ffs
        table.add(unit.name, *counts, *blocks)
    table.show()
    show_facts(_lines(report), 11)


def _lines(report: SynthesisReport) -> list[tuple[str, str]]:
    def both(
        name: str, model: Callable[[SynthesisedUnit], int], tool: Callable[[SynthesisedUnit], int]
    ) -> str:
        mine = sum(unit.count * model(unit) for unit in report.units)
        theirs = sum(unit.count * tool(unit) for unit in report.units)
        return f"{mine:,} {name} (Yosys {theirs:,})"

    whole = (
        both("LUT", lambda u: u.lut, lambda u: u.synthesised_lut),
        both("FF", lambda u: u.ff, lambda u: u.synthesised_ff),
        both("BRAM18", lambda u: u.bram18, lambda u: u.synthesised_bram18),
        both("DSP", lambda u: u.dsp, lambda u: u.synthesised_dsp),
    )
    within = sum(unit.is_within for unit in report.units)
    counted = sum(unit.is_counted for unit in report.units)
    count = len(report.units)
    lines = [
        ("modules", "; ".join(whole) + "; without ports to memory and the platform"),
        ("agree", f"LUT within the interval: {within} of {count}; FF equal: {counted} of {count}"),
        ("synthesis", f"{report.tool}, {report.options}"),
    ]
    if report.others:
        others = f"{len(report.others)} units and streams of other libraries: published designs"
        lines.append(("anchored", others))
    return lines
