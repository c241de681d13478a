"""A design's hardware as files: the library, the top, the memories."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from bnnsim.design.design import Design
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.report.waveform.vcd import check_signal_names, signal_name
from bnnsim.rtl.instance import Instance, NoModuleError, unit_values
from bnnsim.rtl.memories import write_rom
from bnnsim.rtl.top import top_text
from bnnsim.rtl.units.registry import unit_instance
from bnnsim.spec.faults import InputError


def design_instances(design: Design, parameters: Parameters) -> dict[str, Instance]:
    """The instance of every unit, by name.

    Raises :class:`~bnnsim.spec.faults.InputError` that names every unit without a module, or two whose
    names would be the same identifier.
    """
    graph = design.graph
    names = [unit.name for unit in graph.units] + [stream.name for stream in graph.streams]
    check_signal_names(names)
    instances: dict[str, Instance] = {}
    missing = []
    for unit in design.graph.units:
        try:
            instances[unit.name] = unit_instance(unit_values(design.graph, unit, parameters))
        except NoModuleError as error:
            missing.append(str(error))
    if missing:
        got = f"{len(missing)} unit{'s' if len(missing) > 1 else ''} without: {'; '.join(missing)}"
        raise InputError(design.name, "units that the hardware library has modules for", got)
    return instances


def write_hardware(design: Design, instances: Mapping[str, Instance], folder: Path) -> None:
    """Write ``rtl/`` (library and top) and ``memories/`` into ``folder``."""
    (folder / "rtl").mkdir(parents=True)
    (folder / "memories").mkdir()
    for file in library_files():
        shutil.copyfile(file, folder / "rtl" / file.name)
    (folder / "rtl" / "top.v").write_text(top_text(design, instances), encoding="utf-8")
    for unit, instance in instances.items():
        for memory in instance.memories:
            write_rom(folder / "memories" / f"{signal_name(unit)}.{memory.name}{memory.owner}", memory)


def library_files() -> list[Path]:
    """The library's Verilog files."""
    with as_file(files("bnnsim.rtl") / "library") as folder:
        return sorted(folder.glob("*.v"))
