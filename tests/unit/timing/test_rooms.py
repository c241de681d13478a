"""The rooms of the pipelines' timing build on one another, one way."""

from __future__ import annotations

import graphlib
from pathlib import Path

from tests.unit.imported_modules import imports

ROOT = Path(__file__).resolve().parents[3]
STREAMING = "bnnsim.timing.streaming."
BELOW = {
    "result": set(),
    "programs": set(),
    "reference": {"programs", "result"},
    "solver": {"programs", "result"},
    "steady_state": {"programs", "result", "solver"},
    "compiled_run": {"result", "steady_state"},
    "compiled_executor": {"programs", "result", "solver", "steady_state", "compiled_run"},
    "bottleneck": {"programs", "result", "solver", "steady_state", "compiled_run"},
}
"""Per room, or module beside the rooms, those it may import from."""


def _room(module: str) -> str:
    return module.removeprefix(STREAMING).split(".")[0]


def test_each_room_imports_only_from_those_below_it() -> None:
    found: dict[str, set[str]] = {}
    for module, imported in imports(ROOT, "bnnsim").items():
        if module.startswith(STREAMING):
            others = {_room(other) for other in imported if other.startswith(STREAMING)}
            found.setdefault(_room(module), set()).update(others - {_room(module)})
    assert found.keys() == BELOW.keys()
    assert {room for room, others in found.items() if others - BELOW[room]} == set()


def test_the_rooms_stand_in_no_circle() -> None:
    graphlib.TopologicalSorter(BELOW).prepare()
