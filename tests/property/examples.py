"""Claims held on drawn examples: the same ones in every run, some by default, all with ``-m long``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

exactly = settings(
    derandomize=True,
    deadline=None,  # no clock on the wall decides
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
FEW = 150


def few_or_all(number: int) -> list[Any]:
    """Numbers of examples to parametrize with: 150 in every run, ``number`` in the long one."""
    return [FEW, pytest.param(number, marks=pytest.mark.long)]


def hold(claim: Callable[..., None], *drawn: SearchStrategy[Any], examples: int) -> None:
    """Call ``claim`` with ``examples`` many arguments drawn from the strategies."""
    settings(exactly, max_examples=examples)(given(*drawn)(claim))()
