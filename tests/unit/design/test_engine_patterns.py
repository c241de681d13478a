"""An engine's layers by pattern: which entry a layer gets, and what no layer takes is a fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bnnsim.spec.workload import Workload
from tests.unit.design.small_engine import built, changed, messages

WORKLOAD = Workload.model_validate(
    {
        "name": "four",
        "input": {"shape": [4, 8, 8]},
        "layers": [
            {"name": name, "op": "conv", "out": 4, "kernel": 3, "pad": 1, "activation": "bipolar"}
            if name.startswith("conv")
            else {"name": name, "op": "max_pool", "kernel": 2}
            for name in ("conv1", "pool1", "conv2", "conv10")
        ],
    }
)


def spec_with(layers: dict[str, Any]) -> dict[str, Any]:
    data = changed(("layers",), layers)
    data["buffers"]["weights"]["words"] = 4096
    data["buffers"]["maps"]["words"] = 4096
    data["programs"]["other"] = data["programs"]["conv"]
    return data


def placed(folder: Path, layers: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    found = built(folder, spec_with(layers), WORKLOAD).architecture.layers
    return {name: (entry.program, entry.within) for name, entry in found.items()}


def test_patterns_give_the_layers_that_fit_them_their_entry(tmp_path: Path) -> None:
    named = {
        "conv1": ("conv", None),
        "pool1": (None, "conv1"),
        "conv2": ("conv", None),
        "conv10": ("conv", None),
    }
    assert placed(tmp_path, {"conv*": {"program": "conv"}, "pool?": {"within": "above"}}) == named
    one_by_one = {
        name: {"program": program} if program else {"within": within}
        for name, (program, within) in named.items()
    }
    assert placed(tmp_path, one_by_one) == named


def test_a_layers_own_entry_goes_first_and_then_the_first_pattern(tmp_path: Path) -> None:
    layers = {
        "conv1?": {"program": "other"},
        "conv*": {"program": "conv"},
        "conv2": {"program": "other"},
        "*": {"within": "conv1"},
    }
    found = placed(tmp_path, layers)
    assert {name: program for name, (program, _) in found.items()} == {
        "conv1": "conv", "pool1": None, "conv2": "other", "conv10": "other",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            {"conv*": {"program": "conv"}, "pool1": {"within": "above"}, "conv1*": {"program": "other"}},
            "layers.conv1*: expected a pattern that fits a layer of workload four without an entry "
            "above, got 'conv1*'",
        ),
        (
            {"conv*": {"program": "con"}, "pool1": {"within": "above"}},
            "layers.conv10.program: expected one of the programs conv, other, got 'con' (nearest: conv)",
        ),
        (
            {"conv?": {"program": "conv"}, "pool1": {"within": "above"}},
            "layers.conv10: expected a program (conv, other) for layer conv10 (conv), got none",
        ),
        (
            {"*": {"within": "above"}},
            "layers.conv1.within: expected a layer before this one that has a program, got 'above'",
        ),
    ],
)
def test_a_pattern_that_is_wrong_is_a_fault(tmp_path: Path, layers: dict[str, Any], message: str) -> None:
    assert message in messages(tmp_path, spec_with(layers), WORKLOAD)
