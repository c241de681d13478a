"""The CIFAR-10 CNV, imported and simulated on the shipped design: the scores that the boards printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnsim.importers.bnn_pynq.network import import_bnn_pynq
from bnnsim.simulation import simulate
from tests.golden.networks import trained
from tests.unit.importers.bnn_pynq.parameter_folders import write_trained

GOLDEN = trained("cnvW1A1_cifar10.npz")
BOARD_SCORES = {
    # printed by the notebooks of Xilinx/BNN-PYNQ on a PYNQ-Z1
    "deer.jpg": [234, 231, 265, 248, 410, 257, 224, 262, 226, 233],
    "car.png": [258, 417, 233, 206, 238, 215, 222, 238, 236, 249],
}


@pytest.mark.parametrize("kept", ["decoded", "original"])
def test_simulated_scores_equal_the_boards(kept: str, tmp_path: Path) -> None:
    """From the network that stands here, and from BNN-PYNQ's own files where they are to be found."""
    if kept == "decoded":
        folder = write_trained(tmp_path / "cnvW1A1", GOLDEN)
    else:
        folder = trained("bnn-pynq") / "cifar10" / "cnvW1A1"
    imported = import_bnn_pynq(folder, "cnv", tmp_path / "out")
    golden = np.load(GOLDEN)
    simulation = simulate("pynq-cnv", imported.workload_path, images=[GOLDEN])
    assert simulation.bit_exact is True
    assert simulation.scores is not None
    assert np.array_equal(np.array(simulation.scores), golden["scores"])
    names = [str(name) for name in golden["image_names"]]
    for picture, scores in BOARD_SCORES.items():
        row = next(i for i, name in enumerate(names) if picture in name)
        assert list(simulation.scores[row][:10]) == scores
