"""ReBNet's hardware bit by bit: drawn weights, every word of every level against the executor's."""

from __future__ import annotations

import pytest

from bnnsim.simulation import simulate


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_rebnet_computes_every_level_of_every_activation(levels: int) -> None:
    found = simulate(
        f"rebnet-m{levels}", f"rebnet-cifar10-m{levels}", weights_seed=levels, frames=1
    )
    assert found.bit_exact is True
    assert found.scores is not None
    assert len(set(found.scores[0])) > 16  # of 64: not a network that went silent
    assert found.initiation_interval_cycles == levels * 32_768


def test_rebnet_with_one_level_takes_the_cycles_of_bnn_pynqs_cnv() -> None:
    """The same folding and FIFOs; 157,971 is the rules' figure for the board's 158,100 +- 100."""
    assert simulate("rebnet-m1", "rebnet-cifar10-m1", timing_only=True).cycles_total == 157_971
