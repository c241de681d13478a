"""numba's compiler, which says so when it begins with kernels that it keeps on disk."""

from __future__ import annotations

import warnings
from typing import Any

from numba import njit
from numba.core import event
from numba.core.caching import NullCache

from bnnsim.arrays.compilation import CompilationWarning

__all__ = ["njit"]


class _Notice(event.Listener):
    """Warns of the first compilation in a process."""

    is_given = False

    def on_start(self, event: Any) -> None:
        is_kept = not isinstance(event.data["dispatcher"]._cache, NullCache)
        if is_kept and not self.is_given:
            self.is_given = True
            text = "compiling kernels, which takes half a minute and is done once"
            warnings.warn_explicit(text, CompilationWarning, "bnnsim", 1)

    def on_end(self, event: Any) -> None:
        """Nothing: what comes out of the kernels says that they are done."""


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]
