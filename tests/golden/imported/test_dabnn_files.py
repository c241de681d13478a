"""Files that daBNN's converter wrote, held against what daBNN's own runtime computed with them.

onnx2bnn and the runtime are those of daBNN's repository at commit d93aa95 (x86, its plain kernels), the
networks are drawn. ``odd`` has rows of 180 and 500 bits, joined branches and a border round its pool,
``residual`` 64 and 128 channels, sums, PReLU. The scores are of 1,000 frames a model.
"""

from __future__ import annotations

import shutil
import struct
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("flatbuffers", reason="the extra bnnsim[tflite] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.dabnn.network import dab_to_onnx
from bnnsim.importers.model import import_model
from bnnsim.spec.faults import InputError, SpecError
from tests.golden.imported.test_larq_files import frames_of, workload_scores

FOLDER = Path(__file__).parent / "dabnn"


FRAMES = frames_of((12, 12, 3))
"""The frames that daBNN was run on: coarse patches with noise on them."""


@pytest.mark.parametrize("name", ["residual", "odd"])
def test_a_thousand_frames_give_what_dabnn_gave(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"  # its content tells what it is
    shutil.copy(FOLDER / f"{name}.dab", path)
    expected = np.load(FOLDER / f"{name}.npz")["scores"].astype(np.float64)
    found, workload = workload_scores(path, tmp_path / "out", FRAMES)
    gain, offset = np.polyfit(found.reshape(-1), expected.reshape(-1), 1)
    off = np.abs(gain * found + offset - expected)
    assert gain > 0 and np.count_nonzero(off > 1e-4 * np.ptp(expected)) == 0
    assert len(np.unique(expected.round(4), axis=0)) == 1000, "frames that tell networks apart"
    report = check_model(path, workload, random_inputs=20)
    assert report.verdict == "equal" and len(report.layers) >= 6, str(report)


def _changed(folder: Path, old: bytes, new: bytes, count: int = 1) -> Path:
    content = (FOLDER / "odd.dab").read_bytes()
    assert len(old) == len(new) and content.count(old) >= count, "what is changed is there"
    (folder / "net.dab").write_bytes(content.replace(old, new, count))
    return folder / "net.dab"


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (
            b"\x04\0\0\0data",
            b"\x04\0\0\0dato",
            r"layer 0 \(FpConv2D\): expected inputs that were made before, got dat",
        ),
        (b"\x03\0\0\0t12", b"\x03\0\0\0t02", "expected inputs that were made before, got t"),
        (b"t11_a", b"t11_b", "tensor t11_b: expected tensors of different names, got two of one name"),
    ],
)
def test_what_does_not_hang_together_is_named(old: bytes, new: bytes, match: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=match) as caught:
        import_model(_changed(tmp_path, old, new), tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    content = bytearray((FOLDER / "odd.dab").read_bytes())
    root = struct.unpack_from("<I", content)[0]
    fields = root - struct.unpack_from("<i", content, root)[0]
    version = root + struct.unpack_from("<6H", content, fields)[5]
    assert content[version] == 2
    content[version] = 1
    (tmp_path / "net.dab").write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"expected version 2 \(convert the ONNX model .*\), got 1"):
        import_model(tmp_path / "net.dab", tmp_path / "out")


@pytest.mark.parametrize("kept", [3, 20, 400, 0.5, 0.95])
def test_a_truncated_file_is_one_line(kept: float, tmp_path: Path) -> None:
    content = (FOLDER / "residual.dab").read_bytes()
    (tmp_path / "net.dab").write_bytes(content[: kept if kept > 1 else int(kept * len(content))])
    with pytest.raises(InputError, match=r"net\.dab.*expected ") as caught:
        import_model(tmp_path / "net.dab", tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(2))
def test_any_damage_is_a_fault_or_other_numbers(seed: int, tmp_path: Path) -> None:
    random, path = Random(seed), tmp_path / "net.dab"
    content = (FOLDER / "odd.dab").read_bytes()
    for _ in range(25):
        data = bytearray(content)
        for _ in range(random.choice((1, 4, 16))):
            place = random.choice((random.randrange(len(data)), random.randrange(2000)))
            data[place] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
        path.write_bytes(bytes(data))
        with suppress(SpecError):
            dab_to_onnx(path)
