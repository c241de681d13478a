"""What an engine's reference executor tells of a run while it goes on."""

from __future__ import annotations

from typing import Protocol

from bnnsim.design.engine.program import Transfer
from bnnsim.timing.engine.result import Activity


class EngineObserver(Protocol):
    """Is told what happens; ``start`` <= cycle < ``end``. A unit's events come in the order of time."""

    def turn(self, part: int, frame: int, start: int, end: int) -> None:
        """A part of the frame had its turn."""

    def controlled(self, part: int, activity: Activity, start: int, end: int) -> None:
        """What the controller did, or waited for, without gaps."""

    def worked(self, unit: str, part: int, start: int, end: int) -> None:
        """An array, a stage or the host worked."""

    def burst(self, op: Transfer, words: int, start: int, end: int) -> None:
        """A burst held its port. A load's words are in the buffer, a store's out of it, at ``end``."""

    def begun(self, op: Transfer, cycle: int) -> None:
        """A transfer of a single buffer begins: a load overwrites what was there, a store empties it."""

    def handed(self, op: Transfer, cycle: int) -> None:
        """What a double buffer loaded is done with, or what it shall store is there."""
