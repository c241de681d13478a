"""Fold against FINN's SetFolding, in FINN's own estimate of LUTs.

FINN's windows have lanes of their own, ours those of their MVAU unless that is dearer: where a few lanes
serve, FINN's estimate finds a window of one lane a few LUTs smaller (5,796 against 5,832 for CNV at 50
FPS). More rates, networks and parts, FIFOs too: ``tests/benchmarks/planning.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.search.fold.finn_rule import set_folding_luts
from bnnsim.search.fold.fold import Folder, fold
from bnnsim.search.fold.request import FoldRequest
from bnnsim.spec.load import load_device, load_workload
from bnnsim.spec.streaming.hardware import LayerHardware
from tests.unit.search.finn_folding import finn_folding, finn_luts, fold_of

RATES = [
    *(("tfc", fps) for fps in (50, 5_000, 70_000, 800_000)),
    *(("mlp-256", fps) for fps in (1_000, 21_000, 230_000)),
    *(("digits", fps) for fps in (1_000, 100_000, 188_362)),
    ("cnv", 3_848),
]


@pytest.mark.parametrize(("name", "fps"), RATES)
def test_fold_takes_no_more_luts_than_finn_s_folding_in_finn_s_estimate(name: str, fps: float) -> None:
    network = resolve_network(load_workload(name))
    theirs = finn_folding(network, 100e6 / fps)
    design = fold(name, "xczu9eg", fps).folded.design
    hardware = {layer: design.architecture.layers[layer] for layer in theirs}
    assert _luts(network, hardware) <= finn_luts(network, theirs)


@pytest.mark.parametrize("device", ["xc7z020", "xczu9eg"])
def test_no_rate_is_so_low_that_finn_s_folding_takes_fewer_luts_in_finn_s_estimate(device: str) -> None:
    loaded = load_workload("cnv")
    network = resolve_network(loaded)
    folder = Folder(FoldRequest(loaded, network, load_device(device).spec, 100.0, "cnv"))
    for fps in np.geomspace(50, 3_000, 24):
        theirs = finn_folding(network, 100e6 / fps)
        choice = folder.cheapest(int(100e6 / fps), folder.budget).choice
        assert choice is not None
        hardware = {layer: choice.options[layer].hardware for layer in theirs}
        assert _luts(network, hardware) <= finn_luts(network, theirs), fps


def _luts(network: Network, hardware: Mapping[str, LayerHardware | None]) -> int:
    """FINN's estimate of ours; of weights in LUTs (``ram_style`` distributed) 64 of a bit in each."""
    folds, in_luts = {}, 0
    for layer, own in hardware.items():
        assert own is not None and own.pe and own.simd
        node = network.nodes[layer]
        folds[layer] = fold_of(node, own.pe, own.simd, own.simd_window)
        if own.weights == "lutram":
            words = node.matrix_height * node.matrix_width // (own.pe * own.simd)
            in_luts += own.pe * own.simd * math.ceil(words / 64)  # weights of one bit
    return finn_luts(network, folds) + in_luts


@pytest.mark.parametrize("name", ["tfc", "cnv"])
def test_the_bound_is_what_finn_s_rule_takes(name: str) -> None:
    network = resolve_network(load_workload(name))
    for fps in (150, 1_000, 2_500, 7_000):
        theirs = finn_luts(network, finn_folding(network, 100e6 / fps))
        bound = set_folding_luts(network, int(100e6 / fps))
        assert bound <= theirs <= 1.05 * bound  # theirs takes fewer cycles than the target, ours as many
