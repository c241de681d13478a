"""The examples in the docstrings of what users call and extend give what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "exploration.explore",
        "search.front.objectives",
        "search.sweep.knobs",
    ],
)
def test_examples_give_what_they_say(module: str) -> None:
    found = doctest.testmod(import_module(f"bnnsim.{module}"))
    assert found.attempted > 0
    assert found.failed == 0
