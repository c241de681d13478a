"""TensorFlow Lite files that are damaged, hostile or not understood: one line each, in bounded time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("tflite", reason="the extra bnnsim[tflite] is not installed")
pytest.importorskip("flatbuffers", reason="the extra bnnsim[tflite] is not installed")

from bnnsim.importers.model import import_model
from bnnsim.importers.tflite.file import read_tflite
from bnnsim.importers.tflite.operators import HANDLERS, unpacked
from bnnsim.importers.tflite.understood import OPERATORS
from bnnsim.spec.faults import SpecError

MODEL = Path(__file__).resolve().parents[3] / "golden" / "imported" / "larq" / "thresholds.tflite"


def test_the_table_is_of_the_operators_that_are_read():
    assert OPERATORS.keys() == HANDLERS.keys()


def test_bits_of_words_are_unpacked_lowest_first_and_one_is_minus_one():
    words = np.array([[0b101, 1]], np.int32)
    found = unpacked(words, 34)
    expected = [-1.0 if (words[0, c // 32] >> (c % 32)) & 1 else 1.0 for c in range(34)]
    assert found.tolist() == [expected]


def _patched(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    assert len(old) == len(new)
    return lambda content: content.replace(old, new)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c[: len(c) // 2], "expected "),
        (lambda c: c[:40], "expected a whole TensorFlow Lite file"),
        (lambda c: b"\xff\xff\xff\x7f" + c[4:], "expected a whole TensorFlow Lite file"),
        (lambda c: c[:4] + b"TFL3" + b"\xff" * (len(c) - 8), "expected a whole TensorFlow Lite file"),
        (_patched(b"LceBconv2d", b"LceTconv2d"), r"operator 2: expected an operator .*got LceTconv2d"),
        (_patched(b"pad_values", b"pad_volume"), r"2 \(LceBconv2d\): expected options as its sch"),
    ],
)
def test_a_damaged_file_is_one_line(change, match, tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(change(MODEL.read_bytes()))
    with pytest.raises(SpecError, match=match) as caught:
        import_model(path, tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", range(3))
def test_any_damage_is_a_fault_or_another_network(seed, tmp_path):
    random = Random(seed)
    content = MODEL.read_bytes()
    path = tmp_path / "net.tflite"
    for _ in range(12):
        data = bytearray(content)
        for _ in range(random.choice((1, 4, 16))):
            at = random.randrange(8, len(data))
            data[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        path.write_bytes(bytes(data))
        with suppress(SpecError):
            read_tflite(path)
