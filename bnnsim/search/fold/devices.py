"""Which part: the same network folded for several devices, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bnnsim.search.fold.answer import FoldAnswer
from bnnsim.search.fold.fold import NotFolded, fold
from bnnsim.search.fold.parts import FoldedPart, FoldedParts, part_with
from bnnsim.search.fold.request import FoldObjective
from bnnsim.spec.device import Device
from bnnsim.spec.faults import InputError
from bnnsim.spec.library import shipped_names
from bnnsim.spec.load import Loaded, load_device, load_workload
from bnnsim.spec.streaming.hardware import UnitLibrary
from bnnsim.spec.workload import Workload


@dataclass(frozen=True)
class DeviceAnswer:
    """What one device gives: an ``answer``, or the ``refusal`` in a sentence."""

    device: Device
    answer: FoldAnswer | None
    refusal: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """How large the part is: its logic, of its own vendor's kind, then its block memories."""
        device = self.device
        return device.lut or device.alm or 0, device.bram18 or device.m20k or 0


def devices_named(names: str) -> list[str]:
    """The devices of a list with commas, each once; ``all`` means the shipped ones.

    Raises :class:`InputError` where there is none.
    """
    if names.strip() == "all":
        return shipped_names("device")
    found = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not found:
        raise InputError("--devices", "all, or names with commas", f"'{names}'")
    return found


def fold_for_devices(
    workload: str | Path | Loaded[Workload],
    names: Sequence[str],
    fps: float | None = None,
    clock_mhz: float = 100.0,
    name: str | None = None,
    objective: FoldObjective = "lut",
    units: UnitLibrary = "hls",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[DeviceAnswer, ...]:
    """As :func:`~bnnsim.search.fold.fold.fold` for each device, the smallest part first.

    ``progress`` is called with (devices behind, of so many).

    Raises as that does, but for devices that do not hold the network or are too slow.
    """
    loaded = workload if isinstance(workload, Loaded) else load_workload(workload)
    found = []
    for count, reference in enumerate(names, start=1):
        device = load_device(reference).spec
        try:
            answer = fold(loaded, reference, fps, clock_mhz, name, objective, units=units)
            found.append(DeviceAnswer(device, answer))
        except NotFolded as refused:
            found.append(DeviceAnswer(device, None, str(refused)))
        if progress is not None:
            progress(count, len(names))
    return tuple(sorted(found, key=lambda one: (one.device.vendor != "xilinx", one.size)))


def smallest(found: Sequence[DeviceAnswer]) -> DeviceAnswer | None:
    """The part with the least logic that holds an answer, of the vendor of the first that does.

    An ALM is not a LUT, so parts of two vendors are not compared by size.
    """
    return next((one for one in found if one.answer is not None), None)


def least_power(found: Sequence[DeviceAnswer]) -> DeviceAnswer | None:
    """The part whose answer takes the fewest watts."""
    answers = [one for one in found if one.answer is not None]
    return min(answers, key=lambda one: one.answer.power_w if one.answer else 0.0, default=None)


def folded_parts(found: Sequence[DeviceAnswer], file: Path | None) -> FoldedParts:
    """What ``fold --json`` writes of foldings for parts; ``file`` is the architecture written."""
    small, frugal = smallest(found), least_power(found)
    return FoldedParts(
        tuple(_part(one) for one in found),
        None if small is None else small.device.name,
        None if frugal is None else frugal.device.name,
        None if file is None else str(file),
    )


def _part(one: DeviceAnswer) -> FoldedPart:
    if one.answer is None:
        return FoldedPart(one.device.name, None, {}, None, one.refusal)
    return part_with(one.device, one.answer.folded, one.answer.power_w)
