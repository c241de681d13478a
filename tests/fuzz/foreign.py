"""Fuzzed files of other frameworks: bytes damaged, cut, or one file of a pair taken from another."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.fuzz.case import Case
from tests.fuzz.mutation import damaged_bytes

_FILES = Path(__file__).resolve().parents[1] / "golden" / "imported"
_SINGLE = ("larq/thresholds.tflite", "larq/shortcuts.tflite", "larq/shared.h5", "larq/shared.keras")
_PAIRS = (
    ("larq/shared-structure.json", "larq/shared-structure.h5"),
    ("larq/dorefa-structure.json", "larq/dorefa-structure.weights.h5"),
    ("mxnet/packed-symbol.json", "mxnet/packed-0001.params"),
)


def framework_file(random: Random, folder: Path) -> Case:
    """``import`` of a file, or of one of a pair, that is not as its framework wrote it."""
    names: tuple[str, ...] = (random.choice(_SINGLE),)
    if random.random() < 0.5:
        names = random.choice(_PAIRS)
        if random.random() < 0.2:
            names = (names[0], random.choice(_PAIRS)[1])
    damaged = random.choice(names)
    for name in names:
        data = (_FILES / name).read_bytes()
        data = damaged_bytes(data, random) if name == damaged else data
        (folder / Path(name).name).write_bytes(data)
    place = folder / Path(random.choice(names)).name
    asked = str(folder if random.random() < 0.2 else place)
    made = str(folder / "made")
    words = ["import", asked, "--out", made, "--input-type", "uint8", "--image-range", "0", "255"]
    return Case(words, (*(Path(name).name for name in names), asked))
