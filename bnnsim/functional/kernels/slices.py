"""Running a kernel on several cores.

The kernels release the interpreter's lock and each call writes its own part of the output, so plain
threads share the work: one compiled form serves any number of threads, and nothing outlives the call
(a search that forks its workers inherits no thread pool in an unknown state).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

SLICES_PER_THREAD = 4
"""More slices than threads, so that a core that others use holds nobody up for long."""


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_slices(
    kernel: Callable[..., None], count: int, work: int, threads: int, *arguments: object
) -> None:
    """Call ``kernel(*arguments, first, last)`` so that together the calls cover ``range(count)``.

    Up to ``threads`` calls run side by side. ``work`` is the whole work in slices that are just worth
    a thread's while (about 0.2 ms); there are no more slices than that.
    """
    slices = min(threads * SLICES_PER_THREAD, count, work)
    if threads <= 1 or slices <= 1:
        kernel(*arguments, 0, count)
        return
    bounds = [count * k // slices for k in range(slices + 1)]
    with ThreadPoolExecutor(min(threads, slices)) as pool:
        calls = [
            pool.submit(kernel, *arguments, first, last) for first, last in itertools.pairwise(bounds)
        ]
        for call in calls:
            call.result()
