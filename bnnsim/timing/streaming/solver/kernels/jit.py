"""How the solver's functions are compiled.

Entry points are compiled as a whole and cached on disk. Numba tells a stale one by the file that it
stands in and by the values that it closes over; so each closes over a stamp of all files in whose folders
compiled code lies.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from types import CellType, FunctionType
from typing import Any, TypeVar

from numba.core.options import DefaultOptions

from bnnsim.arrays.jit import njit
from bnnsim.timing.streaming.programs.strides import __file__ as strides_file

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"nogil": True, "no_cfunc_wrapper": True}
if hasattr(DefaultOptions, "_nrt"):
    # The kernels only fill arrays that they were given; counting references at each of their many small
    # calls would take three quarters of the time (measured).
    _OPTIONS["_nrt"] = False
_FOR_KERNELS: dict[str, Any] = {"no_cpython_wrapper": True}


def _stamp() -> int:
    """A number that changes with any of the sources, and with how programs are laid out."""
    stamp = 0
    for source in (Path(strides_file), *sorted(Path(__file__).parents[1].rglob("kernels/*.py"))):
        stamp = zlib.crc32(source.read_bytes(), stamp)
    return stamp


_STAMP = CellType(_stamp())


def inner(function: F) -> F:
    """Compile a function, once for itself and once in each that calls it; Python cannot, which saves a
    quarter of the time."""
    compiled: F = njit(**_OPTIONS, **_FOR_KERNELS)(function)
    return compiled


def part(function: F) -> F:
    """Put a function's code into the one that calls it, which takes less time where that is small.

    Branches on constants that it is given are not compiled.
    """
    compiled: F = njit(inline="always", **_OPTIONS)(function)
    return compiled


def entry(function: F) -> F:
    """Compile a function that Python calls, and cache the code on disk."""
    stamped = FunctionType(
        function.__code__.replace(co_freevars=("stamp",)),
        function.__globals__,
        function.__name__,
        closure=(_STAMP,),
    )
    stamped.__module__, stamped.__doc__ = function.__module__, function.__doc__
    compiled: F = njit(cache=True, **_OPTIONS)(stamped)
    return compiled
