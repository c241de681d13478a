"""Bounds that do not settle end in no proof, not in sweeps without end."""

from __future__ import annotations

import pytest

from bnnsim.simulation import load_streaming_design
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.solver.bounded import with_bounds
from bnnsim.timing.streaming.solver.kernels import solve
from bnnsim.timing.streaming.solver.solver import Solver, UnsettledError


def test_bounds_that_never_settle_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    design, _ = load_streaming_design("digits-7z020", "digits")
    solver = Solver(build_timing(design.graph), 4)
    solver.advance(2)
    flushing = [number for number, unit in enumerate(solver.graph.units) if not _freezes(unit)]
    bounded = with_bounds(solver, flushing)
    monkeypatch.setattr(solve, "solve_with_bounds", lambda *_: False)
    with pytest.raises(UnsettledError):
        bounded.advance(3)


def _freezes(unit: object) -> bool:
    return bool(getattr(unit.program, "freezes", True))  # type: ignore[attr-defined]
