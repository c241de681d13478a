"""How the compiled executor's functions are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit
from numba.core.options import DefaultOptions

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"nogil": True}
if hasattr(DefaultOptions, "_nrt"):
    # The kernels only fill arrays that they were given; counting references at each of their many small
    # calls would take three quarters of the time (measured).
    _OPTIONS["_nrt"] = False


def inner(function: F) -> F:
    """Compile a function into those that call it."""
    compiled: F = njit(**_OPTIONS)(function)
    return compiled


def entry(function: F) -> F:
    """Compile a function that Python calls, and cache the code on disk."""
    compiled: F = njit(cache=True, **_OPTIONS)(function)
    return compiled
