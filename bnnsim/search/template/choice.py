"""Which sizes of a template are fastest on a part: all are built and costed, and timed exactly but for
those that their work or their transfers alone make slower than the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Literal

from bnnsim.cost.clock import fastest_proven_mhz
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.network.network import Network, check_network
from bnnsim.evaluation.figures import DesignFigures, figures_of
from bnnsim.search.template.spec import KINDS, Kind, Sizes, engine_data, multiplies
from bnnsim.search.template.spill import Spill, spill_to_fit
from bnnsim.spec.bounds import MAX_NAME
from bnnsim.spec.device import Device
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.load import Loaded, load_device, load_workload
from bnnsim.spec.model import check_name
from bnnsim.spec.workload import WeightedLayer, Workload
from bnnsim.spec.yaml.write import architecture_text
from bnnsim.timing.engine.mapping.choice import with_free_loops
from bnnsim.timing.engine.steady_state import least_interval
from bnnsim.timing.mapped import mapped_design

OUTPUTS = (4, 8, 16, 32, 64)
INPUTS = (16, 32, 64, 128)
FACTORS = (4, 16, 32)
"""Output channels at once of the array that multiplies, beside one of signs."""
MOST_LANES = 1 << 15
"""Multiply-accumulates a cycle: more fit no part here."""
UNBOUNDED = 1 << 62
BLOCK_BITS = 18 * 1024
MOST_MHZ = 2000
SAME = 1.001
"""Of designs no further apart than this the smaller is taken."""


@dataclass(frozen=True)
class Template:
    """The fastest engine of a kind that fits."""

    kind: Kind
    sizes: Sizes
    spec: EngineArchitecture
    figures: DesignFigures
    tried: int
    workload: str
    is_mapped: bool = False
    """Whether the loops are chosen and not the template's."""

    @property
    def fps(self) -> float:
        return self.figures.figures["throughput_fps"]

    def text(self) -> str:
        """The spec with every default said, and what it gives on top."""
        found = self.figures.figures
        spec = self.spec
        what = (
            f"bnnsim new engine: {self.kind}, {self.sizes.outputs} output and {self.sizes.inputs} input "
            f"channels at once, for {self.workload} on {spec.device}"
            f"{', loops chosen layer by layer' if self.is_mapped else ''}"
        )
        costs = ("alm", "m20k") if found["alm"] else ("lut", "bram18")  # by vendor
        taken = ", ".join(f"{found[name]:,.0f} {name.upper()}" for name in costs)
        gives = (
            f"{self.fps:,.1f} FPS at {spec.clock_mhz:g} MHz, {taken}: "
            f"the fastest of {self.tried} that fit, by exact timing"
        )
        return architecture_text(spec, (what, gives), with_defaults=True)


def new_engine(
    workload: str | Path,
    device: str | Path,
    kind: Kind | None = None,
    clock_mhz: float | None = None,
    name: str | None = None,
    mapping: Literal["auto"] | None = None,
) -> Template:
    """The fastest engine of ``kind`` (default: of all kinds) for a network on a part.

    With ``mapping`` "auto" the loops of each layer are then chosen, of each kind's fastest, and the
    fastest of these is taken.

    Raises :class:`SpecError` with what bars every size: the network's layers, or the part's budget.
    """
    loaded = load_workload(workload)
    part = load_device(device).spec
    network, faults = check_network(loaded)
    if network is None:
        raise SpecError(faults)
    clock = float(fastest_proven_mhz(part)) if clock_mhz is None else clock_mhz
    if not 0 < clock <= MOST_MHZ:
        raise InputError("--clock-mhz", f"above 0, to {MOST_MHZ} MHz", f"{clock:g}")
    called = f"{network.workload.name[: MAX_NAME - 7]}-engine"
    if name is not None:
        called = check_name(name, "--name")
    if not any(isinstance(node.layer, WeightedLayer) for node in network.nodes.values()):
        raise InputError(network.workload.name, "a network with a layer that has weights", "none")
    chosen = _Choice(network, part, clock, called, loaded)
    kinds = (kind,) if kind else KINDS
    chosen.try_all(kinds, spills(network))
    if mapping == "auto":
        chosen.map_best()
    if chosen.best is not None:
        return replace(chosen.best, tried=chosen.tried)
    if chosen.least is None and chosen.barred:
        raise chosen.barred[0]
    expected = f"a part that holds an engine for {network.workload.name}"
    raise InputError("--device", expected, _over(part, chosen.least))


def spills(network: Network) -> list[Spill]:
    """Ways to keep ever fewer maps on chip, by halving the room for them."""
    found: list[Spill] = []
    spill = spill_to_fit(network, UNBOUNDED)
    while spill is not None and spill not in found:
        found.append(spill)
        spill = spill_to_fit(network, spill.kept_bits // 2)
    return found


class _Choice:
    """The best design so far, and of those that do not fit the one nearest to it."""

    def __init__(
        self, network: Network, part: Device, clock: float, name: str, loaded: Loaded[Workload]
    ) -> None:
        self.network = network
        self.part = part
        self.clock = clock
        self.name = name
        self.loaded = loaded
        self.best: Template | None = None
        self.best_of_kind: dict[Kind, Template] = {}
        self.least: dict[str, float] | None = None
        self.barred: list[SpecError] = []
        self.tried = 0

    def try_all(self, kinds: Sequence[Kind], spilled: Sequence[Spill]) -> None:
        """Every size of every kind, each with the most maps on chip with which it fits, weights in block
        RAM where there is enough."""
        blocks = self.part.bram18
        if blocks is not None:  # maps alone fill the part's memory: any array is too much beside them
            fitting = [one for one in spilled if one.kept_bits <= blocks * BLOCK_BITS]
            spilled = fitting or spilled[-1:]
        nodes = self.network.nodes.values()
        is_mixed = len({multiplies(n) for n in nodes if isinstance(n.layer, WeightedLayer)}) > 1
        every = [Sizes(*one) for one in product(OUTPUTS, INPUTS, FACTORS if is_mixed else (0,))]
        for kind in kinds:
            found: list[tuple[int, int, Sizes, EngineDesign]] = []
            for i, sizes in enumerate(every):
                for spill, in_luts in product(spilled, (False, True)):
                    design = self._fitting(kind, sizes, spill, in_luts)
                    if isinstance(design, EngineDesign):
                        found.append((least_interval(design.program), i, sizes, design))
                    if design is not None:
                        break
            self.tried += len(found)
            for cycles, _, sizes, design in sorted(found, key=lambda one: one[:2]):
                best = self.best_of_kind.get(kind)
                if best is not None and best.fps > SAME * self.clock * 1e6 / max(1, cycles):
                    break
                self._time(kind, sizes, design)

    def _fitting(
        self, kind: Kind, sizes: Sizes, spill: Spill, in_luts: bool
    ) -> EngineDesign | Literal["none"] | None:
        """The engine of these sizes; None where it does not fit, "none" where no memory would help."""
        data = engine_data(self.network, self.part, kind, sizes, self.clock, self.name, spill, in_luts)
        spec = EngineArchitecture.model_validate(data)
        if prod(spec.arrays["pes"].spatial_unrolling.values()) > MOST_LANES:
            return "none"
        try:
            design = mapped_design(spec, self.loaded)
        except SpecError as error:
            self.barred.append(error)
            return None
        over = _too_few(design)
        if over:
            self.least = over if self.least is None or _sum(over) < _sum(self.least) else self.least
            return None
        assert isinstance(design, EngineDesign)
        return design

    def _time(self, kind: Kind, sizes: Sizes, design: EngineDesign) -> None:
        figures = figures_of(design)
        if any(amount > 0 for amount in figures.violations.values()):
            self.tried -= 1
        elif "throughput_fps" in figures.figures:
            name = self.network.workload.name
            self._keep(Template(kind, sizes, design.architecture, figures, 0, name))

    def _keep(self, found: Template) -> None:
        of_kind = self.best_of_kind.get(found.kind)
        if of_kind is None or _is_better(found, of_kind):
            self.best_of_kind[found.kind] = found
        if self.best is None or _is_better(found, self.best):
            self.best = found

    def map_best(self) -> None:
        """Each kind's fastest with loops chosen by exact timing in place of the template's."""
        for found in list(self.best_of_kind.values()):
            free = with_free_loops(found.spec, self.network)
            design = mapped_design(free, self.loaded)
            assert isinstance(design, EngineDesign)
            figures = figures_of(design)
            fits = all(amount <= 0 for amount in figures.violations.values())
            if fits and "throughput_fps" in figures.figures:
                mapped = replace(found, spec=design.architecture, figures=figures, is_mapped=True)
                self._keep(mapped)


def _too_few(design: Design | EngineDesign) -> dict[str, float]:
    """What the part has too little of, and by how much."""
    total, budget = estimate_resources(design).total, design.budget
    return {
        name: getattr(total, name) - allowed
        for name in RESOURCES
        if (allowed := getattr(budget, name)) is not None and getattr(total, name) > allowed
    }


def _sum(over: dict[str, float]) -> float:
    return sum(over.values())


def _is_better(one: Template, other: Template) -> bool:
    if one.fps > SAME * other.fps:
        return True
    smaller = _lut(one.figures) < _lut(other.figures)
    return one.fps * SAME >= other.fps and smaller


def _lut(figures: DesignFigures) -> float:
    return figures.figures["lut"] + figures.figures["alm"]


def _over(part: Device, over: dict[str, float] | None) -> str:
    amounts = [f"{amount:,.0f} {resource} too few" for resource, amount in (over or {}).items()]
    return f"{part.name} ({', '.join(amounts) or 'nothing could be timed'})"
