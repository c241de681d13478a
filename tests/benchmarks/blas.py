"""The peer: float32 BLAS as numpy ships it, on a stated number of cores."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

HAS_LIMITS = importlib.util.find_spec("threadpoolctl") is not None


@cache
def _controller() -> Any:
    """Made once: looking for the loaded libraries takes as long as a small product."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def blas_threads(count: int) -> AbstractContextManager[Any]:
    """Let BLAS use ``count`` threads of its own (needs threadpoolctl)."""
    limited: AbstractContextManager[Any] = _controller().limit(limits=count, user_api="blas")
    return limited


def blas_name() -> str:
    """Library and kernels that numpy's BLAS chose on this machine."""
    found: list[dict[str, Any]] = [i for i in _controller().info() if i["user_api"] == "blas"]
    if not found:
        return "BLAS"
    return f"{found[0]['internal_api']} ({found[0].get('architecture', '?')} kernels)"


def sliced(run: Callable[[slice], object], rows: int, cores: int) -> None:
    """``run`` on one slice of the rows for each core, side by side."""
    if cores == 1:
        run(slice(0, rows))
        return
    slices = [slice(rows * k // cores, rows * (k + 1) // cores) for k in range(cores)]
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(run, slices))
