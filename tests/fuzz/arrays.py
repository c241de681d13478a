"""Fuzzed arrays: weights in .npz, images in .npz, .npy and as pictures."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bnnsim.design.network.network import resolve_network
from bnnsim.files.archive import npz_bytes
from bnnsim.functional.parameters.parameters import random_parameters, save_parameters
from bnnsim.spec.load import load_workload
from tests.fuzz.case import Case
from tests.fuzz.mutation import damaged_bytes

_WORKLOAD = """\
name: small
input: {shape: [1, 4, 4], type: uint8}
layers:
  - {name: conv0, op: conv, out: 2, kernel: 3, activation: bipolar}
  - {name: fc0, op: linear, out: 3}
"""
_ARCH = """\
name: small-arch
source: "made up"
style: streaming
device: xc7z020
clock_mhz: 100
layers: {conv0: {pe: 2, simd: 1}, fc0: {pe: 3, simd: 8}}
"""
_DTYPES = ("u1", "i1", "<i4", "<i8", "<u8", "<f4", "<f8", "<c8", "<U3", "?", "<M8[s]", ">i2", "V3")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)
_SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (2,), (3, 8), (2, 1, 3, 3), (1, 1, 4, 4), (0, 4))
_HEADERS = (b"1000000000", b"-1", b"(9,)*9", b"99999999999999999999", b"'O'", b"'|O'", b"'<U999999999'")


def weights(random: Random, folder: Path) -> Case:
    """A network's .npz with damaged bytes, headers, members or arrays."""
    archive = _weights()
    arrays = dict(np.load(io.BytesIO(archive)))
    text = _WORKLOAD + "weights: weights.npz\n"
    (folder / "weights.npz").write_bytes(_damaged(archive, arrays, random))
    return _case(folder, text, "weights.npz", ["--images", _image_file(folder)])


def images(random: Random, folder: Path) -> Case:
    """Images as .npz, .npy, PNG, BMP or GIF, damaged."""
    kind = random.choice(("npz", "npy", "png", "bmp", "gif", "jpg"))
    path = folder / f"images.{kind}"
    pixels = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4)
    if kind == "npz":
        arrays: dict[str, Any] = {"images_u8": pixels, "labels": np.array([0, 2])}
        path.write_bytes(_damaged(npz_bytes(arrays), arrays, random))
    elif kind == "npy":
        path.write_bytes(_damaged_array(pixels, random))
    else:
        path.write_bytes(damaged_bytes(_picture(kind), random))
    return _case(folder, _WORKLOAD, path.name, ["--weights-seed", "1", "--images", str(path)])


def _case(folder: Path, workload: str, place: str, more: list[str]) -> Case:
    (folder / "w.yaml").write_text(workload, encoding="utf-8")
    (folder / "a.yaml").write_text(_ARCH, encoding="utf-8")
    arguments = ["simulate", str(folder / "a.yaml"), str(folder / "w.yaml"), *more]
    return Case(arguments, (place, "labels", "images"))


def _damaged(archive: bytes, arrays: dict[str, Any], random: Random) -> bytes:
    """An .npz with damaged bytes; or its arrays, their headers or its members damaged, and whole."""
    if random.random() < 0.4:
        return damaged_bytes(archive, random)
    name = random.choice(list(arrays))
    members = {key: _array_bytes(array) for key, array in arrays.items()}
    match random.randrange(5):
        case 0:
            members[name] = _damaged_array(arrays[name], random)
        case 1:
            del members[name]
        case 2:
            members[random.choice(("", "x", "conv0.weight", "../x", "ü"))] = members.pop(name)
        case 3:
            members[name] = damaged_bytes(members[name], random)
        case _:
            shape, dtype = random.choice(_SHAPES), random.choice(_DTYPES)
            members[name] = _array_bytes(np.zeros(shape, dtype))
    content = io.BytesIO()
    method = random.choice(_METHODS)
    with zipfile.ZipFile(content, "w", method) as file:
        for key, data in members.items():
            file.writestr(zipfile.ZipInfo(f"{key}.npy"), data, method)
    result = content.getvalue()
    return damaged_bytes(result, random) if random.random() < 0.3 else result


def _damaged_array(array: Any, random: Random) -> bytes:
    data = _array_bytes(array)
    if random.random() < 0.5:
        return damaged_bytes(data, random)
    digits = [i for i, byte in enumerate(data[:128]) if chr(byte).isdigit() or chr(byte) == "|"]
    at = random.choice(digits)
    return data[:at] + random.choice(_HEADERS) + data[at + 1 :]


def _array_bytes(array: Any) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, array, allow_pickle=False)
    return content.getvalue()


def _image_file(folder: Path) -> str:
    path = folder / "right.npy"
    np.save(path, np.zeros((1, 1, 4, 4), np.uint8))
    return str(path)


@cache
def _weights() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "w.yaml"
        path.write_text(_WORKLOAD, encoding="utf-8")
        network = resolve_network(load_workload(path))
        save_parameters(Path(name) / "w.npz", random_parameters(network, 1))
        return (Path(name) / "w.npz").read_bytes()


@cache
def _picture(kind: str) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    name = {"jpg": "jpeg"}.get(kind, kind)
    Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4)).save(content, name)
    return content.getvalue()
