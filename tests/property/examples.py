"""Claims held on drawn examples: some in every run, many with ``-m long``, all with ``-m by_hand``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

FEW = 60


def few_or_all(number: int) -> list[Any]:
    """Numbers of examples to parametrize with: in every run, half of ``number`` if long, all by hand."""
    marks = ((number // 2, pytest.mark.long), (number, pytest.mark.by_hand))
    return [FEW, *(pytest.param(count, marks=mark) for count, mark in marks)]


def hold(claim: Callable[..., None], *drawn: SearchStrategy[Any], examples: int) -> None:
    """Call ``claim`` with ``examples`` many arguments drawn from the strategies."""
    settings(max_examples=examples, suppress_health_check=list(HealthCheck))(given(*drawn)(claim))()
