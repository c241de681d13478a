"""What folding a network gives: a design, as YAML and as rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.files.whole import save_text
from bnnsim.notebook.number import figure_text
from bnnsim.notebook.picture import Picture, Series
from bnnsim.notebook.table import Row, Table
from bnnsim.search.fold.folded_design import FoldedDesign
from bnnsim.search.fold.parts import FoldedParts, part_with
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.yaml.write import architecture_text
from bnnsim.timing.streaming.bottleneck import slowest_units
from bnnsim.timing.streaming.programs.graph import build_timing


@dataclass(frozen=True, repr=False)
class FoldAnswer(Table):
    """A design for a request, which brings a frame every ``rate_cycles``.

    ``reason`` says what of it does not fit, where that was asked for. Rows are units.

    Example:
        >>> from bnnsim import evaluate, fold
        >>> answer = fold("tfc", "xc7z020", fps=50_000)
        >>> evaluate(answer.architecture, "tfc", timing_only=True).throughput_fps >= 50_000
        True
    """

    folded: FoldedDesign
    rate_cycles: int
    reason: str = ""

    @property
    def architecture(self) -> StreamingArchitecture:
        """The architecture, as every function here takes it."""
        return self.folded.design.architecture

    @property
    def throughput_fps(self) -> float:
        """Frames a second by exact timing."""
        return self.folded.fps

    def __repr__(self) -> str:
        total = self.folded.resources.total
        logic = f"{total.alm:,} ALM" if total.alm else f"{total.lut:,} LUT, {total.bram18:,} BRAM18"
        wrong = f"; {self.reason}" if self.reason else ""
        return f"<FoldAnswer {self.architecture.name}: {self.throughput_fps:,.1f} FPS, {logic}{wrong}>"

    def rows(self) -> list[Row]:
        """One row a unit: its folding, the cycles a frame that it needs by itself, what it takes.

        What a kind of unit does not have is None, as are the cycles of windows that are far from the
        slowest.
        """
        design = self.folded.design
        alone = slowest_units(build_timing(design.graph))
        takes = {one.name: one for one in self.folded.resources.units}
        memory = "m20k" if self.folded.resources.total.m20k else "bram18"
        logic = "alm" if self.folded.resources.total.alm else "lut"
        return [
            {
                "unit": unit.name,
                "kind": unit.kind,
                "pe": getattr(unit.parameters, "pe", None),
                "simd": getattr(unit.parameters, "simd", None),
                "cycles": math.ceil(alone[unit.name]) if unit.name in alone else None,
                **{name: getattr(takes[unit.name], name) for name in (logic, "ff", memory, "dsp")},
            }
            for unit in design.graph.units
        ]

    def to_json(self) -> dict[str, Any]:
        """What ``fold --json`` writes, under the same names (docs/json.md)."""
        part = part_with(self.folded.design.device, self.folded, self.power_w)
        return FoldedParts((part,), part.device, part.device, None).to_json()

    def picture(self) -> Picture:
        """The cycles a frame that each unit needs by itself: even ones waste least."""
        rows = [row for row in self.rows() if row["cycles"] is not None]
        names, cycles = tuple(row["unit"] for row in rows), tuple(row["cycles"] for row in rows)
        series = (Series("cycles", names, cycles),)
        return Picture("Cycles a frame of each unit alone", "unit", "cycles", series, "stacked")

    def save(self, path: str | Path) -> Path:
        """Write :meth:`text` to a file. Raises ``InputError`` where that cannot be written."""
        return save_text(path, self.text())

    @property
    def power_w(self) -> float:
        """Watts of the chip at that rate."""
        return self.folded.power_w(self.rate_cycles)

    def text(self) -> str:
        """The architecture as YAML, with interval and resources in its header."""
        folded, spec = self.folded, self.folded.design.architecture
        total, cycles = folded.resources.total, folded.interval_cycles
        logic = f"{total.alm:,} ALM" if total.alm else f"{total.lut:,} LUT"
        memory = f"{total.m20k:,} M20K" if total.m20k else f"{total.bram18:,} BRAM18"
        comment = [
            f"{folded.design.network.workload.name}: a frame every {cycles:,} cycles by exact timing "
            f"({figure_text(spec.clock_mhz * 1e6 / cycles, 6)} FPS at {spec.clock_mhz:g} MHz)",
            f"estimate: {logic}, {total.ff:,} FF, {memory}, {total.dsp:,} DSP, {self.power_w:.2f} W at "
            f"{figure_text(spec.clock_mhz * 1e6 / max(cycles, self.rate_cycles), 6)} FPS",
            f"slowest unit: {folded.slowest}",
        ]
        if self.reason:
            comment.append(f"written anyway: {self.reason}")
        return architecture_text(spec, comment)
