"""What ``rtl`` and ``check-rtl`` have to say, as a record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from bnnsim.files.schema_version import versioned
from bnnsim.rtl.verification import Verification


@dataclass(frozen=True)
class HardwareCheck:
    """A folder of hardware and what its bench found."""

    folder: str
    """The folder."""
    units: int
    """Units of the design."""
    streams: int
    """Streams of the design."""
    verdict: Literal["equal", "differs", "not_checked"]
    """equal, differs or not_checked."""
    subject: str | None = None
    """What was simulated: Verilog, or a netlist and who made it; null where nothing was."""
    simulator: str | None = None
    """Which simulator, with its version; null where nothing was simulated."""
    run_frames: int | None = None
    """Frames that it ran; null where nothing was simulated."""
    asked_frames: int | None = None
    """Frames of the golden run; null where nothing was simulated."""
    words: int | None = None
    """Words that passed on all streams; null where nothing was simulated."""
    run_cycles: int | None = None
    """Cycles of the run; null where nothing was simulated."""
    wrong_words: int | None = None
    """Words that differ; null where nothing was simulated."""
    wrong_write_cycles: int | None = None
    """Words written in another cycle; null where nothing was simulated."""
    wrong_read_cycles: int | None = None
    """Words read in another cycle; null where nothing was simulated."""
    are_cycles_checked: bool | None = None
    """Whether cycles were compared, not words alone; null where nothing was simulated."""
    difference: str | None = None
    """Stream, word and cycle of the first; null where nothing differs."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))


def hardware_check(
    folder: str, units: int, streams: int, found: Verification | None
) -> HardwareCheck:
    """The record of a folder; ``found`` is None where nothing was simulated."""
    if found is None:
        return HardwareCheck(folder, units, streams, "not_checked")
    exact = found.exact
    return HardwareCheck(
        folder,
        units,
        streams,
        "equal" if found.is_equal else "differs",
        found.subject,
        found.simulator,
        found.frames,
        found.asked_frames,
        exact.words,
        exact.cycles,
        exact.wrong_words,
        exact.wrong_write_cycles,
        exact.wrong_read_cycles,
        exact.checks_cycles,
        None if found.is_equal else found.difference,
    )
