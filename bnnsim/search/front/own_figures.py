"""Figures of a user's own: functions of a design's evaluation that a search wants or bounds."""

from __future__ import annotations

import hashlib
import inspect
import math
import pickle
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation import Evaluation, evaluate_design
from bnnsim.search.front.objectives import METRICS, ROBUST
from bnnsim.simulation.options import RunOptions
from bnnsim.simulation.stimulus import TimingOnly
from bnnsim.spec.faults import Fault, InputError, SpecError

OwnFigure = Callable[[Evaluation], float | None]
"""A figure of a design from its evaluation (timing only); None where the design has none."""
PLACE = "own_figures"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class OwnFigures:
    """Functions of an evaluation by the names that objectives and constraints know them by."""

    functions: Mapping[str, OwnFigure]

    def of(self, design: Design | EngineDesign) -> dict[str, float]:
        """The figures of a design; those that its functions give None for are left out.

        What a function raises goes on. Raises :class:`InputError` for what is no finite number.
        """
        if not self.functions:
            return {}
        options = RunOptions(frames=1, timing_only=True)
        evaluation = evaluate_design(design, TimingOnly(), options)
        found = {name: function(evaluation) for name, function in self.functions.items()}
        return {name: _number(name, value) for name, value in found.items() if value is not None}

    @property
    def digests(self) -> dict[str, str]:
        """What tells whether functions are the same as before: the first 16 digits of the SHA-256 of each
        one's source, or of its name where the source is not known. What it calls is not in it."""
        return {
            name: hashlib.sha256(_source(function).encode()).hexdigest()[:16]
            for name, function in self.functions.items()
        }

    @property
    def are_importable(self) -> bool:
        """Whether other processes can have the functions: each at the top of an imported module."""
        return all(_is_importable(function) for function in self.functions.values())


NONE = OwnFigures({})


def own_figures(functions: Mapping[str, OwnFigure], knobs: Iterable[str]) -> OwnFigures:
    """The ``functions``, checked; ``knobs`` are names that the space has given away.

    Raises :class:`SpecError` with every name that is none or not free, and all that cannot be called.
    """
    faults = []
    for name, function in functions.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            faults.append(Fault(PLACE, 0, "", "names such as luts_a_frame", repr(name)))
        elif name in METRICS or name in knobs:
            taken = "a figure of bnnsim" if name in METRICS else "a knob of the space"
            faults.append(Fault(PLACE, 0, "", f"names that are free ({name} is {taken})", repr(name)))
        if not callable(function):
            got = type(function).__name__
            faults.append(Fault(PLACE, 0, str(name), "a function of an Evaluation", got))
    if faults:
        raise SpecError(faults)
    return OwnFigures(dict(functions))


def are_own(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that no figure of this project has, in their order."""
    return [name for name in names if name not in METRICS and name not in ROBUST]


def _number(name: str, value: Any) -> float:
    if not isinstance(value, Real) or not math.isfinite(value):
        raise InputError(f"{PLACE}: {name}", "a finite number, or None where there is none", repr(value))
    return int(value) if isinstance(value, Integral) else float(value)


def _source(function: OwnFigure) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return f"{type(function).__qualname__} {getattr(function, '__qualname__', '')}"


def _is_importable(function: OwnFigure) -> bool:
    if getattr(function, "__module__", None) == "__main__":
        return False  # of a script, a notebook or a prompt, which other processes do not run
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True
