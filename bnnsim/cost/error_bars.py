"""How far an estimate may be off: an interval around every cost.

The intervals rest on residuals (``residuals.yaml``): what published designs reported against what the
models say of them without having seen anything by the same authors. Designs of one family err alike, so
every family counts the same, however many designs it has. A residual is the logarithm of reported over
estimated, both with a small amount added where a few pieces more or less say nothing.

Nothing is fitted here: ``tools/fit_costs.py`` writes the residuals, and a test holds them to the models.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.streaming.units import Mvau
from bnnsim.spec.faults import SpecError
from bnnsim.spec.model import SpecModel
from bnnsim.spec.yaml.source import read_source
from bnnsim.spec.yaml.validate import validate

RESIDUALS_FILE = Path(__file__).resolve().parent / "residuals.yaml"
SHARE = 0.8
"""Of the designs that an estimate might be of, so many lie inside its interval."""
ENDS = ("p10", "p90")
"""The two ends of an interval: one design in ten is below the first, one above the second."""
INFERRED = "inferred structure"
_ANY = "any kind"
_HLS = {"vivado_hls": "Vivado HLS", "vitis_hls": "Vitis HLS"}
"""Who made HLS units: the two err each in their own way."""
UNSEEN = "no placed design of this kind is known"
UNMEASURED = "no design of this kind with measured watts is known"
PIECES = {"bram18": 2, "dsp": 4, "m20k": 2, "uram": 2}
"""So many pieces more or less say nothing: a loop bound, a buffer that moved to LUTs."""
TOOL_VERSIONS = {"lut": 0.10, "ff": 0.10}
"""By how much one source differs between versions of the tool, as a share: BNN-PYNQ's CNV W1A1 placed by
three Vivados takes 30,605, 25,770 and 26,072 LUTs and 34,645, 42,269 and 41,312 flip-flops, its LFC by
four 31,046, 30,249, 25,358 and 28,360 LUTs. No interval is narrower, whatever few families say."""
RESTS_ON = {
    "lut": "lut", "lutram": "lutram", "ff": "ff", "bram18": "bram18", "uram": "bram18", "dsp": "dsp",
    "alm": "alm", "m20k": "m20k", "power_w": "power_w", "energy_per_frame_uj": "power_w",
    "fps_per_w": "power_w", "fps_per_klut": "lut",
}  # fmt: skip
"""The residuals that each figure's interval comes from; other figures are exact."""
FOLLOWS_LOGIC = ("ff", "lutram")
"""What logic brings with it: where hardly anybody reported it, it is at least as unsure as the LUTs."""
NORMAL_90 = 1.2815515655446004
"""Standard deviations to the 90th percentile of a normal distribution."""


class Residual(SpecModel):
    """What a published design reported against its blind estimate."""

    quantity: str
    design: str
    family: str
    """Who made the design: families count the same."""
    kind: str
    """What kind of structure it is (:func:`structure_kind`)."""
    residual: float
    """Natural logarithm of reported over estimated."""


class _Residuals(SpecModel):
    residuals: list[Residual]


@dataclass(frozen=True)
class ErrorBar:
    """Within what a cost lies, with the probability ``share``."""

    low: float
    """The lower end."""
    high: float
    """The upper end."""
    share: float
    """How likely the interval is to hold what would be placed or measured."""
    families: int
    """Of how many independent families of published designs the interval comes."""
    note: str
    """Why it is wider than others; mostly empty."""

    def __str__(self) -> str:
        return f"{_short(self.low)} to {_short(self.high)}, {self.share:.0%}"


def structure_kind(design: Design | EngineDesign) -> str:
    """What kind of structure a design is: kinds err each in their own way.

    A pipeline of several libraries is of the kind that most of its MVAUs' lanes (PE x SIMD) are; of two
    with as many, of the one that no HLS made, which is less known.
    """
    spec = design.architecture
    if spec.structure == "inferred":
        return INFERRED
    if design.device.vendor == "intel":
        return "Intel part"
    if isinstance(design, EngineDesign):
        if design.streaming_prefix is not None:
            return "engine behind a pipeline"
        given = all(array.circuits is not None for array in design.architecture.arrays.values())
        return "engine" if given else "engine with derived circuits"
    names = {"hls": _HLS[design.architecture.hls_tool], "rtl": "RTL", "own": "own"}
    lanes: Counter[str] = Counter()
    for unit in design.graph.units:
        if isinstance(unit.parameters, Mvau):
            lanes[names[unit.library]] += unit.parameters.pe * unit.parameters.simd
    if not lanes:
        return "wired pipeline"
    most = max(lanes, key=lambda name: (lanes[name], name not in _HLS.values(), name))
    return f"{most} pipeline"


def error_bar(figure: str, value: float, kind: str) -> ErrorBar | None:
    """The interval around one figure of a design of this kind; None for a figure that is exact."""
    width = half_width(figure, kind)
    if width is None:
        return None
    low, high = (percentile(figure, value, kind, end) for end in ENDS)
    if isinstance(value, int):
        low, high = math.floor(low), math.ceil(high)
    return ErrorBar(low, high, SHARE, width.families, width.note)


def plain_name(figure: str) -> str:
    """The figure that a percentile is of: ``lut`` for ``lut.p90``."""
    return figure.partition(".")[0]


def percentile(figure: str, value: float, kind: str, end: str) -> float:
    """One end of the interval around a figure: ``p10`` or ``p90``, not rounded."""
    width, pieces = half_width(figure, kind), PIECES.get(figure, 0)
    if width is None or value == 0:
        return value
    size = width.size if end == "p90" else -width.size
    return max(0.0, (value + pieces) * math.exp(size) - pieces)


@dataclass(frozen=True)
class HalfWidth:
    """Half of an interval, as a logarithm, and what it rests on."""

    size: float
    families: int
    note: str = ""


@lru_cache(maxsize=1024)
def half_width(figure: str, kind: str) -> HalfWidth | None:
    """Half of the interval of a figure of designs of this kind; None where the figure is exact.

    A kind that several families are known of has its own; one that a single family is known of is at
    least as wide as all known kinds together. One that was never measured has the widest there is.
    Registers, LUTRAM and watts of which fewer than two families are known are as unsure as the logic, at
    least. None is narrower than what the version of the tool makes of one source.
    """
    quantity = RESTS_ON.get(figure)
    return None if quantity is None else width_of(residuals(), quantity, kind)


def width_of(rows: Sequence[Residual], quantity: str, kind: str) -> HalfWidth:
    """As :func:`half_width`, of these residuals."""
    width = _width_by_residuals(rows, quantity, kind)
    least = math.log(1 + TOOL_VERSIONS.get(quantity, 0.0))
    if quantity in FOLLOWS_LOGIC and width.families < 2:
        least = max(least, width_of(rows, "lut", kind).size)
    return width if width.size >= least else replace(width, size=least)


def _width_by_residuals(rows: Sequence[Residual], quantity: str, kind: str) -> HalfWidth:
    known = [row for row in rows if row.quantity == quantity]
    alike = [row for row in known if row.kind == kind]
    families = len({row.family for row in alike})
    if families > 1:
        return HalfWidth(_quantile(alike), families)
    if quantity == "power_w" and kind != _ANY:
        # Watts that hardly anybody measured are at least as unsure as the logic that takes them.
        logic, watts = width_of(rows, "lut", kind), width_of(rows, "power_w", _ANY)
        return HalfWidth(max(logic.size, watts.size), families, "" if families else UNMEASURED)
    seen = [row for row in known if row.kind != INFERRED]
    if families == 1:
        return HalfWidth(max(_quantile(alike), _quantile(seen or known)), 1)
    kinds: dict[str, list[Residual]] = defaultdict(list)
    for row in known or [row for row in rows if row.quantity == "lut"]:
        kinds[row.kind].append(row)
    return HalfWidth(max(map(_quantile, kinds.values())), 0, UNSEEN)


def deviation(figure: str, kind: str, other: str) -> float:
    """Standard deviation of the logarithm of one design's figure over another's, by the models' errors.

    Two designs of a kind share what their kind has in common, and differ by what designs within a family
    do; designs of different kinds have each their own error. 0 for a figure that is exact.
    """
    quantity = RESTS_ON.get(figure)
    if quantity is None:
        return 0.0
    if kind == other:
        return math.sqrt(2) * spread(quantity)
    widths = [half_width(figure, one) for one in (kind, other)]
    return math.hypot(*(width.size / NORMAL_90 for width in widths if width is not None))


@lru_cache(maxsize=64)
def spread(quantity: str) -> float:
    """Standard deviation of the residuals within a family: what two designs of a kind differ by chance.

    What a family has in common is in both and says nothing of which is better.
    """
    return spread_of(residuals(), quantity)


def spread_of(rows: Sequence[Residual], quantity: str) -> float:
    """As :func:`spread`, of these residuals; families of which one design is known say nothing."""
    families: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row.quantity == quantity:
            families[row.family, row.kind].append(row.residual)
    squares = degrees = 0.0
    for values in families.values():
        mean = sum(values) / len(values)
        squares += sum((value - mean) ** 2 for value in values)
        degrees += len(values) - 1
    if not degrees:
        known = [row for row in rows if row.quantity == quantity]
        return _quantile(known) / NORMAL_90 if known else spread_of(rows, "lut")
    return math.sqrt(squares / degrees)


@lru_cache(maxsize=1)
def residuals() -> tuple[Residual, ...]:
    """The stored residuals."""
    found, faults = validate(_Residuals, read_source(RESIDUALS_FILE))
    if found is None or faults:
        raise SpecError(faults)
    return tuple(found.residuals)


def residual_of(quantity: str, reported: float, estimated: float) -> float:
    """The logarithm of reported over estimated."""
    pieces = PIECES.get(quantity, 0)
    return math.log((reported + pieces) / (estimated + pieces))


def _quantile(rows: Sequence[Residual]) -> float:
    """The smallest size that ``SHARE`` of the residuals do not exceed, every family counting the same."""
    sizes: Mapping[str, list[float]] = defaultdict(list)
    for row in rows:
        sizes[row.family].append(abs(row.residual))
    return share_quantile(sizes.values(), SHARE)


def share_quantile(groups: Collection[Sequence[float]], share: float) -> float:
    """The smallest size that a ``share`` of all sizes do not exceed, every group counting the same."""
    weighted = sorted((size, 1 / len(group) / len(groups)) for group in groups for size in group)
    held = 0.0
    for size, weight in weighted:
        held += weight
        if held >= share - 1e-9:
            return size
    return weighted[-1][0]


def _short(value: float) -> str:
    """Whole pieces as they are; all else with three digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
