"""The device that a design is for, and what it may use of it."""

from __future__ import annotations

from bnnsim.spec.accelerator import ArchitectureBase, Budget
from bnnsim.spec.device import Device
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.library import find_spec, shipped_names
from bnnsim.spec.load import load_device
from bnnsim.spec.yaml.source import SourceText


def device_of(name: str, source: SourceText, faults: list[Fault]) -> Device | None:
    """The device an architecture names; None, with the reason in ``faults``, where there is none."""
    try:
        path = find_spec(name, "device")
    except SpecError as error:
        names = ", ".join(shipped_names("device"))
        near = error.faults[0].near
        faults.append(source.fault(("device",), f"one of {names}", repr(name), near))
        return None
    try:
        return load_device(path).spec
    except SpecError as error:
        faults.extend(error.faults)
        return None


def completed_budget(architecture: ArchitectureBase, device: Device) -> Budget:
    """The architecture's budget; what it does not name is what the device holds."""
    given = architecture.budget
    names = ("lut", "lutram", "ff", "bram18", "uram", "dsp", "alm", "m20k")
    held = {name: getattr(device, name) for name in names if getattr(given, name) is None}
    return given.model_copy(update=held)
