"""Fuzzed models: ONNX as messages and bytes, Keras files as HDF5, zip archives and settings."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.case import Case
from tests.fuzz.mutation import VALUES, damaged_bytes, damaged_data

_OPERATORS = ("Conv", "Relu", "Sign", "Gemm", "Add", "Transpose", "Softmax", "Foo", "", "MaxPool", "Clip")
_TYPES = (-1, 0, 1, 2, 3, 6, 7, 8, 9, 16, 17, 21, 33, 99)
_SIZES = (0, 1, 2, 3, 5, -1, 1 << 20, 10**9, 1 << 62)


def onnx_model(random: Random, folder: Path) -> Case:
    """An ONNX file with damaged bytes, or whole with damaged fields."""
    import onnx

    data = _onnx()
    if random.random() < 0.4:
        data = damaged_bytes(data, random)
    else:
        model = onnx.load_model_from_string(data)
        for _ in range(random.choice((1, 1, 2))):
            random.choice(_CHANGES)(model.graph, random)
        data = model.SerializeToString()
    return _case(folder, "onnx", "onnx", data)


def keras_h5(random: Random, folder: Path) -> Case:
    """An .h5 with damaged bytes."""
    data = _keras("h5")
    config = data.find(b'{"class_name": "Sequential"')
    if random.random() < 0.5:
        return _case(folder, "keras", "h5", damaged_bytes(data, random))
    # The text of the settings has room for as much: a value that is no longer than what stood there.
    settings = bytearray(data)
    digits = [i for i in range(config, config + 1200) if chr(data[i]).isdigit()]
    for at in random.sample(digits, 2):
        settings[at] = random.choice(b"0123456789-.x[]{}")
    return _case(folder, "keras", "h5", bytes(settings))


def keras_archive(random: Random, folder: Path) -> Case:
    """A .keras with damaged bytes, settings or members."""
    data = _keras("keras")
    if random.random() < 0.3:
        return _case(folder, "keras", "keras", damaged_bytes(data, random))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if random.random() < 0.75:
        config = damaged_data(json.loads(members["config.json"]), random, VALUES)
        members["config.json"] = json.dumps(config).encode("utf-8", "replace")
    else:
        name = random.choice(list(members))
        members[name] = damaged_bytes(members[name], random)
        if random.random() < 0.2:
            del members[name]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member)
    return _case(folder, "keras", "keras", content.getvalue())


def _case(folder: Path, kind: str, suffix: str, data: bytes) -> Case:
    path = folder / f"model.{suffix}"
    path.write_bytes(data)
    return Case(["import", kind, str(path), "--out", str(folder), "--force"], (path.name,))


# ---- changes of an ONNX graph ------------------------------------------------------------------


def _rename_operator(graph: Any, random: Random) -> None:
    node = random.choice(graph.node)
    node.op_type = random.choice(_OPERATORS)
    node.domain = random.choice(("", "qonnx.custom_op.general", "foo"))


def _rewire(graph: Any, random: Random) -> None:
    node = random.choice(graph.node)
    other = random.choice(graph.node)
    if node.input:
        sources = [*other.input, *other.output, "x", "", "missing"]
        node.input[random.randrange(len(node.input))] = random.choice(sources)


def _drop(graph: Any, random: Random) -> None:
    entries = random.choice((graph.node, graph.initializer, graph.input, graph.output))
    if entries:
        del entries[random.randrange(len(entries))]


def _retype(graph: Any, random: Random) -> None:
    if graph.initializer:
        random.choice(graph.initializer).data_type = random.choice(_TYPES)


def _resize(graph: Any, random: Random) -> None:
    tensor = random.choice(graph.initializer) if graph.initializer else None
    if tensor is not None and tensor.dims and random.random() < 0.6:
        tensor.dims[random.randrange(len(tensor.dims))] = random.choice(_SIZES)
    elif graph.input:
        dims = random.choice(graph.input).type.tensor_type.shape.dim
        if dims:
            random.choice(dims).dim_value = random.choice(_SIZES)


def _reset(graph: Any, random: Random) -> None:
    nodes = [node for node in graph.node if node.attribute]
    if not nodes:
        return
    attribute = random.choice(random.choice(nodes).attribute)
    match random.randrange(4):
        case 0:
            attribute.name = random.choice(("pads", "strides", "axis", "alpha", "foo", ""))
        case 1:
            attribute.type = random.randrange(0, 15)
        case 2:
            attribute.i = random.choice(_SIZES)
            if attribute.ints:
                attribute.ints[random.randrange(len(attribute.ints))] = random.choice(_SIZES)
        case _:
            del attribute.ints[:]


_CHANGES = (_rename_operator, _rewire, _drop, _retype, _resize, _reset, _reset, _resize)


@cache
def _onnx() -> bytes:
    from tests.golden.imported.onnx_models import Builder

    b = Builder((1, 1, 6, 6))
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    sums = b.conv(b.bipolar(x), b.signs(4, 1, 3, 3), 3)
    x = b.op("MaxPool", b.bipolar(sums), kernel_shape=[2, 2], strides=[2, 2])
    x = b.op("MatMul", b.op("Flatten", x), b.signs(16, 3))
    with tempfile.TemporaryDirectory() as name:
        return Path(b.save(x, Path(name) / "net.onnx")).read_bytes()


@cache
def _keras(form: str) -> bytes:
    from tests.unit.importers.keras.keras_models import KerasModel

    model = KerasModel((6, 6, 1))
    model.conv((3, 3, 1, 4), padding="same")
    model.batch_norm(4, True, 4)
    model.add("MaxPooling2D", pool_size=[2, 2], strides=[2, 2], padding="valid")
    model.add("Flatten")
    model.dense(36, 3)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"model.{form}"
        return (model.save_h5 if form == "h5" else model.save_keras)(path).read_bytes()


