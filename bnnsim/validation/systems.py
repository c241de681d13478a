"""The specs that simulate a published system, as its publication file names them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bnnsim.design.design import Design, EngineDesign
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.library import shipped_names
from bnnsim.spec.load import Loaded, load_architecture, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate
from bnnsim.timing.mapped import mapped_design
from bnnsim.validation.published import PublishedSystem, SimulatedBy, load_published_rows

_DESIGNS = Path(__file__).resolve().parent / "designs"
"""Specs that exist only to be compared with; not shipped for use."""


@dataclass(frozen=True, eq=False)
class SimulatedSystem:
    """A published system with the specs that simulate it and the design they make."""

    system: PublishedSystem
    architecture: Loaded[Architecture]
    workload: Loaded[Workload]
    design: Design | EngineDesign

    @property
    def structure(self) -> str:
        """``complete`` only where both the publication and the spec leave nothing to guess."""
        known = (self.system.structure, self.architecture.spec.structure)
        return "complete" if known == ("complete", "complete") else "inferred"


@lru_cache(maxsize=1)
def simulated_systems() -> dict[str, SimulatedSystem]:
    """Every published system that specs exist for, by name.

    Raises :class:`SpecError` where a publication names a spec that does not exist or does not fit.
    """
    systems = {row.system.name: row.system for row in load_published_rows()}
    return {
        name: _simulated(system, system.simulated_by)
        for name, system in systems.items()
        if system.simulated_by is not None
    }


def _simulated(system: PublishedSystem, by: SimulatedBy) -> SimulatedSystem:
    architecture = _architecture(by)
    workload = load_workload(_reference(by.workload, "workload"))
    design = mapped_design(architecture, workload)
    return SimulatedSystem(system, architecture, workload, design)


def _reference(name: str, kind: str) -> str | Path:
    if name in shipped_names(kind):
        return name
    suffix = {"architecture": "arch", "workload": "workload"}[kind]
    return _DESIGNS / f"{name}.{suffix}.yaml"


def _architecture(by: SimulatedBy) -> Loaded[Architecture]:
    loaded = load_architecture(_reference(by.architecture, "architecture"))
    if not by.changes:
        return loaded
    data = _changed(loaded.source.data, by.changes)
    source = SourceText(f"{loaded.source.file} with changes", data)
    model: type[StreamingArchitecture] | type[EngineArchitecture] = type(loaded.spec)
    spec, faults = validate(model, source)
    if spec is None or faults:
        raise SpecError(faults)
    return Loaded(spec, source, loaded.path)


def _changed(data: Any, changes: Any) -> Any:
    """``data`` with the keys of ``changes``; mappings are merged, null removes, all else replaces."""
    if not isinstance(data, dict) or not isinstance(changes, dict):
        return changes
    merged = {key: value for key, value in data.items() if changes.get(key, value) is not None}
    for key, value in changes.items():
        if value is not None:
            merged[key] = _changed(data.get(key), value)
    return merged
