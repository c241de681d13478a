"""Lambdas: Python code is read and never run; what it does to channels is what Python itself does.

lambdas.jsonl holds functions as each Python from 3.6 to 3.13 compiled and marshalled them
(tools/models/export_lambdas.py). Here their source runs on arrays, with TensorFlow's functions in numpy.
"""

from __future__ import annotations

import base64
import json
import marshal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("h5py")
pytest.importorskip("onnxruntime")

from bnnsim.importers import import_keras
from bnnsim.importers.check.check import check_model
from bnnsim.importers.keras.lambdas.expressions import Given, expression_of, result_count
from bnnsim.importers.keras.lambdas.lowering import lambda_outputs
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.unrolling import KerasLayer
from bnnsim.reference.keras.lambdas import lambda_function
from bnnsim.spec.faults import InputError
from tests.unit.importers.keras.keras_models import KerasModel, binarynet
from tools.models.export_lambdas import SOURCE

LINES = (Path(__file__).parent / "lambdas.jsonl").read_text().splitlines()
ROWS = [json.loads(line) for line in LINES]
OF_LARQ_ZOO = (
    "4wEAAAAAAAAAAAAAAAEAAAATAAAA8wYAAACXAHwAUwCpAU6pACkB2gF4cwEAAAAg+gR6LnB5+gg8bGFt\n"
    "YmRhPvoIPGxhbWJkYT4KAQAAcwYAAACAALABgADzAAAAAA==\n"
)
"""As TensorFlow 2.15 under Python 3.11 saves ``lambda x: x`` of larq-zoo's Real-to-Binary network."""
CHANNELS = 12


def _numpy_split(value: Any, num_or_size_splits: Any, axis: int = 0) -> Any:
    sizes = num_or_size_splits
    return np.split(value, sizes if isinstance(sizes, int) else np.cumsum(sizes)[:-1], axis)


TENSORFLOW = SimpleNamespace(split=_numpy_split, concat=np.concatenate, pad=np.pad)


def _functions() -> dict[str, tuple[int, Callable[[Any], Any]]]:
    named: dict[str, Any] = {"tf": TENSORFLOW}
    exec(SOURCE, named)
    return dict(named["FUNCTIONS"])


FUNCTIONS = _functions()


def _config(function: Any, module: str = "larq_zoo.core.utils") -> dict[str, Any]:
    return {"function": function, "module": module}


def _of(function: Callable[..., Any]) -> list[Any]:
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode()
    return [code, function.__defaults__, cells or None]


def _maps(count: int) -> list[np.ndarray]:
    """``count`` maps ``(1, 3, 2, channels)``, the second as many channels as are added to others."""
    widths = [CHANNELS, 4]
    return [np.random.default_rng(i).normal(0, 1, (1, 3, 2, widths[i])) for i in range(count)]


def _listed(value: Any) -> list[np.ndarray]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _called_on(maps: list[np.ndarray]) -> Any:
    return maps[0] if len(maps) == 1 else maps


def _lowered(config: dict[str, Any], maps: list[np.ndarray]) -> list[np.ndarray]:
    """What onnxruntime computes with the operators that a Lambda becomes; maps are parts of the input."""
    expression = expression_of(config)
    assert expression is not None
    c = OnnxBuilder()
    whole = np.concatenate(maps, axis=-1)
    first = KerasLayer("x", "InputLayer", {"batch_shape": (None, *whole.shape[1:])}, (), {}, "x")
    c.read_input(first)
    at = 0
    for i, one in enumerate(maps):
        ends = [c.constant(first, "at", [n], np.int64) for n in (at, at + one.shape[-1], 1)]
        c.tensors[str(i)] = c.op(first, "Slice", c.tensors[""], *ends)
        c.shapes[str(i)] = (one.shape[-1], *one.shape[1:-1])
        at += one.shape[-1]
    count = result_count(expression)
    names = ["y"] if count is None else [f"y{i}" for i in range(count)]
    given = tuple(str(i) for i in range(len(maps)))
    about = {"expression": expression, "outputs": tuple(names)}
    layer = KerasLayer("l", "Lambda", {}, given, {}, "net: l", **about)
    for name, (tensor, shape) in zip(names, lambda_outputs(c, layer, given), strict=True):
        c.tensors[name], c.shapes[name] = tensor, shape
    import onnxruntime

    session = onnxruntime.InferenceSession(c.model(names).SerializeToString())
    found = session.run(None, {"input": whole.astype(np.float32)})
    assert [one.shape[1:] for one in found] == [c.shapes[name] for name in names]
    return [one.transpose(0, 2, 3, 1) for one in found]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['python']}-{row['name']}")
def test_code_of_every_python_means_what_python_says(row: dict[str, Any]) -> None:
    inputs, function = FUNCTIONS[row["name"]]
    maps = _maps(inputs)
    wanted = _listed(function(_called_on(maps)))
    run, gives_back = lambda_function(_config(row["function"]), "here")
    by_reference = _listed(run(_called_on(maps)))
    by_importer = _lowered(_config(row["function"]), maps)
    assert len(by_reference) == len(by_importer) == len(wanted)
    for one, other, exact in zip(by_reference, by_importer, wanted, strict=True):
        np.testing.assert_array_equal(one, exact)
        np.testing.assert_allclose(other, exact, rtol=1e-6)
    assert gives_back == (row["name"] == "same")


def test_every_python_has_every_function() -> None:
    found = {(row["python"], row["name"]) for row in ROWS}
    assert found == {(f"3.{n}", name) for n in range(6, 14) for name in FUNCTIONS}


def test_keras_3_saves_the_same_under_names() -> None:
    row = next(one for one in ROWS if one["name"] == "closure")
    kept = dict(zip(("code", "defaults", "closure"), row["function"], strict=True))
    config = {"function": {"class_name": "__lambda__", "config": kept}}
    assert expression_of(config) == expression_of({"function": row["function"]}) is not None
    (one,) = _maps(1)
    np.testing.assert_array_equal(lambda_function(config, "here")[0](one), one[..., 2:7])


tf: Any = None
keras: Any = None
OTHERS: list[Callable[..., Any]] = [
    lambda x: -x,
    lambda x: x * 2,
    lambda x: x + 1,
    lambda x: x @ x,
    lambda x, y: x,
    lambda *x: x,
    lambda x, **more: x,
    lambda x, *, a=1: x,
    lambda x, mask=None: x,
    lambda: None,
    lambda x: x.real,
    lambda x: x[..., :4] if x is not None else x,
    lambda x: [x[..., i : i + 1] for i in range(3)],
    lambda x: (lambda y: y[..., :4])(x),
    lambda x: keras.activations.relu(x),
    lambda x: tf.nn.relu(x),
    lambda x: print(x),
]


@pytest.mark.parametrize("function", OTHERS)
def test_any_other_code_is_not_read(function: Callable[..., Any]) -> None:
    assert expression_of(_config(_of(function))) is None


@pytest.mark.parametrize("function", [None, [], [3], ["@@", None, None], ["", None, None], "eval", {}])
def test_what_is_no_code_is_not(function: Any) -> None:
    assert expression_of(_config(function)) is None


def test_a_name_in_a_closure_is_a_function_in_larq_zoo_alone() -> None:
    row = next(one for one in ROWS if one["name"] == "layer split")
    assert expression_of(_config(row["function"])) is not None
    assert expression_of(_config(row["function"], "somebody.else")) is None


def _damaged() -> list[bytes]:
    """Code that ends early, with bytes changed, and with what a hostile file would put there."""
    rng = np.random.default_rng(0)
    found = []
    for row in ROWS[:: len(ROWS) // 8]:
        code = base64.b64decode(row["function"][0])
        found += [code[:n] for n in range(len(code))]
        for _ in range(200):
            at, value = rng.integers(0, len(code)), rng.integers(0, 256)
            found.append(code[:at] + bytes([value]) + code[at + 1 :])
    head = b"\xe3" + struct.pack("<5i", 1, 0, 1, 1, 67) + b"s\x04\0\0\0|\0S\0"
    many = b"(" + struct.pack("<i", 1 << 30)
    found += [head + many, head + b")\x01" * 5000 + b"N", head + b"r" + struct.pack("<i", -1)]
    found += [head + b"\xa9\x01r\0\0\0\0", head + b"s" + struct.pack("<i", -5), b"\xe3" * 70_000]
    doubling = b")\x32" + b"\xa9\0" + b"".join(
        b"\xa9\x64" + (b"r" + struct.pack("<i", i + 1)) * 100 for i in range(49)
    )  # tuples of a hundred references to the one before: 100**49 elements
    found.append(head + doubling + b")\0)\0")
    return found


def test_damaged_code_is_none_or_other_code() -> None:
    for code in _damaged():
        saved = [base64.encodebytes(code).decode(), None, None]
        assert expression_of(_config(saved)) is None or code[0] & 0x7F == ord("c")


def _with_lambda(**config: Any) -> KerasModel:
    """A small network with a Lambda between two layers."""
    model = binarynet(scale=True)
    rest, model.layers = model.layers[4:], model.layers[:4]
    given = {"function": [OF_LARQ_ZOO, None, None], "function_type": "lambda", "arguments": {}}
    model.add("Lambda", **given | config)
    model.layers += rest
    return model


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_lambda_that_returns_its_argument_is_passed_over(tmp_path: Path, suffix: str) -> None:
    model = _with_lambda()
    path = tmp_path / f"net.{suffix}"
    model.save_h5(path) if suffix == "h5" else model.save_keras(path)
    imported = import_keras(path, tmp_path / "out", input_type="uint8")
    without = binarynet(scale=True).save_h5(tmp_path / "without.h5")
    plain = import_keras(without, tmp_path / "plain", input_type="uint8")
    assert imported.workload.layers == plain.workload.layers
    assert check_model(path, imported.workload_path, random_inputs=20).verdict == "equal"


def test_a_lambda_may_turn_channels(tmp_path: Path) -> None:
    row = next(one for one in ROWS if one["name"] == "turned")
    model = _with_lambda(function=row["function"])
    path = model.save_h5(tmp_path / "net.h5")
    imported = import_keras(path, tmp_path / "out", input_type="uint8")
    assert check_model(path, imported.workload_path, random_inputs=20).verdict == "equal"


def test_a_lambda_of_other_code_or_with_arguments_is_refused(tmp_path: Path) -> None:
    other = _with_lambda(function=_of(lambda x: -x)).save_h5(tmp_path / "other.h5")
    with pytest.raises(InputError, match=r"\(Lambda\): .* got Python code, which is never run: convert"):
        import_keras(other, tmp_path / "out", input_type="uint8")
    more = _with_lambda(arguments={"y": 1}).save_h5(tmp_path / "more.h5")
    with pytest.raises(InputError, match=r"\(Lambda\): expected arguments \{\}"):
        import_keras(more, tmp_path / "out", input_type="uint8")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="code of Python 3.14 is not read")
@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda x: tf.reshape(x, [1, 4]), r"functions that are read .*, got tf.reshape: convert"),
        (lambda x: x[:, 1:3, :, :], "channels a:b, which come last, of whole maps"),
        (lambda x: x[:, 2:4], "channels a:b, which come last, of whole maps"),
        (lambda x: x[0], "channels a:b, which come last, of whole maps"),
        (lambda x: x[..., 0], "channels a:b, which come last, of whole maps"),
        (lambda x: x[..., ::2], "some of .* channels, one after the other, got ::2"),
        (lambda x: x[..., 70:], "some of .* channels, one after the other, got 70::"),
        (lambda x: tf.split(x, 2, axis=1), "axis of the channels, which come last, got 1"),
        (lambda x: tf.split(x, 7, axis=-1), "parts of .* channels"),
        (lambda x: tf.split(x, 2, axis=-1)[0:2], "one of 2 tensors"),
        (lambda x: tf.concat(x, -1), "tensors of one size"),
        (lambda x: tf.pad(x, [[0, 0], [1, 1], [0, 0], [0, 0]]), "zeros in front of channels"),
        (lambda x: tf.pad(x, [[0, 0], [0, 0], [0, 0], [1, 1]], "REFLECT"), "zeros in front of channels"),
        (lambda x: x + x[..., :2], "tensors of one shape"),
        (lambda x: tf.pad(x, [[0, 0]], "CONSTANT", 3), "tf.pad of tensor, paddings, mode"),
    ],
)
def test_what_is_read_and_has_no_place_says_so(tmp_path: Path, function: Any, match: str) -> None:
    path = _with_lambda(function=_of(function)).save_h5(tmp_path / "net.h5")
    with pytest.raises(InputError, match=rf"\(Lambda\): expected .*{match}"):
        import_keras(path, tmp_path / "out", input_type="uint8")


def test_the_argument_is_what_the_layer_is_called_on() -> None:
    assert expression_of(_config([OF_LARQ_ZOO, None, None])) == Given()
