"""Designs from names, paths or specs."""

from __future__ import annotations

from pathlib import Path

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design, EngineDesign
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import Loaded, read_architecture, read_both
from bnnsim.spec.workload import Workload
from bnnsim.timing.mapped import mapped_design

ArchitectureSource = str | Path | Loaded[Architecture] | Architecture
WorkloadSource = str | Path | Loaded[Workload] | Workload


def load_design(
    architecture: ArchitectureSource, workload: WorkloadSource
) -> tuple[Design | EngineDesign, Path | None]:
    """A design, and the folder that its workload's files are relative to; each file is read once.

    Raises :class:`~bnnsim.spec.faults.SpecError` with all faults of both files and of their fit.
    """
    arch, work = read_both(architecture, workload)
    return mapped_design(arch, work), _folder(work)


def load_streaming_design(
    architecture: ArchitectureSource, workload: WorkloadSource, asked_by: str = "", reason: str = ""
) -> tuple[Design, Path | None]:
    """As :func:`load_design`, for what no engine can serve.

    Raises :class:`~bnnsim.spec.faults.SpecError`; where a command (``asked_by``) gives its ``reason``,
    an engine is refused in its words, before the workload is looked at.
    """
    if asked_by:
        if isinstance(architecture, str | Path):
            architecture = read_architecture(architecture)
        spec = architecture.spec if isinstance(architecture, Loaded) else architecture
        if isinstance(spec, EngineArchitecture):
            expected = f"a streaming accelerator ({reason})"
            raise InputError(asked_by, expected, f"the engine {spec.name}")
    arch, work = read_both(architecture, workload)
    return build_streaming_design(arch, work), _folder(work)


def _folder(workload: Loaded[Workload] | Workload) -> Path | None:
    return workload.path.parent if isinstance(workload, Loaded) and workload.path else None
