"""Parameter folders made by the tests, written bit by bit from the format's description."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass
class MadeLayer:
    """A layer's matrix (rows, columns) of {0, 1} or of integers of ``weight_bits``, its stored thresholds
    (a number or a list a row), and its folding."""

    matrix: npt.NDArray[np.integer]
    thresholds: list[int] | list[list[int]] | None
    pe: int
    simd: int
    weight_bits: int = 1


def random_layer(
    seed: int,
    rows: int,
    columns: int,
    fold: tuple[int, int],
    limits: tuple[int, int] | None,
) -> MadeLayer:
    """``fold`` is (PE, SIMD); ``limits`` bound the thresholds, None: the layer has none."""
    random = np.random.default_rng(seed)
    matrix = random.integers(0, 2, (rows, columns), np.uint8)
    thresholds = None
    if limits:
        thresholds = [int(t) for t in random.integers(limits[0], limits[1], rows)]
    return MadeLayer(matrix, thresholds, *fold)


def write_layer(folder: Path, index: int, layer: MadeLayer, rows: int | None = None) -> None:
    """Write the layer's files; only the first ``rows`` of the matrix where that is given."""
    pe, simd = layer.pe, layer.simd
    stored = layer.matrix[:rows]
    for p in range(pe):
        with open(folder / f"{index}-{p}-weights.bin", "wb") as file:
            for row in range(p, len(stored), pe):
                for first in range(0, stored.shape[1], simd):
                    word = 0
                    for s in range(simd):
                        bits = layer.weight_bits
                        word |= (int(stored[row, first + s]) & ((1 << bits) - 1)) << s * bits
                    file.write(struct.pack("<Q", word))
        if layer.thresholds is not None:
            with open(folder / f"{index}-{p}-thres.bin", "wb") as file:
                for row in range(p, len(stored), pe):
                    several = np.reshape(layer.thresholds[row], -1).tolist()
                    file.write(struct.pack(f"<{len(several)}q", *several))


def write_trained(folder: Path, network: Path) -> Path:
    """The parameter folder of a decoded CNV: a file for each layer and PE, in the boards' own folding."""
    folder.mkdir(parents=True)
    golden = np.load(network)
    for index, shipped in enumerate(json.loads(bytes(golden["meta_json"]))["layers"]):
        weights = golden[f"l{index}_w"]
        if weights.ndim == 4:
            weights = weights.transpose(0, 2, 3, 1)
        thresholds = golden[f"l{index}_t"].tolist() if f"l{index}_t" in golden else None
        matrix = weights.reshape(len(weights), -1)
        write_layer(folder, index, MadeLayer(matrix, thresholds, shipped["pe"], shipped["simd"]))
    (folder / "classes.txt").write_text("\n".join(str(name) for name in golden["classes"]))
    return folder
