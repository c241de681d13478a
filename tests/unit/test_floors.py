"""Imports run one way: a module imports only from floors below its own, and stays on its side of it."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.unit.imported_modules import imports, module_paths

Rule = Callable[[str, set[str]], set[str]]
ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "arrays": set(),
    "notebook": set(),
    "version": set(),
    "spec": set(),
    "files": {"spec"},
    "design": {"spec"},
    "functional": {"spec", "files", "design"},
    "timing": {"spec", "design"},
    "cost": {"spec", "design"},
    "datapath": {"spec", "design", "functional"},
    "simulation": {"spec", "files", "design", "functional", "timing", "datapath"},
    "evaluation": {"spec", "design", "functional", "timing", "datapath", "cost", "simulation"},
    "validation": {"spec", "files", "design", "timing", "cost", "simulation", "evaluation"},
    "reference": {"spec"},
    "importers": {"spec", "files", "design", "functional", "reference"},
    "finn": {
        "spec", "files", "design", "functional", "timing", "cost", "simulation", "evaluation",
        "importers",
    },
    "search": {
        "spec", "files", "design", "timing", "cost", "datapath", "simulation", "evaluation",
        "validation",
    },
    "report": {
        "spec", "files", "design", "functional", "timing", "datapath", "cost", "simulation",
        "evaluation", "validation", "search",
    },
    "rtl": {
        "spec", "files", "design", "functional", "timing", "datapath", "cost", "simulation", "report",
    },
    "exploration": {
        "spec", "files", "design", "timing", "cost", "simulation", "evaluation", "validation",
        "search", "report",
    },
}  # fmt: skip
EVERYBODYS = {"arrays", "notebook", "version"}  # import nothing, everybody may import them
CHECK = "bnnsim.importers.check"  # holds what importers made against the reference
TOP = {"cli", "bnnsim", "__main__"}  # may import everything
KINDS = ("streaming", "engine")  # of architecture
NUMBA = re.compile(r"^\s*(from|import) numba\b|^from \S+\.jit import", re.MULTILINE)
MODULES = module_paths(ROOT, "bnnsim")
IMPORTS = imports(ROOT, "bnnsim")


def _floor(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def floors_above(module: str, imported: set[str]) -> set[str]:
    """Floors that a module imports from and may not."""
    floor = _floor(module)
    if floor in TOP:
        return set()
    below = ALLOWED.get(floor, set()) | EVERYBODYS | {floor}
    return {_floor(other) for other in imported} - below


def across_kinds(module: str, imported: set[str]) -> set[str]:
    """Modules of the other kind of architecture, on whatever floor, that a module imports."""

    def kinds(name: str) -> set[str]:
        return set(name.split(".")[2:]) & set(KINDS)

    return {other for other in imported if kinds(module) and kinds(other) - kinds(module)}


def specs_in_kernel(module: str, imported: set[str]) -> set[str]:
    """Modules of the spec that a kernel (a module ``kernel``, a folder ``kernels``) imports."""
    if not {"kernel", "kernels"} & set(module.split(".")):
        return set()
    return _specs(imported)


def specs_in_compiled_code(
    paths: Mapping[str, Path], graph: Mapping[str, set[str]]
) -> dict[str, set[str]]:
    """The same of modules with compiled code, whatever they are called."""
    compiled = [module for module, path in paths.items() if NUMBA.search(path.read_text("utf-8"))]
    found = {module: _specs(graph[module]) for module in compiled}
    return {module: specs for module, specs in found.items() if specs}


def reference_in_importer(module: str, imported: set[str]) -> set[str]:
    """Modules of the reference that an importer imports: a fault that both share would not be seen."""
    if _floor(module) != "importers" or module.startswith(CHECK):
        return set()
    return {other for other in imported if _floor(other) == "reference" or other.startswith(CHECK)}


def _specs(imported: set[str]) -> set[str]:
    return {other for other in imported if _floor(other) == "spec"}


def breaches(rule: Rule, graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What the modules of a graph import against a rule, by module."""
    found = {module: rule(module, imported) for module, imported in graph.items()}
    return {module: wrong for module, wrong in found.items() if wrong}


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_only_from_floors_below(module: str) -> None:
    assert not floors_above(module, IMPORTS[module])


def test_streaming_and_engine_do_not_import_each_other() -> None:
    assert breaches(across_kinds, IMPORTS) == {}


def test_a_kernel_imports_no_spec() -> None:
    assert breaches(specs_in_kernel, IMPORTS) == {}
    assert specs_in_compiled_code(MODULES, IMPORTS) == {}


def test_importers_and_the_reference_do_not_know_each_other() -> None:
    graph = {module: imported for module, imported in IMPORTS.items() if module != "bnnsim.importers"}
    assert breaches(reference_in_importer, graph) == {}
    assert not any(
        _floor(other) == "importers"
        for module, imported in IMPORTS.items()
        if _floor(module) == "reference"
        for other in imported
    )


def test_the_table_of_floors_is_acyclic() -> None:
    graphlib.TopologicalSorter(ALLOWED).prepare()


def test_a_table_of_floors_that_allow_each_other_fails() -> None:
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(ALLOWED | {"design": {"spec", "simulation"}}).prepare()


def test_the_table_names_the_floors_that_exist() -> None:
    assert {_floor(module) for module in MODULES} - TOP - EVERYBODYS == ALLOWED.keys() - EVERYBODYS


def test_planted_imports_are_caught(tmp_path: Path) -> None:
    files = {
        "design/streaming/units.py": "def late() -> None:\n    import bnnsim.timing.engine.schedule\n",
        "timing/engine/schedule.py": "from bnnsim.timing.streaming import graph\n",
        "timing/streaming/graph.py": "from bnnsim.timing.engine.schedule import steps\n",
        "timing/streaming/kernels/step.py": "import numpy\nfrom bnnsim.spec.load import Loaded\n",
        "spec/load.py": "",
        "simulation/engine.py": "from bnnsim.timing.engine.schedule import steps\n",
        "timing/engine/compiled.py": "from numba import njit\nimport bnnsim.spec.load\n",
        "reference/graph.py": "",
        "importers/onnx/network.py": "from bnnsim.reference.graph import run\n",
        "importers/check/check.py": "from bnnsim.reference.graph import run\n",
    }
    for name, text in files.items():
        (tmp_path / "bnnsim" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bnnsim" / name).write_text(text, encoding="utf-8")
    found = imports(tmp_path, "bnnsim")
    units, step = "bnnsim.design.streaming.units", "bnnsim.timing.streaming.kernels.step"
    schedule, graph = "bnnsim.timing.engine.schedule", "bnnsim.timing.streaming.graph"
    assert breaches(floors_above, found) == {units: {"timing"}}
    assert breaches(across_kinds, found) == {
        units: {schedule},
        schedule: {graph},
        graph: {schedule},
    }
    shared = {"bnnsim.importers.onnx.network": {"bnnsim.reference.graph"}}
    assert breaches(reference_in_importer, found) == shared
    assert breaches(specs_in_kernel, found) == {step: {"bnnsim.spec.load"}}
    compiled = {"bnnsim.timing.engine.compiled": {"bnnsim.spec.load"}}
    assert specs_in_compiled_code(module_paths(tmp_path, "bnnsim"), found) == compiled


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_prints_or_exits(module: str) -> None:
    if _floor(module) == "cli":
        return
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "exit", "sys.exit", "quit"), f"{module}:{node.lineno}"
