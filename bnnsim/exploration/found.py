"""What a search found, as ``explore --json`` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bnnsim.cost.error_bars import ENDS, RESTS_ON
from bnnsim.evaluation.wide_words import WideWord
from bnnsim.files.schema_version import versioned
from bnnsim.search.front.verify import Verification
from bnnsim.search.space.fields import Value
from bnnsim.search.storage.best_known import scale_of
from bnnsim.search.storage.kinds import interval_of, structure_kinds, unbuildable
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.results import DESIGNS, design_commands, design_name


@dataclass(frozen=True)
class FoundDesign:
    """A design of the front, or one that beats a published accelerator."""

    name: str
    """The design's name."""
    is_on_front: bool
    """Whether no other design found beats it."""
    figures: Mapping[str, float]
    """Its figures by the names that objectives have."""
    intervals: Mapping[str, Mapping[str, float]]
    """For each cost the ends (p10, p90) within what four of five such designs lie."""
    knobs: Mapping[str, Value]
    """What was free, and what it is here."""
    wide_words: tuple[WideWord, ...]
    """Words of HLS units of more than 8,191 bits, which HLS cannot build; mostly empty."""
    verification: str
    """How it was re-simulated, or that it was not."""
    is_exact: bool | None
    """Whether the executors agreed, bit by bit; null where it was not re-simulated."""
    file: str | None
    """Its YAML; null where nothing was written."""
    commands: Mapping[str, str]
    """What leads on from it, by what it makes: figures, report, as Verilog; empty without a file."""


@dataclass(frozen=True)
class FoundFront:
    """What a search found."""

    space: str
    """The space's name."""
    workloads: tuple[str, ...]
    """The networks that it was searched with."""
    objectives: tuple[str, ...]
    """Figures with their direction, as --objectives takes them."""
    constraints: tuple[str, ...]
    """Bounds, as --constraint takes them; device and budget bound as well."""
    sampler: str
    """Who proposed designs."""
    seed: int
    """Of the sampler."""
    designs_judged: int
    """Designs with figures or a reason why there are none."""
    designs_feasible: int
    """Of these, designs that keep every bound."""
    reached: float | None
    """The front's hypervolume as a share of what `scale` names; null for a single objective, and where no
    design keeps every bound."""
    scale: str | None
    """What `reached` is a share of; null where it is."""
    interrupted: bool
    """Whether Ctrl-C ended the search."""
    page: str | None
    """The page; null where nothing was written."""
    designs: tuple[FoundDesign, ...]
    """The front, best in the first objective first, then designs that beat a published one."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))


def found_front(
    found: Exploration,
    verifications: Sequence[Verification],
    out: Path | None,
    page: Path | None,
    interrupted: bool,
) -> FoundFront:
    """The record of an exploration, whose results are in ``out``."""
    scale = scale_of(found) if len(found.objectives) > 1 else None
    kinds = structure_kinds(found)
    checks = {check.id: check for check in verifications}
    return FoundFront(
        found.space.name,
        found.space.workloads,
        tuple(objective.text for objective in found.objectives),
        tuple(str(constraint) for constraint in found.constraints),
        found.sampler,
        found.seed,
        len(found.trials),
        len(found.feasible),
        None if scale is None else scale.share(found, found.trials),
        None if scale is None else scale.text,
        interrupted,
        None if page is None else str(page),
        tuple(_design(found, trial, checks.get(trial.id), out, kinds) for trial in found.shown),
    )


def _design(
    found: Exploration,
    trial: TrialRecord,
    check: Verification | None,
    out: Path | None,
    kinds: Mapping[str, str],
) -> FoundDesign:
    name, figures = design_name(found, trial), trial.result.figures
    file = None if out is None else str(out / DESIGNS / f"{name}.yaml")
    ends = {figure: interval_of(trial, figure, kinds) for figure in RESTS_ON if figure in figures}
    return FoundDesign(
        name,
        trial in found.front,
        dict(figures),
        {figure: dict(zip(ENDS, both, strict=True)) for figure, both in ends.items() if both},
        dict(trial.knobs),
        unbuildable(found, trial),
        "not re-simulated" if check is None else check.note,
        None if check is None else check.is_exact,
        file,
        {} if file is None else design_commands(found.space.member(trial.knobs), file, name),
    )
