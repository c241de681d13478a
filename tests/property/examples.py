"""Claims held on drawn examples: some in every run, the whole table with ``-m long``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

FEW = 150


def few_or_all(number: int) -> list[Any]:
    """Numbers of examples to parametrize with: 150 in every run, ``number`` in the long one."""
    return [FEW, pytest.param(number, marks=pytest.mark.long)]


def hold(claim: Callable[..., None], *drawn: SearchStrategy[Any], examples: int) -> None:
    """Call ``claim`` with ``examples`` many arguments drawn from the strategies."""
    settings(max_examples=examples, suppress_health_check=list(HealthCheck))(given(*drawn)(claim))()
