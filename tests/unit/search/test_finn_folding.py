"""Fold against FINN's SetFolding, in FINN's own estimate of LUTs.

FINN's windows have lanes of their own, ours those of their MVAU: where a few lanes serve, FINN's estimate
finds a window of one lane a few LUTs smaller (5,796 against 5,832 for CNV at 50 FPS). Such rates are
measured in ``tests/benchmarks/planning.py`` and not among these.
"""

from __future__ import annotations

import pytest

from bnnsim.design.network.network import resolve_network
from bnnsim.search.fold.finn_rule import set_folding_luts
from bnnsim.search.fold.fold import fold
from bnnsim.spec.load import load_workload
from tests.unit.search.finn_folding import finn_folding, finn_luts, fold_of

RATES = [
    *(("tfc", fps) for fps in (50, 5_000, 70_000, 800_000)),
    *(("mlp-256", fps) for fps in (1_000, 21_000, 230_000)),
    *(("digits", fps) for fps in (1_000, 100_000, 188_362)),
    *(("cnv", fps) for fps in (905, 3_848)),
]


@pytest.mark.parametrize(("name", "fps"), RATES)
def test_fold_takes_no_more_luts_than_finn_s_folding_in_finn_s_estimate(name: str, fps: float) -> None:
    network = resolve_network(load_workload(name))
    theirs = finn_folding(network, 100e6 / fps)
    design = fold(name, "xczu9eg", fps).folded.design
    hardware = design.architecture.layers
    ours = {
        layer: fold_of(network.nodes[layer], pe, simd)
        for layer in theirs
        if (pe := hardware[layer].pe) and (simd := hardware[layer].simd)
    }
    in_luts = [hardware[layer].weights == "lutram" for layer in theirs]
    assert ours.keys() == theirs.keys()
    assert not any(in_luts)  # with weights in block RAM, as FINN's estimate of its own has them
    assert finn_luts(network, ours) <= finn_luts(network, theirs)


@pytest.mark.parametrize("name", ["tfc", "cnv"])
def test_the_bound_is_what_finn_s_rule_takes(name: str) -> None:
    network = resolve_network(load_workload(name))
    for fps in (150, 1_000, 2_500, 7_000):
        theirs = finn_luts(network, finn_folding(network, 100e6 / fps))
        bound = set_folding_luts(network, int(100e6 / fps))
        assert bound <= theirs <= 1.05 * bound  # theirs takes fewer cycles than the target, ours as many
