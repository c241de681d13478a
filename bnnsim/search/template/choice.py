"""Which sizes of a template are fastest on a part: all are built, timed exactly and costed."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

from bnnsim.cost.clock import fastest_proven_mhz
from bnnsim.design.build import build_design
from bnnsim.design.network.network import check_network
from bnnsim.evaluation.figures import DesignFigures, figures_of
from bnnsim.search.template.spec import KINDS, Kind, Sizes, engine_data
from bnnsim.spec.bounds import MAX_NAME
from bnnsim.spec.device import Device
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.load import load_device, load_workload
from bnnsim.spec.model import check_name
from bnnsim.spec.workload import WeightedLayer
from bnnsim.spec.yaml.write import architecture_text

OUTPUTS = (4, 8, 16, 32, 64)
INPUTS = (16, 32, 64, 128)
MOST_LANES = 1 << 15
"""Multiply-accumulates a cycle: more fit no part here."""
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
        )
        gives = (
            f"{self.fps:,.1f} FPS at {spec.clock_mhz:g} MHz, {found['lut']:,.0f} LUT, "
            f"{found['bram18']:,.0f} BRAM18: the fastest of {self.tried} that were timed exactly and fit"
        )
        return architecture_text(spec, (what, gives), with_defaults=True)


def new_engine(
    workload: str | Path,
    device: str | Path,
    kind: Kind | None = None,
    clock_mhz: float | None = None,
    name: str | None = None,
) -> Template:
    """The fastest engine of ``kind`` (default: of all kinds) for a network on a part.

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
    best: Template | None = None
    tried = 0
    barred: list[SpecError] = []
    least: DesignFigures | None = None
    for one in (kind,) if kind else KINDS:
        for sizes in (Sizes(outputs, inputs) for outputs in OUTPUTS for inputs in INPUTS):
            data = engine_data(network, part, one, sizes, clock, called)
            spec = EngineArchitecture.model_validate(data)
            if prod(spec.arrays["pes"].spatial_unrolling.values()) > MOST_LANES:
                continue
            try:
                figures = figures_of(build_design(spec, loaded))
            except SpecError as error:
                barred.append(error)
                continue
            tried += 1
            if any(amount > 0 for amount in figures.violations.values()):
                least = figures if least is None or _lut(figures) < _lut(least) else least
                continue
            found = Template(one, sizes, spec, figures, 0, network.workload.name)
            if "throughput_fps" in figures.figures and (best is None or _is_better(found, best)):
                best = found
    if best is not None:
        return Template(best.kind, best.sizes, best.spec, best.figures, tried, best.workload)
    if least is None and barred:
        raise barred[0]
    expected = f"a part that holds an engine for {network.workload.name}"
    raise InputError("--device", expected, _over(part, least))


def _is_better(one: Template, other: Template) -> bool:
    if one.fps > SAME * other.fps:
        return True
    smaller = _lut(one.figures) < _lut(other.figures)
    return one.fps * SAME >= other.fps and smaller


def _lut(figures: DesignFigures) -> float:
    return figures.figures["lut"] + figures.figures["alm"]


def _over(part: Device, figures: DesignFigures | None) -> str:
    over = {} if figures is None else figures.violations
    amounts = [f"{amount:,.0f} {resource} too few" for resource, amount in over.items() if amount > 0]
    return f"{part.name} ({', '.join(amounts) or 'nothing could be timed'})"
