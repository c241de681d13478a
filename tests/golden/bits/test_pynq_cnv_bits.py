"""The CIFAR-10 CNV, imported and simulated on the shipped design: the scores that the boards printed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bnnsim.importers.bnn_pynq.network import import_bnn_pynq
from bnnsim.simulation import simulate
from tests.golden.networks import trained
from tests.unit.importers.bnn_pynq_folders import MadeLayer, write_layer

GOLDEN = trained("cnvW1A1_cifar10.npz")
BOARD_SCORES = {
    # printed by the notebooks of Xilinx/BNN-PYNQ on a PYNQ-Z1
    "deer.jpg": [234, 231, 265, 248, 410, 257, 224, 262, 226, 233],
    "car.png": [258, 417, 233, 206, 238, 215, 222, 238, 236, 249],
}


def _as_bnn_pynq_ships_it(folder: Path) -> Path:
    """The network's parameter folder: a file for each layer and PE, in the boards' own folding."""
    golden = np.load(GOLDEN)
    for index, shipped in enumerate(json.loads(bytes(golden["meta_json"]))["layers"]):
        weights = golden[f"l{index}_w"]
        if weights.ndim == 4:
            weights = weights.transpose(0, 2, 3, 1)
        thresholds = golden[f"l{index}_t"].tolist() if f"l{index}_t" in golden else None
        matrix = weights.reshape(len(weights), -1)
        write_layer(folder, index, MadeLayer(matrix, thresholds, shipped["pe"], shipped["simd"]))
    (folder / "classes.txt").write_text("\n".join(str(name) for name in golden["classes"]))
    return folder


@pytest.mark.parametrize("kept", ["decoded", "original"])
def test_simulated_scores_equal_the_boards(kept: str, tmp_path: Path) -> None:
    """From the network that stands here, and from BNN-PYNQ's own files where they are to be found."""
    if kept == "decoded":
        (tmp_path / "cnvW1A1").mkdir()
        folder = _as_bnn_pynq_ships_it(tmp_path / "cnvW1A1")
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
