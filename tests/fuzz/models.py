"""Fuzzed ONNX models, as messages, as text and as bytes, and imports that are held against theirs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import yaml

from tests.fuzz.case import Case, run_case
from tests.fuzz.mutation import damaged_bytes, damaged_data, damaged_text
from tests.fuzz.pairs import yaml_text
from tests.mutations.networks import NETWORKS

_OPERATORS = ("Conv", "Relu", "Sign", "Gemm", "Add", "Transpose", "Softmax", "Foo", "", "MaxPool", "Clip")
_TYPES = (-1, 0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 16, 17, 21, 33, 99)
_SIZES = (0, 1, 2, 3, 5, -1, 1 << 20, 10**9, 1 << 62)
_REALS = (0.0, -1.0, 1e-45, 1e38, float("nan"), float("inf"), float("-inf"), 0.5, 3.0)
_SHAPERS: dict[str, tuple[Any, ...]] = {
    "Reshape": ([-1], [1, -1], [10**9, -1], [0, 0], [-1, -1], [], [2**62, 2**62]),
    "Expand": ([1, 1], [10**9, 10**9], [1, 10**9, 1, 1], [-1]),
    "Tile": ([1, 1, 1, 1], [1, 10**6, 1, 10**6], [10**9], [-1, 1]),
    "Pad": ([0] * 8, [0, 0, 10**9, 10**9, 0, 0, 1, 1], [-9] * 8, [1]),
    "ConstantOfShape": ((),),
    "Unsqueeze": ([0], [9], [0, 0], [-1]),
    "Squeeze": ([0], [9], [1]),
    "Gather": ([0], [10**9], [-1]),
    "Slice": ([0], [10**9]),
    "TopK": ([1], [10**9], [0]),
    "Upsample": ([1, 1, 2, 2], [1, 1, 10**9, 10**9]),
    "OneHot": ([3], [10**9]),
    "Range": ([10**12],),
}
_TEXTS = ("json", "onnxtxt", "textproto")


def onnx_model(random: Random, folder: Path) -> Case:
    """An ONNX file with damaged bytes, or whole with damaged fields, or as damaged text."""
    import onnx

    data = _onnx(random.choice(_MODELS))
    kind = random.random()
    suffix = "onnx"
    if kind < 0.35:
        data = damaged_bytes(data, random)
    else:
        model = onnx.load_model_from_string(data)
        for _ in range(random.choice((1, 1, 2))):
            random.choice(_CHANGES)(model.graph, random)
        if random.random() < 0.1:
            _relabel(model, random)
        data = model.SerializeToString()
        if kind < 0.45:
            suffix = random.choice(_TEXTS)
            text = _text_of(model, suffix)
            text = damaged_text(text, random) if random.random() < 0.6 else text
            data = text.encode("utf-8", "replace")
    path = folder / f"model.{suffix}"
    path.write_bytes(data)
    options = random.choice(_OPTIONS) if random.random() < 0.2 else []
    words = ["import", "onnx", str(path), "--out", str(folder), "--force", *options]
    return Case(words, (path.name, *options))


_OPTIONS = (
    ["--fixed", "fixed8.7"],
    ["--fixed", "fixed99.98"],
    ["--fixed", "fixed16.8"],
    ["--input-type", "bipolar"],
    ["--input-type", "uint8"],
    ["--image-range", "-1", "1"],
    ["--image-range", "nan", "1"],
    ["--image-range", "1", "1"],
    ["--sign-of-zero", "plus"],
    ["--output", "x"],
    ["--name", "ü"],
)


def held_against(random: Random, folder: Path) -> Case:
    """``check`` of an import of which the model, the workload or its weights were changed since."""
    import onnx

    name = random.choice(_MODELS)
    files = dict(_imported(name))
    which = random.randrange(4)
    if which == 0:
        model = onnx.load_model_from_string(files["model.onnx"])
        random.choice(_CHANGES)(model.graph, random)
        files["model.onnx"] = model.SerializeToString()
    elif which == 1:
        workload = damaged_data(yaml.safe_load(files["model.yaml"]), random)
        files["model.yaml"] = yaml_text(workload).encode("utf-8", "replace")
    elif which == 2:
        text = damaged_text(files["model.yaml"].decode(), random)
        files["model.yaml"] = text.encode("utf-8", "replace")
    else:
        files["model.npz"] = damaged_bytes(files["model.npz"], random)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    words = ["check", str(folder / "model.onnx"), str(folder / "model.yaml"), "--random-inputs", "3"]
    return Case(words, ("model.", "--image-range"))


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


def _revalue(graph: Any, random: Random) -> None:
    """Weights that are no numbers, too few or too many of them, or somewhere else."""
    tensor = random.choice(graph.initializer) if graph.initializer else None
    if tensor is None:
        return
    match random.randrange(4):
        case 0:
            values = np.frombuffer(tensor.raw_data, np.uint8).copy()
            real = np.frombuffer(np.float32(random.choice(_REALS)).tobytes(), np.uint8)
            at = 4 * random.randrange(max(1, len(values) // 4))
            values[at : at + 4] = real[: len(values[at : at + 4])]
            tensor.raw_data = values.tobytes()
        case 1:
            tensor.raw_data = tensor.raw_data[: random.randrange(len(tensor.raw_data) + 1)]
        case 2:
            tensor.float_data.extend([random.choice(_REALS)] * random.choice((1, 3)))
        case _:
            tensor.data_location = 1
            place = random.choice(("weights.bin", "/etc/passwd", "../../x", "/dev/zero", ""))
            entry = tensor.external_data.add()
            entry.key, entry.value = random.choice(("location", "offset", "length")), place


def _reshape(graph: Any, random: Random) -> None:
    """An operator that says how large its output is, in front of another."""
    from onnx import helper, numpy_helper

    kind = random.choice(list(_SHAPERS))
    at = random.randrange(len(graph.node))
    node = graph.node[at]
    if not node.input:
        return
    asked = np.array(random.choice(_SHAPERS[kind]), np.int64)
    graph.initializer.append(numpy_helper.from_array(asked, "asked"))
    made = helper.make_node(kind, [node.input[0], "asked"], ["reshaped"], name="reshaped")
    if kind == "ConstantOfShape":
        del made.input[:]
        made.input.append("asked")
        asked[...] = 10**9
    node.input[0] = "reshaped"
    graph.node.insert(at, made)


def _describe(graph: Any, random: Random) -> None:
    """Shapes that the file states of its own maps and outputs."""
    from onnx import helper

    shape = [random.choice((*_SIZES, "N", "")) for _ in range(random.randrange(6))]
    name = random.choice([output for node in graph.node for output in node.output])
    info = helper.make_tensor_value_info(name, random.choice(_TYPES), shape)
    random.choice((graph.value_info, graph.output, graph.input)).append(info)


def _entangle(graph: Any, random: Random) -> None:
    """Nodes twice, in another order, reading themselves, with names that others have."""
    node = random.choice(graph.node)
    match random.randrange(5):
        case 0:
            graph.node.append(node)
        case 1:
            graph.node.insert(0, graph.node.pop())
        case 2 if node.input and node.output:
            node.input[0] = node.output[0]
        case 3 if node.output:
            node.output[0] = random.choice(("", "x", "ü", "a b", "a/b:0", "x" * 5000))
        case _:
            node.name = random.choice(("", "a/b", "..", "x" * 5000, "\n", "ü"))


def _relabel(model: Any, random: Random) -> None:
    if model.opset_import and random.random() < 0.7:
        model.opset_import[0].version = random.choice((-1, 0, 1, 5, 13, 99, 1 << 40))
    else:
        model.ir_version = random.choice((-1, 0, 3, 99))


_CHANGES: tuple[Callable[[Any, Random], None], ...] = (
    *(_rename_operator, _rewire, _drop, _retype, _resize, _reset, _reset, _resize),
    *(_revalue, _revalue, _reshape, _reshape, _describe, _entangle),
)
_MODELS = tuple(name for name in NETWORKS if name != "keras")


@cache
def _onnx(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return NETWORKS[name](Path(folder)).read_bytes()


@cache
def _imported(name: str) -> tuple[tuple[str, bytes], ...]:
    """A model and what was imported from it, by file names."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "model.onnx").write_bytes(_onnx(name))
        words = ["import", "onnx", str(folder / "model.onnx"), "--out", text, "--sign-of-zero", "plus"]
        if run_case(Case(words)).code:
            raise RuntimeError(f"the model {name} is not imported")
        return tuple((path.name, path.read_bytes()) for path in sorted(folder.iterdir()))


def _text_of(model: Any, suffix: str) -> str:
    import onnx
    from google.protobuf import json_format, text_format

    if suffix == "json":
        return str(json_format.MessageToJson(model))
    if suffix == "onnxtxt":
        with contextlib.suppress(Exception):  # it prints no tensor of too few bytes
            return str(onnx.printer.to_text(model))
    return str(text_format.MessageToString(model))
