"""One figure of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """``value`` in ``unit``, and ``ratio`` times as fast as ``against``, measured in the same run on as
    many cores. ``ratio`` is None where a figure stands alone."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    note: str = ""
