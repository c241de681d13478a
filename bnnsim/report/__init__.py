"""What people look at: the report page, timelines, waveforms, golden vectors, comparisons."""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """The package, which scripts call as the function of its name: ``bnnsim.report(...)``."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from bnnsim.report.write import report

        return report(*arguments, **options)


sys.modules[__name__].__class__ = _Room
