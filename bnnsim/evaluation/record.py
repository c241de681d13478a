"""A simulated design with what it costs, under one name and unit each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.cost.clock import ClockEstimate
from bnnsim.cost.error_bars import RESTS_ON, ErrorBar, error_bar
from bnnsim.cost.power import FrameEnergy, Power
from bnnsim.cost.second_opinion import SynthesisReport, synthesis_json
from bnnsim.cost.usage import RESOURCES, Capped, Resources, UnitResources
from bnnsim.datapath.engine.toggle_record import ArrayToggles
from bnnsim.datapath.streaming.toggles import ToggleCount
from bnnsim.design.network.node import OPERATIONS_PER_MAC as OPERATIONS_PER_MAC
from bnnsim.evaluation.advice.record import AdviceReport
from bnnsim.evaluation.remark import remark_on
from bnnsim.evaluation.run_figures import RunFigures
from bnnsim.evaluation.wide_words import WideWord
from bnnsim.notebook.picture import Picture
from bnnsim.notebook.table import Row, Table, answer_html
from bnnsim.simulation import Simulation

POWER_BASIS = "chip"

Toggles = ToggleCount | Mapping[str, ArrayToggles]
"""Switching activity counted in a bit-exact run: a pipeline's, or an engine's by array."""


@dataclass(frozen=True)
class Violation:
    """A budget that a design exceeds, and by how much."""

    name: str
    """The resource, or power_w."""
    used: float
    """What the design takes of it."""
    allowed: float
    """The budget."""

    @property
    def amount(self) -> float:
        """How much too many."""
        return self.used - self.allowed


@dataclass(frozen=True)
class Evaluation(RunFigures, Table):
    """A simulated design with what it costs. Rows are units, with their cycles and what they take.

    ``power.activity_source`` says whether the switching activity was measured in a bit-exact run or
    is the default of random data at the design's rate. ``advice`` and ``synthesis`` are there where they
    were asked for.
    What the simulation says is here too: everything that the JSON has, under the same names.

    Example:
        >>> from bnnsim import evaluate
        >>> found = evaluate("pynq-cnv", "cnv", timing_only=True)
        >>> round(found.power_w, 2), round(found.energy_per_frame_uj), found.violations
        (1.82, 596, ())
    """

    simulation: Simulation
    resources: Resources
    power: Power
    clock: ClockEstimate
    energy: FrameEnergy | None
    macs: int
    toggles: Toggles | None
    power_budget_w: float | None
    rate_fps: float
    structure_kind: str
    wide_words: tuple[WideWord, ...] = ()
    """Words of HLS units that HLS cannot build."""
    advice: AdviceReport | None = None
    synthesis: SynthesisReport | None = None

    @property
    def power_w(self) -> float:
        """Watts of the chip and its DRAM at ``rate_fps`` frames a second."""
        return self.power.chip_w

    @property
    def power_basis(self) -> str:
        """What ``power_w`` is the power of."""
        return POWER_BASIS

    @property
    def power_parts_w(self) -> dict[str, float]:
        """Watts by part; they add up to ``power_w``."""
        power = self.power
        return {
            "static": power.static_w,
            "processing_system": power.processing_system_w,
            "dram": power.dram_w,
            "dynamic": power.dynamic_w,
        }

    @property
    def power_by_basis_w(self) -> dict[str, float]:
        """Watts on every basis that is known: the fabric's, the chip's, the rise over idle, a board's."""
        return self.power.by_basis_w

    @property
    def power_rate_fps(self) -> float:
        """Frames a second that watts and energy are of: the throughput, unless another was asked for."""
        return self.rate_fps

    @property
    def activity_source(self) -> str:
        """Where the switching activity is from."""
        return self.power.activity_source

    @property
    def energy_per_frame_uj(self) -> float | None:
        """Microjoules of the chip a frame; None where no interval is proven."""
        return None if self.energy is None else self.energy.total_uj

    @property
    def energy_by_layer_uj(self) -> dict[str, float] | None:
        """The same by layer."""
        return None if self.energy is None else dict(self.energy.by_layer)

    @property
    def resources_by_unit(self) -> tuple[UnitResources, ...]:
        """What each unit and stream takes."""
        return self.resources.units

    @property
    def utilisation(self) -> Mapping[str, float]:
        """Share of each budget; 1 is all."""
        return self.resources.utilisation

    @property
    def capped(self) -> tuple[Capped, ...]:
        """Block memory that does not fit, and what tools would move to LUTs."""
        return self.resources.capped

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every budget exceeded, with the amount."""
        broken = [Violation(e.resource, e.used, e.allowed) for e in self.resources.exceeded]
        budget = self.power_budget_w
        if budget is not None and self.power_w > budget:
            broken.append(Violation("power_w", self.power_w, budget))
        return tuple(broken)

    @property
    def remark(self) -> str:
        """One sentence on power, clock or size beyond any device, or words beyond HLS; else empty."""
        return remark_on(self.resources, self.power_w, self.simulation.clock_mhz, self.wide_words)

    @property
    def error_bars(self) -> dict[str, ErrorBar]:
        """Within what each cost lies with four chances in five, by figure."""
        total = self.resources.total
        values: dict[str, float | None] = {name: getattr(total, name) for name in RESOURCES}
        values |= {
            "power_w": self.power_w,
            "energy_per_frame_uj": self.energy_per_frame_uj,
            "fps_per_w": self.fps_per_w,
            "fps_per_klut": self.fps_per_klut,
        }
        bars = {}
        for name in RESTS_ON:
            value = values[name]
            if value:
                bar = error_bar(name, value, self.structure_kind)
                if bar is not None:
                    bars[name] = bar
        return bars

    @property
    def feasible(self) -> bool:
        """Whether every budget is kept."""
        return not self.violations

    @property
    def achievable_clock_mhz(self) -> float | None:
        """The clock that the model takes to be reachable."""
        return self.clock.achievable_mhz

    @property
    def clock_warning(self) -> str | None:
        """What is wrong with the clock asked for."""
        return self.clock.warning

    @property
    def tops(self) -> float | None:
        """Tera-operations a second in steady state, two a MAC."""
        fps = self.throughput_fps
        return None if fps is None else fps * self.macs * OPERATIONS_PER_MAC / 1e12

    @property
    def tops_per_w(self) -> float | None:
        """``tops`` at ``power_rate_fps`` for each watt of ``power_w``."""
        fps = self.fps_per_w
        return None if fps is None else fps * self.macs * OPERATIONS_PER_MAC / 1e12

    @property
    def fps_per_w(self) -> float | None:
        """``power_rate_fps`` for each watt of ``power_w``."""
        return None if self.energy is None else self.rate_fps / self.power_w

    @property
    def fps_per_klut(self) -> float | None:
        """Frames a second for each thousand LUTs."""
        return self.per(self.resources.total.lut / 1000)

    def per(self, amount: float) -> float | None:
        """Frames a second for each of ``amount``."""
        fps = self.throughput_fps
        return None if fps is None or amount <= 0 else fps / amount

    def __repr__(self) -> str:
        fps, total = self.throughput_fps, self.resources.total
        speed = "no proven interval" if fps is None else f"{fps:,.1f} FPS"
        logic = f"{total.lut:,} LUT, {total.bram18:,} BRAM18" if total.lut else f"{total.alm:,} ALM"
        wrong = "" if self.feasible else f", exceeds {', '.join(v.name for v in self.violations)}"
        figures = f"{speed}, {self.latency_us:,.1f} us, {logic}, {self.power_w:.2f} W{wrong}"
        return f"<Evaluation {self.arch} x {self.workload}: {figures}>"

    def rows(self) -> list[Row]:
        """One row a unit or stream: where its cycles went, where it has some, and what it takes."""
        cycles = {row["name"]: row for row in self.simulation.rows()}
        none = dict.fromkeys(next(iter(cycles.values()), ()))
        return [
            {**none, **cycles.get(unit.name, {}), "name": unit.name, "kind": unit.kind}
            | {"layer": unit.layer}
            | {name: getattr(unit.amounts, name) for name in RESOURCES}
            for unit in self.resources_by_unit
        ]

    def picture(self) -> Picture:
        """Where the cycles of the busiest units went."""
        return self.simulation.picture()

    def _repr_html_(self) -> str:
        total, wrong = self.resources.total, ", ".join(v.name for v in self.violations)
        bars = self.error_bars
        taken = [
            (n, f"{getattr(total, n):,}{f' ({bars[n]})' if n in bars else ''}, {share:.0%} of the device")
            for n, share in self.utilisation.items()
        ]
        rows = [
            *self.simulation.answer(),
            *taken,
            ("power", f"{self.power_w:.2f} W ({self.power_basis}; {bars['power_w']})"),
            ("feasible", f"no: {wrong}" if wrong else "yes"),
        ]
        return answer_html(rows, self.picture())

    def to_json(self) -> dict[str, Any]:
        """The simulation's JSON and the costs, under the same names as in Python (docs/json.md)."""
        total = self.resources.total
        return {
            **self.simulation.to_json(),
            "resources": {name: getattr(total, name) for name in RESOURCES},
            "resources_by_unit": [
                {"name": u.name, "kind": u.kind, "layer": u.layer}
                | {name: getattr(u.amounts, name) for name in RESOURCES}
                for u in self.resources_by_unit
            ],
            "utilisation": dict(self.utilisation),
            "capped": [asdict(c) for c in self.capped],
            "structure_kind": self.structure_kind,
            "error_bars": {name: asdict(bar) for name, bar in self.error_bars.items()},
            "power_w": self.power_w,
            "power_basis": self.power_basis,
            "power_parts_w": self.power_parts_w,
            "power_by_basis_w": self.power_by_basis_w,
            "power_rate_fps": self.power_rate_fps,
            "activity_source": self.activity_source,
            "energy_per_frame_uj": self.energy_per_frame_uj,
            "energy_by_layer_uj": self.energy_by_layer_uj,
            "tops": self.tops,
            "tops_per_w": self.tops_per_w,
            "fps_per_w": self.fps_per_w,
            "fps_per_klut": self.fps_per_klut,
            "achievable_clock_mhz": self.achievable_clock_mhz,
            "advice": None if self.advice is None else asdict(self.advice),
            "synthesis": None if self.synthesis is None else synthesis_json(self.synthesis),
            "clock_warning": self.clock_warning,
            "feasible": self.feasible,
            "remark": self.remark,
            "wide_words": [asdict(word) for word in self.wide_words],
            "violations": [asdict(v) | {"amount": v.amount} for v in self.violations],
        }
