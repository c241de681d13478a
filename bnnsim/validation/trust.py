"""What may be trusted: systems x kinds of number, met or off, and whether a fit had seen them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from bnnsim.validation.fit import family
from bnnsim.validation.published import PublishedRow

Evidence = Literal["fitted", "family", "blind"]
Group = Literal["cycles", "logic", "registers", "memory", "DSP", "power", "other"]
GROUPS: tuple[Group, ...] = ("cycles", "logic", "registers", "memory", "DSP", "power")
"""Kinds of number, the surest first; what is ``other`` is no forecast of hardware."""
_GROUP_OF: dict[str, Group] = {
    **dict.fromkeys(("lut", "lut_logic", "lutram", "alm"), "logic"),
    "ff": "registers",
    **dict.fromkeys(("bram18", "m20k"), "memory"),
    "dsp": "DSP",
    "power_w": "power",
    **dict.fromkeys(("accuracy_percent", "clock_mhz"), "other"),
}


def group_of(quantity: str) -> Group:
    """Which kind of number a quantity is."""
    return _GROUP_OF.get(quantity, "cycles")


def evidence_of(rows: Sequence[PublishedRow]) -> list[Evidence]:
    """Of each published number whether it was used to fit, shares its authors with one of its kind that
    was or with reports that coefficients of parts were read off, or is blind."""
    fitted: set[tuple[str, str]] = {
        (family(row.system.name), group_of(row.result.quantity))
        for row in rows
        if row.result.role == "calibration"
    }
    fitted |= {(family(row.system.name), group) for row in rows for group in row.system.read_off}
    found: list[Evidence] = []
    for row in rows:
        mine = (family(row.system.name), group_of(row.result.quantity))
        shares: Evidence = "family" if mine in fitted else "blind"
        found.append("fitted" if row.result.role == "calibration" else shares)
    return found


class Judged(Protocol):
    """What of a comparison the table counts."""

    @property
    def system(self) -> str: ...
    @property
    def structure(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def evidence(self) -> str: ...


@dataclass(frozen=True)
class TrustCell:
    """One system's numbers of one kind."""

    system: str
    """The published accelerator."""
    structure: str
    """complete where nothing of it is guessed, else inferred."""
    group: str
    """The kind of number: cycles, logic, registers, memory, DSP or power."""
    met: int
    """Numbers met within their tolerance."""
    off: int
    """Numbers outside it, or capped by the device."""
    not_comparable: int
    """Numbers of which it is not stated what was measured."""
    not_simulated: int
    """Numbers that this tool has no value for."""
    evidence: str
    """The weakest among the numbers that are met or off: fitted, family or blind; empty without any."""


def trust_cells(comparisons: Iterable[Judged]) -> tuple[TrustCell, ...]:
    """A cell for each system and kind of number that something was published of."""
    cells: dict[tuple[str, str], list[Judged]] = {}
    for row in comparisons:
        cells.setdefault((row.system, row.group), []).append(row)
    order: tuple[Evidence, ...] = ("fitted", "family", "blind")
    found = []
    for (system, group), rows in cells.items():
        if group not in GROUPS:
            continue
        verdicts = [row.verdict for row in rows]
        judged = {row.evidence for row in rows if row.verdict in ("met", "off")}
        found.append(
            TrustCell(
                system,
                rows[0].structure,
                group,
                verdicts.count("met"),
                verdicts.count("off"),
                verdicts.count("not comparable"),
                verdicts.count("not simulated"),
                next((one for one in order if one in judged), ""),
            )
        )
    return tuple(found)


def trust_json(cells: Iterable[TrustCell]) -> list[dict[str, Any]]:
    """The cells as plain data."""
    return [asdict(cell) for cell in cells]
