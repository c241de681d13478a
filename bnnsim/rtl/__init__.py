"""Designs as Verilog: every word and every cycle as the simulation says."""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """The package, which scripts call as the function of its name: ``bnnsim.rtl(...)``."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from bnnsim.rtl.write import rtl

        return rtl(*arguments, **options)


sys.modules[__name__].__class__ = _Room
