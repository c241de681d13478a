"""Files of other tools are told by their content, and whatever their readers throw is one line."""

from __future__ import annotations

import io
import itertools
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
h5py = pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.files.boundary import foreign_file  # noqa: E402
from bnnsim.importers.foreign.formats import format_of  # noqa: E402
from bnnsim.importers.keras.network import import_keras  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.spec.faults import InputError, SpecError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases" / "faults"
READERS = {"onnx": import_onnx, "keras": import_keras}


def _zip(**members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return data.getvalue()


def _hdf5() -> bytes:
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        file.attrs["model_config"] = "{}"
    return data.getvalue()


def _npz() -> bytes:
    data = io.BytesIO()
    np.savez(data, w=np.zeros(3))
    return data.getvalue()


def _safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer (shorter than 128 bytes)."""
    return bytes([number << 3 | 2, len(content)]) + content


NODE = _field(1, b"input") + _field(2, b"Placeholder")
OTHERS = {
    "net.pth": (_zip(data__pkl=b""), "a PyTorch checkpoint .*torch.onnx.export"),
    "net.pt": (_zip(constants__pkl=b"", data__pkl=b""), "a TorchScript archive .*torch.onnx.export"),
    "old.pt": (pickle.dumps({"w": 1}, 2), "a Python pickle"),
    "gluon.params": ((0x112).to_bytes(8, "little") + bytes(40), "parameters of MXNet .*import FILE"),
    "symbol.json": (json.dumps({"nodes": [], "arg_nodes": []}).encode(), "a network of MXNet without"),
    "net.tflite": (b"\x1c\0\0\0TFL3" + bytes(30), "a TensorFlow Lite model: bnnsim import FILE"),
    "net.ort": (b"\x1c\0\0\0ORTM" + bytes(30), "onnxruntime's own format"),
    "frozen.pb": (_field(1, NODE), "a TensorFlow graph: .*tf2onnx"),
    "saved_model.pb": (b"\x08\x01" + _field(2, _field(1, b"ops")), "a TensorFlow SavedModel: "),
    "graph.pbtxt": (b'node {\n  name: "x"\n  op: "Placeholder"\n}\n', "a TensorFlow graph"),
    "net.prototxt": (b'layer {\n  name: "c"\n  bottom: "data"\n}\n', "a Caffe network"),
    "net.safetensors": (_safetensors(), "a safetensors file .weights without the network"),
    "weights.npz": (_npz(), "arrays of numpy"),
    "net.onnx.gz": (b"\x1f\x8b\x08" + bytes(20), "a compressed file: unpack it first"),
    "model.json": (b'{"class_name": "Sequential", "config": {}}', "a Keras model without its weights"),
    "repository.zip": (_zip(readme__md=b""), "a zip archive of something else"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_tool_is_named_with_what_to_do(name, renamed, reader, tmp_path):
    content, match = OTHERS[name]
    path = tmp_path / (f"{name}.{'h5' if reader == 'keras' else 'onnx'}" if renamed else name)
    path.write_bytes(content)
    _refused(lambda: READERS[reader](path, tmp_path / "out"), path, match)


def test_a_keras_file_given_to_onnx_and_the_other_way_round(tmp_path):
    for name, content in (("net.h5", _hdf5()), ("net.keras", _zip(config__json=b"{}"))):
        path = tmp_path / name
        path.write_bytes(content)
        match = "a Keras file: bnnsim import keras"
        _refused(lambda p=path: import_onnx(p, tmp_path / "out"), path, match)
    path = _model(tmp_path)[0]
    _refused(lambda: import_keras(path, tmp_path / "out"), path, "an ONNX file: bnnsim import onnx")


def _model(folder: Path) -> tuple[Path, Any]:
    b = Builder((1, 6))
    output = b.op("MatMul", b.bipolar("x"), b.signs(6, 3))
    return b.save(output, folder / "net.onnx"), b.model(output)


@pytest.mark.parametrize(
    "suffix", ["json", "onnxjson", "pbtxt", "prototxt", "textproto", "onnxtxt", "onnxtext"]
)
def test_the_textual_forms_of_onnx_are_read_whatever_the_file_is_called(suffix, tmp_path):
    path, model = _model(tmp_path)
    expected = import_onnx(path, tmp_path / "binary", name="net")
    text = tmp_path / f"net.{suffix}"
    onnx.save(model, text)
    renamed = tmp_path / "renamed.onnx"
    shutil.copy(text, renamed)
    for file in (text, renamed):
        found = import_onnx(file, tmp_path / f"out-{file.stem}-{suffix}", name="net")
        assert found.weights_path.read_bytes() == expected.weights_path.read_bytes()
        assert found.workload.layers == expected.workload.layers


@pytest.mark.parametrize("suffix", ["json", "pbtxt", "prototxt", "textproto", "onnxtxt"])
@pytest.mark.parametrize("content", [b"", b"{", b"<", b"graph {", b"name: cnv", b"[1, 2]", b"\xff\xfe{"])
def test_a_damaged_text_is_one_line(content, suffix, tmp_path):
    path = tmp_path / f"net.{suffix}"
    path.write_bytes(content)
    _refused(lambda: import_onnx(path, tmp_path / "out"), path, "expected a whole ONNX file, got ")


@pytest.mark.parametrize("suffix", ["json", "textproto", "onnxtxt"])
def test_half_a_text_is_one_line(suffix, tmp_path):
    path = tmp_path / f"net.{suffix}"
    onnx.save(_model(tmp_path)[1], path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _refused(lambda: import_onnx(path, tmp_path / "out"), path, "expected a whole ONNX file, got ")


@pytest.mark.parametrize("kind", [-1, 33, 99, 0])
def test_a_type_of_elements_that_onnx_does_not_know(kind, tmp_path):
    path, model = _model(tmp_path)
    model.graph.initializer[1].data_type = kind
    onnx.save(model, path)
    _refused(lambda: import_onnx(path, tmp_path / "out"), path, "c1: expected a type of elements")


@pytest.mark.parametrize("name", ["dtype.onnx", "keras-542.h5", "keras-777.h5"])
def test_shipped_faults_are_one_line(name, tmp_path):
    path = CASES / name
    if not path.is_file():
        pytest.skip("the folder shared/cases is not beside the checkout")
    reader = import_onnx if path.suffix == ".onnx" else import_keras
    _refused(lambda: reader(path, tmp_path / "out"), path, "expected ")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("layers"), "a whole net, got KeyError: 'layers'"),
        (OSError(5, "Input/output error"), "a whole net, got Input/output error"),
        (ValueError("one\ntwo"), "a whole net, got one"),
        (AssertionError(), "a whole net, got AssertionError"),
        (MemoryError(), "a whole net that fits into memory, got more"),
        (RecursionError("too deep"), "a whole net, got too deep"),
    ],
)
def test_whatever_a_library_throws_becomes_a_fault_with_the_file_s_name(error, text):
    with pytest.raises(InputError) as caught, foreign_file("net.x", "a whole net"):
        raise error
    assert str(caught.value) == f"net.x: expected {text}"
    assert caught.value.__cause__ is error


def test_a_fault_that_is_worded_passes_the_boundary():
    match = "^here: expected this, got that$"
    with pytest.raises(InputError, match=match), foreign_file("net.x", "a whole net"):
        raise InputError("here", "this", "that")


def _refused(work: Callable[[], Any], path: Path, match: str) -> None:
    with pytest.raises(SpecError, match=match) as caught:
        work()
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < 600
    assert not (path.parent / "out").exists()


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_a_file_of_a_few_bytes_is_of_no_format_or_of_one_and_no_more(length, tmp_path):
    path = tmp_path / "net"
    marks = [0, 1, 8, 9, 10, 0x12, 0x1F, 0x50, 0x80, 0x89, 0x93, 0xFF]
    for values in itertools.product(marks, repeat=length):
        path.write_bytes(bytes(values))
        format_of(path)
