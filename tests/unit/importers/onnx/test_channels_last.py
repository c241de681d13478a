"""QONNX's channels-last models: qonnx converts a model, and both become the same network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("qonnx", reason="the extra bnnsim[onnx] is not installed")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from qonnx.core.modelwrapper import ModelWrapper  # noqa: E402
from qonnx.core.onnx_exec import execute_onnx  # noqa: E402
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean  # noqa: E402
from qonnx.util.cleanup import cleanup_model  # noqa: E402

from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.functional.executor import execute  # noqa: E402
from bnnsim.functional.input.frames import frames_from_images  # noqa: E402
from bnnsim.functional.parameters.parameters import load_parameters  # noqa: E402
from bnnsim.importers.onnx.file import CHANNELS_LAST_DOMAIN  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402
from tests.unit.importers.onnx_layers import QONNX, quant  # noqa: E402

FRAMES = 20
Body = Callable[[Builder, str], tuple[str, int]]
"""Layers behind the first quantiser: the last map's tensor, and how many elements it has."""


def _rgb(b: Builder, x: str) -> tuple[str, int]:
    """Three channels and a 3x3 kernel: any order of the axes passes for any other."""
    x = b.conv(b.bipolar(b.conv(x, b.signs(3, 3, 3, 3), 3)), b.signs(3, 3, 3, 3), 3)
    return b.bipolar(x), 3 * 4 * 4


def _wide(b: Builder, x: str) -> tuple[str, int]:
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(6, 3, 3, 3), 3), 6, 5))
    return b.bipolar(b.batch_norm(b.conv(x, b.scaled_signs(5, 6, 3, 3), 3), 5, 8)), 5 * 4 * 4


def _strides_and_border(b: Builder, x: str) -> tuple[str, int]:
    weights = b.signs(6, 3, 2, 3)
    shape = {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 2], "dilations": [1, 1]}
    x = b.op("Conv", x, weights, group=1, **shape)
    return b.bipolar(b.batch_norm(x, 6, 4)), 6 * 4 * 8


def _dilated(b: Builder, x: str) -> tuple[str, int]:
    shape = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [0] * 4, "dilations": [2, 1]}
    x = b.op("Conv", x, b.signs(4, 3, 3, 3), group=1, **shape)
    return b.bipolar(b.batch_norm(x, 4, 4)), 4 * 4 * 6


def _groups(b: Builder, x: str) -> tuple[str, int]:
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(6, 3, 3, 3), 3), 6, 5))
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(6, 1, 3, 3), 3, group=6), 6, 3))
    return b.bipolar(b.batch_norm(b.conv(x, b.signs(4, 3, 1, 1), 1, group=2), 4, 3)), 4 * 4 * 4


def _pool(b: Builder, x: str) -> tuple[str, int]:
    x = b.batch_norm(b.conv(x, b.signs(6, 3, 3, 3), 3), 6, 5)
    x = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4)
    return b.bipolar(x), 6 * 3 * 3


def _several_bits(b: Builder, x: str) -> tuple[str, int]:
    """A Quant with a scale a channel, and weights with one a row."""
    x = b.op("Relu", b.batch_norm(b.conv(x, b.signs(4, 3, 3, 3), 3), 4, 5))
    x = quant(b, x, 3, 0, rounding_mode="ROUND")
    raw = b.constant(b.rng.normal(0, 1, (5, 4, 3, 3)))
    scale = b.constant(b.rng.uniform(0.2, 0.6, (5, 1, 1, 1)))
    few = b.op(
        "Quant", raw, scale, b.constant(0.0), b.constant(3.0),
        domain=QONNX, signed=1, narrow=1, rounding_mode="ROUND",
    )  # fmt: skip
    return b.bipolar(b.batch_norm(b.conv(x, few, 3), 5, 6)), 5 * 4 * 4


def _shortcut(b: Builder, x: str) -> tuple[str, int]:
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(4, 3, 3, 3), 3), 4, 5))
    y = b.op("Add", *(b.conv(x, b.signs(4, 4, 3, 3), 3, pad=1) for _ in range(2)))
    return b.bipolar(b.batch_norm(y, 4, 6)), 4 * 6 * 6


def _bias(b: Builder, x: str) -> tuple[str, int]:
    bias = b.constant(b.rng.normal(0, 4, 4))
    shape = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1]}
    return b.bipolar(b.op("Conv", x, b.signs(4, 3, 3, 3), bias, group=1, **shape)), 4 * 6 * 6


BODIES = {
    body.__name__[1:]: body
    for body in (
        _rgb, _wide, _strides_and_border, _dilated, _groups, _pool, _several_bits, _shortcut, _bias,
    )
}  # fmt: skip


def _model(body: Body, shape: tuple[int, ...], folder: Path) -> Path:
    b = Builder((1, *shape), seed=5)
    operands = (b.constant(1 / 128), b.constant(0.0), b.constant(8.0))
    x = b.op("Quant", "x", *operands, domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND")
    x, elements = body(b, x)
    output = b.op("MatMul", b.op("Flatten", x, axis=1), b.signs(elements, 4))
    for node in b.nodes:
        if node.op_type == "Conv":
            given = {attribute.name for attribute in node.attribute}
            defaults = {"strides": [1, 1], "dilations": [1, 1], "group": 1}
            for key, value in defaults.items():
                if key not in given:
                    node.attribute.append(helper.make_attribute(key, value))
    path = _save(b, output, 4, folder / "first.onnx")
    cleanup_model(ModelWrapper(str(path))).save(str(path))
    return path


def _save(b: Builder, output: str, classes: int, path: Path) -> Path:
    """The model, with the shape of its output, which qonnx asks for."""
    model = b.model(output)
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info(output, TensorProto.FLOAT, (1, classes))
    )
    model.opset_import.append(helper.make_opsetid(CHANNELS_LAST_DOMAIN, 13))
    onnx.save(model, path)
    return path


def _converted(path: Path, folder: Path, takes_last: bool) -> Path:
    step = ConvertToChannelsLastAndClean(make_input_channels_last=takes_last)
    model = cleanup_model(ModelWrapper(str(path)).transform(step))
    assert CHANNELS_LAST_DOMAIN in {node.domain for node in model.graph.node}
    model.save(str(folder / "last.onnx"))
    return folder / "last.onnx"


def _equals_qonnx(path: Path, imported: Any, images: np.ndarray, takes_last: bool) -> None:
    """``images``: uint8, channels first."""
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    found = execute(network, parameters, frames_from_images(network, images))
    model = ModelWrapper(str(path))
    name, output = model.graph.input[0].name, model.graph.output[0].name
    reals = (images / 255.0).astype(np.float32)
    laid = reals.transpose(0, 2, 3, 1) if takes_last else reals
    wanted = [execute_onnx(model, {name: one[None]})[output].reshape(-1) for one in laid]
    note = next(note for note in imported.notes if note.startswith("model score"))
    gain, offset = (float(word) for word in (note.split()[4], note.split()[-1]))
    sign = -1 if note.split()[-2] == "-" else 1
    assert np.allclose(found.scores * gain + sign * offset, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("takes_last", [True, False])
@pytest.mark.parametrize("body", BODIES)
def test_a_model_that_qonnx_converted_is_the_network_it_was(body, takes_last, tmp_path):
    first = _model(BODIES[body], (3, 8, 8), tmp_path)
    last = _converted(first, tmp_path, takes_last)
    twins = [import_onnx(path, tmp_path / path.stem, name="net") for path in (first, last)]
    images = np.random.default_rng(1).integers(0, 256, (FRAMES, 3, 8, 8), np.uint8)
    _equals_qonnx(first, twins[0], images, False)
    _equals_qonnx(last, twins[1], images, takes_last)
    assert twins[0].workload.layers == twins[1].workload.layers
    assert twins[0].workload.input == twins[1].workload.input
    assert twins[0].weights_path.read_bytes() == twins[1].weights_path.read_bytes()


@pytest.mark.parametrize("shape", [(3, 8, 5), (1, 7, 7), (8, 8, 8), (2, 3, 9)])
@pytest.mark.parametrize("takes_last", [True, False])
def test_maps_of_other_shapes(shape, takes_last, tmp_path):
    channels, height, width = shape

    def body(b: Builder, x: str) -> tuple[str, int]:
        x = b.bipolar(b.batch_norm(b.conv(x, b.signs(3, channels, 3, 3), 3), 3, 3))
        return x, 3 * (height - 2) * (width - 2)

    first = _model(body, shape, tmp_path)
    last = _converted(first, tmp_path, takes_last)
    twins = [import_onnx(path, tmp_path / path.stem, name="net") for path in (first, last)]
    images = np.random.default_rng(1).integers(0, 256, (FRAMES, *shape), np.uint8)
    _equals_qonnx(last, twins[1], images, takes_last)
    assert twins[0].weights_path.read_bytes() == twins[1].weights_path.read_bytes()


def _sums(b: Builder, images: np.ndarray) -> np.ndarray:
    """The first convolution of ``b``, whose weights lie (out, rows, columns, in), in plain loops."""
    x = np.where(images.transpose(0, 2, 3, 1) / 255 >= 0.5, 1.0, -1.0)
    weights = _initial(b, "weights")
    out = np.zeros((len(x), 4, 3, 4))
    for i in range(4):
        for j in range(3):
            out[:, i, j] = np.tensordot(x[:, i : i + 3, j : j + 3], weights, axes=([1, 2, 3],) * 2)
    return out


def _initial(b: Builder, name: str) -> np.ndarray:
    found: np.ndarray = next(numpy_helper.to_array(t) for t in b.initializers if t.name == name)
    return found


def _named(b: Builder, name: str, values: np.ndarray) -> str:
    b.initializers.append(numpy_helper.from_array(values.astype(np.float32), name))
    return name


def _by_hand() -> tuple[Builder, str]:
    b = Builder((1, 6, 5, 3), seed=7)
    weights = _named(b, "weights", b.rng.choice([-1.0, 1.0], (4, 3, 3, 3)))
    x = b.op(
        "Conv", b.bipolar(b.op("Sub", "x", b.constant(0.5))), weights, domain=CHANNELS_LAST_DOMAIN,
        kernel_shape=[3, 3], strides=[1, 1], pads=[0] * 4, dilations=[1, 1], group=1,
    )  # fmt: skip
    return b, x


def _scores(path: Path, folder: Path, images: np.ndarray) -> np.ndarray:
    imported = import_onnx(path, folder)
    assert imported.workload.input.shape == [3, 6, 5]
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    return execute(network, parameters, frames_from_images(network, images)).scores


@pytest.mark.parametrize("rows", [4, 1])
def test_thresholds_on_channels_last_maps(rows, tmp_path):
    """Written by hand as FINN does: rows of thresholds run over the axis that data_layout names."""
    b, x = _by_hand()
    levels = np.sort(b.rng.normal(0, 4, (rows, 3)).round() + 0.5, axis=1)
    table = _named(b, "table", levels)
    more = {"out_dtype": "UINT2", "data_layout": "NHWC"}
    x = b.op("MultiThreshold", x, table, domain=QONNX, **more)
    x = b.op("Reshape", x, b.constant([1, -1], np.int64))
    matrix = _named(b, "matrix", b.rng.choice([-1.0, 1.0], (48, 3)))
    path = _save(b, b.op("MatMul", x, matrix), 3, tmp_path / "net.onnx")
    images = np.random.default_rng(1).integers(0, 256, (FRAMES, 3, 6, 5), np.uint8)
    steps = (_sums(b, images)[..., None] >= levels).sum(axis=-1)
    expected = steps.reshape(FRAMES, -1) @ _initial(b, "matrix")
    assert np.array_equal(_scores(path, tmp_path, images), expected)


@pytest.mark.parametrize("layout", ["NCHW", ""])
def test_thresholds_run_over_the_axis_that_is_named_also_where_it_is_that_of_rows(layout, tmp_path):
    b, x = _by_hand()
    levels = np.sort(b.rng.normal(0, 4, (4, 3)).round() + 0.5, axis=1)
    more = {"data_layout": layout} if layout else {}
    x = b.op("MultiThreshold", x, b.constant(levels), domain=QONNX, out_dtype="UINT2", **more)
    path = _save(b, x, 3, tmp_path / "net.onnx")
    images = np.random.default_rng(1).integers(0, 256, (FRAMES, 3, 6, 5), np.uint8)
    expected = (_sums(b, images)[..., None] >= levels[:, None, None]).sum(axis=-1)
    assert np.array_equal(_scores(path, tmp_path, images), expected.reshape(FRAMES, -1))


def test_a_data_layout_of_other_dimensions_is_refused(tmp_path):
    b, x = _by_hand()
    table = b.constant(np.sort(b.rng.normal(0, 4, (4, 3)), axis=1))
    x = b.op("MultiThreshold", x, table, domain=QONNX, out_dtype="UINT2", data_layout="NC")
    path = _save(b, x, 3, tmp_path / "net.onnx")
    with pytest.raises(InputError, match="a data_layout of 4 dimensions"):
        import_onnx(path, tmp_path / "out")


@pytest.mark.parametrize("keepdims", [0, 1])
def test_mean_of_channels_last_maps(keepdims, tmp_path):
    b, x = _by_hand()
    x = b.bipolar(b.op("ReduceMean", b.bipolar(x), axes=[1, 2], keepdims=keepdims))
    x = b.op("Flatten", x) if keepdims else x
    matrix = _named(b, "matrix", b.rng.choice([-1.0, 1.0], (4, 3)))
    path = _save(b, b.op("MatMul", x, matrix), 3, tmp_path / "net.onnx")
    images = np.random.default_rng(1).integers(0, 256, (FRAMES, 3, 6, 5), np.uint8)
    means = np.where(_sums(b, images) >= 0, 1, -1).mean(axis=(1, 2))
    expected = np.where(means >= 0, 1, -1) @ _initial(b, "matrix")
    assert np.array_equal(_scores(path, tmp_path, images), expected)


def test_a_constant_a_channel_in_front_of_the_first_layer_tells_the_layout(tmp_path):
    b = Builder((1, 5, 6, 3), seed=8)
    x = b.op("Sub", "x", b.constant(b.rng.uniform(0.3, 0.7, (1, 1, 1, 3))))
    x = b.op("Transpose", b.bipolar(x), perm=[0, 3, 1, 2])
    x = b.op("Flatten", b.bipolar(b.conv(x, b.signs(4, 3, 3, 3), 3)))
    path = _save(b, b.op("MatMul", x, b.signs(4 * 3 * 4, 3)), 3, tmp_path / "net.onnx")
    imported = import_onnx(path, tmp_path, input_type="uint8")
    assert imported.workload.input.shape == [3, 5, 6]
    images = np.random.default_rng(1).integers(0, 256, (FRAMES, 3, 5, 6), np.uint8)
    cleanup_model(ModelWrapper(str(path))).save(str(path))
    _equals_qonnx(path, imported, images, True)


def test_weights_that_do_not_fit_their_kernel_are_refused(tmp_path):
    b = Builder((1, 8, 8, 3), seed=9)
    x = b.op(
        "Conv", b.bipolar("x"), b.signs(4, 3, 3, 2), domain=CHANNELS_LAST_DOMAIN, kernel_shape=[3, 3],
        strides=[1, 1], pads=[0] * 4, dilations=[1, 1], group=1,
    )  # fmt: skip
    path = b.save(x, tmp_path / "net.onnx")
    with pytest.raises(InputError, match="expected weights for 3 channels in 1 groups"):
        import_onnx(path, tmp_path / "out")
