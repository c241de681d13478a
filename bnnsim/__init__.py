"""bnnsim: cycle-level simulation and design-space exploration of Binary Neural Network accelerators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bnnsim.version import __version__ as __version__

if TYPE_CHECKING:
    from bnnsim.evaluation import Evaluation, evaluate
    from bnnsim.exploration.explore import explore
    from bnnsim.exploration.report import ExplorationReport
    from bnnsim.importers import (
        check_model,
        import_bnn_pynq,
        import_finn,
        import_keras,
        import_model,
        import_onnx,
    )
    from bnnsim.report.comparison.comparison import ComparisonInfo
    from bnnsim.report.comparison.named import compare
    from bnnsim.report.write import report
    from bnnsim.rtl.write import rtl
    from bnnsim.search.fifos.sized_architecture import size_fifos
    from bnnsim.search.fifos.sizing import FifoSizing
    from bnnsim.search.fold.answer import FoldAnswer
    from bnnsim.search.fold.fold import fold
    from bnnsim.search.sweep.sweep import Sweep, sweep
    from bnnsim.simulation import Simulation, simulate
    from bnnsim.spec.faults import InputError, SpecError
    from bnnsim.validation.comparison import Validation
    from bnnsim.validation.validate import validate

_HOMES = {
    "Evaluation": "bnnsim.evaluation",
    "evaluate": "bnnsim.evaluation",
    "ExplorationReport": "bnnsim.exploration.report",
    "explore": "bnnsim.exploration.explore",
    "Simulation": "bnnsim.simulation",
    "simulate": "bnnsim.simulation",
    "check_model": "bnnsim.importers",
    "import_bnn_pynq": "bnnsim.importers",
    "import_finn": "bnnsim.importers",
    "import_keras": "bnnsim.importers",
    "import_model": "bnnsim.importers",
    "import_onnx": "bnnsim.importers",
    "InputError": "bnnsim.spec.faults",
    "SpecError": "bnnsim.spec.faults",
    "ComparisonInfo": "bnnsim.report.comparison.comparison",
    "compare": "bnnsim.report.comparison.named",
    "report": "bnnsim.report.write",
    "rtl": "bnnsim.rtl.write",
    "size_fifos": "bnnsim.search.fifos.sized_architecture",
    "FifoSizing": "bnnsim.search.fifos.sizing",
    "FoldAnswer": "bnnsim.search.fold.answer",
    "fold": "bnnsim.search.fold.fold",
    "Sweep": "bnnsim.search.sweep.sweep",
    "sweep": "bnnsim.search.sweep.sweep",
    "Validation": "bnnsim.validation.comparison",
    "validate": "bnnsim.validation.validate",
}

__all__ = [
    "ComparisonInfo",
    "Evaluation",
    "ExplorationReport",
    "FifoSizing",
    "FoldAnswer",
    "InputError",
    "Simulation",
    "SpecError",
    "Sweep",
    "Validation",
    "check_model",
    "compare",
    "evaluate",
    "explore",
    "fold",
    "import_bnn_pynq",
    "import_finn",
    "import_keras",
    "import_model",
    "import_onnx",
    "report",
    "rtl",
    "simulate",
    "size_fifos",
    "sweep",
    "validate",
]


def __getattr__(name: str) -> Any:
    """Load public names when they are first asked for: the command starts faster."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'bnnsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names, also those that are not loaded yet, and no others but Python's own."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
