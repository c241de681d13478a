"""Models that cannot be imported: one clear line each, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from bnnsim.importers.exact.inversion import least_inputs  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.spec.faults import InputError, SpecError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402


def _refused(model: Any, tmp_path: Path, match: str, **options: Any) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    _refused_file(path, tmp_path, match, **options)


def _refused_file(path: Path, tmp_path: Path, match: str, **options: Any) -> None:
    out = tmp_path / "out"
    with pytest.raises(SpecError, match=match) as caught:
        import_onnx(path, out, **options)
    assert "\n" not in str(caught.value)
    assert not out.exists()


def _mlp(b: Builder, features: int = 6) -> str:
    return b.op("MatMul", b.bipolar("x"), b.signs(features, 3))


def test_missing_file(tmp_path):
    _refused_file(tmp_path / "gone.onnx", tmp_path, "expected an ONNX file, got nothing there")


def test_folder_in_place_of_a_file(tmp_path):
    _refused_file(tmp_path, tmp_path, "expected an ONNX file, got a folder")


def test_truncated_file(tmp_path):
    b = Builder((1, 6))
    path = b.save(_mlp(b), tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:-40])
    _refused_file(path, tmp_path, "expected a whole ONNX file, got .* bytes")


def test_empty_file(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"")
    _refused_file(tmp_path / "net.onnx", tmp_path, "expected a whole ONNX file, got 0 bytes")


def test_text_file(tmp_path):
    (tmp_path / "net.onnx").write_text("name: cnv\nlayers: []\n")
    _refused_file(tmp_path / "net.onnx", tmp_path, "expected a whole ONNX file")


def test_initialiser_that_lost_its_contents(tmp_path):
    b = Builder((1, 6))
    model = b.model(_mlp(b))
    model.graph.initializer[1].raw_data = b"\0" * 8
    _refused(model, tmp_path, "c1: expected as many numbers as its shape says")


def test_unknown_operator(tmp_path):
    b = Builder((1, 6))
    model = b.model(b.op("Softplus", _mlp(b)))
    _refused(model, tmp_path, r"softplus_2 \(Softplus\)|softplus_2: expected an operator that can be")


def test_unknown_operator_s_near_miss_is_named(tmp_path):
    b = Builder((1, 3, 8, 8))
    model = b.model(b.op("GlobalLpPool", b.bipolar("x")))
    _refused(model, tmp_path, "got GlobalLpPool")


def test_unknown_domain(tmp_path):
    b = Builder((1, 6))
    model = b.model(b.op("BinaryConv", "x", domain="my.company"))
    _refused(model, tmp_path, "expected an operator of ai.onnx, .*, got my.company.BinaryConv")


def test_dynamic_shape(tmp_path):
    b = Builder(("batch", 3, "height", "width"))
    model = b.model(b.conv(b.bipolar("x"), b.signs(4, 3, 3, 3), 3))
    expected = r"input x: expected a shape that is fixed but for the batch .*, got \[batch, 3, height"
    _refused(model, tmp_path, expected)


def test_batch_that_is_left_open_is_accepted(tmp_path):
    b = Builder(("batch", 6))
    path = b.save(_mlp(b), tmp_path / "net.onnx")
    assert import_onnx(path, tmp_path).workload.input.shape == [6]


def test_convolution_that_is_not_binary(tmp_path):
    b = Builder((1, 3, 8, 8))
    weights = b.constant(b.rng.normal(0, 1, (4, 3, 3, 3)))
    model = b.model(b.conv(b.bipolar("x"), weights, 3))
    expected = r"conv_1 \(Conv\): expected binary weights .*, got 27 different magnitudes"
    _refused(model, tmp_path, expected)


def test_input_that_nobody_quantises(tmp_path):
    b = Builder((1, 3, 8, 8))
    model = b.model(b.conv("x", b.signs(4, 3, 3, 3), 3))
    _refused(model, tmp_path, "expected a quantiser in front of the first layer, or an input type")


def test_a_sigmoid_beside_a_tanh_in_one_tensor(tmp_path):
    b = Builder((1, 4, 4, 4))
    x = b.conv(b.bipolar("x"), b.signs(4, 4, 1, 1), 1)
    x = b.op("Concat", b.op("Tanh", x), b.op("Sigmoid", x), axis=1)
    message = "expected the same sigmoid or tanh in every channel, got some that differ"
    _refused(b.model(b.conv(x, b.signs(2, 8, 1, 1), 1)), tmp_path, message)


@pytest.mark.parametrize("opset", [6, 99])
def test_opset_out_of_range(opset, tmp_path):
    b = Builder((1, 6), opset=opset)
    model = b.model(_mlp(b))
    _refused(model, tmp_path, f"expected standard operators of opset 7 to 25, got opset {opset}")


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../weights.bin"])
def test_external_data_outside_the_folder(location, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"\0" * 72)
    b = Builder((1, 6))
    model = b.model(_mlp(b))
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    (tmp_path / "model").mkdir()
    path = tmp_path / "model" / "net.onnx"
    path.write_bytes(model.SerializeToString())
    _refused_file(path, tmp_path, "c1: expected external data inside .*model, got ")


def test_external_data_that_is_missing(tmp_path):
    b = Builder((1, 6))
    model = b.model(_mlp(b))
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    _refused_file(tmp_path / "net.onnx", tmp_path, "external data weights.bin, got nothing there")


def test_external_data_beside_the_model_is_read(tmp_path):
    b = Builder((1, 6))
    model = b.model(_mlp(b))
    path = tmp_path / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert import_onnx(path, tmp_path).workload.layers[0].out == 3


def test_two_inputs(tmp_path):
    b = Builder((1, 6))
    model = b.model(_mlp(b))
    model.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 6)))
    _refused(model, tmp_path, "expected a model with one input, got x, y")


def test_output_that_ignores_the_input(tmp_path):
    b = Builder((1, 6))
    b.op("Identity", "x")
    _refused(b.model(b.constant([1.0])), tmp_path, "expected an output that depends on the input")


def test_batch_norm_with_negative_variance(tmp_path):
    b = Builder((1, 6))
    columns = [b.constant([v] * 3) for v in (1.0, 0.0, 0.0, -1.0)]
    model = b.model(b.bipolar(b.op("BatchNormalization", _mlp(b), *columns)))
    _refused(model, tmp_path, "expected variances above 0, got -1.0")


def test_batch_norm_with_infinite_mean(tmp_path):
    b = Builder((1, 6))
    columns = [b.constant([v] * 3) for v in (1.0, 0.0, np.inf, 1.0)]
    model = b.model(b.bipolar(b.op("BatchNormalization", _mlp(b), *columns)))
    _refused(model, tmp_path, "expected finite constants, got infinite or NaN")


def test_output_of_channels_in_parts(tmp_path):
    b = Builder((1, 4, 4, 4))
    x = b.conv(b.bipolar("x"), b.signs(4, 4, 1, 1), 1)
    x = b.op("Reshape", b.bipolar(x), b.constant([1, 2, 2, 4, 4], np.int64))
    _refused(b.model(x), tmp_path, "expected an output whose elements lie as a layer's")


def test_gate_of_several_channels_that_is_broadcast(tmp_path):
    b = Builder((1, 4, 4, 4))
    x = b.conv(b.bipolar("x"), b.signs(4, 4, 1, 1), 1)
    gate = b.conv(b.bipolar("x"), b.signs(2, 4, 1, 1), 1)
    message = r"expected factors of one shape, or a gate for one of them, got \[1, 4, 4, 4\]"
    _refused(b.model(b.op("Mul", x, b.op("Relu", gate))), tmp_path, message)


def test_branches_of_different_shapes(tmp_path):
    b = Builder((1, 6))
    x = b.bipolar("x")
    wide, narrow = b.op("MatMul", x, b.signs(6, 3)), b.op("MatMul", x, b.signs(6, 2))
    _refused(b.model(b.op("Add", wide, narrow)), tmp_path, r"expected shapes that are equal \(\[3\]\)")


def test_word_length_that_is_none(tmp_path):
    b = Builder((1, 6))
    path = b.save(_mlp(b), tmp_path / "net.onnx")
    _refused_file(path, tmp_path, "fixed: expected auto or fixedW.F", fixed="int8")
    _refused_file(path, tmp_path, "input type: expected bipolar, uint1..uint8", input_type="float")


def test_missing_package_is_named(tmp_path, monkeypatch):
    import builtins

    real: Callable[..., Any] = builtins.__import__

    def without_onnx(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "onnx":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    b = Builder((1, 6))
    path = b.save(_mlp(b), tmp_path / "net.onnx")
    monkeypatch.setattr(builtins, "__import__", without_onnx)
    with pytest.raises(InputError, match=r"the package onnx \(pip install onnx\)"):
        import_onnx(path, tmp_path / "out")


def test_full_folder_leaves_nothing_half_written(tmp_path):
    b = Builder((1, 6))
    path = b.save(_mlp(b), tmp_path / "net.onnx")
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="expected a folder that can be written"):
        import_onnx(path, tmp_path / "out")


def test_array_of_a_model_survives_the_file(tmp_path):
    b = Builder((1, 6))
    weights = b.signs(6, 3)
    stored = numpy_helper.to_array(b.initializers[-1]).T
    path = b.save(b.op("MatMul", b.bipolar("x"), weights), tmp_path / "net.onnx")
    with np.load(import_onnx(path, tmp_path).weights_path) as archive:
        assert np.array_equal(archive["fc0.weights"] * 2.0 - 1, stored)


def test_operator_without_its_inputs_is_one_line(tmp_path):
    b = Builder((1, 6))
    model = b.model(b.op("Mul", _mlp(b)))
    expected = r"mul_2 \(Mul\): expected inputs and attributes as ONNX defines them"
    _refused(model, tmp_path, expected)


def test_attribute_that_is_not_a_number_is_one_line(tmp_path):
    b = Builder((1, 6))
    columns = [b.constant([v] * 3) for v in (1.0, 0.0, 0.0, 1.0)]
    x = b.op("BatchNormalization", _mlp(b), *columns, epsilon=float("nan"))
    _refused(b.model(b.bipolar(x)), tmp_path, r"\(BatchNormalization\): expected epsilon a finite")


@pytest.mark.parametrize(
    ("low", "high", "got"),
    [(float("nan"), 1, "nan 1"), (0, float("inf"), "0 inf"), (1, 1, "1 1"), (1, -1, "1 -1")],
)
def test_image_range_must_be_two_finite_numbers_that_rise(low, high, got, tmp_path):
    b = Builder((1, 6))
    match = f"^image range: expected two finite numbers, LOW below HIGH, got {got}$"
    _refused(b.model(_mlp(b)), tmp_path, match, image_range=(low, high))


@pytest.mark.parametrize("name", ["my net", "../net", "", "1net", "n" * 161])
def test_name_that_no_workload_can_have(name, tmp_path):
    b = Builder((1, 6))
    path = b.save(_mlp(b), tmp_path / "net.onnx")
    _refused_file(path, tmp_path, "name: expected a name of at most 160 letters, digits", name=name)


@pytest.mark.parametrize("stem", ["my net (v2)", "1net", "...", "n" * 200])
def test_file_s_name_becomes_one_that_a_workload_can_have(stem, tmp_path):
    b = Builder((1, 6))
    path = b.save(_mlp(b), tmp_path / f"{stem}.onnx")
    assert import_onnx(path, tmp_path).workload_path.is_file()


def test_joins_that_double_their_channels_over_and_over_are_refused(tmp_path):
    b = Builder((1, 8, 2, 2))
    x = b.bipolar("x")
    for _ in range(12):
        x = b.op("Concat", *[x] * 8, axis=1)
    path = b.save(b.op("Sign", x), tmp_path / "net.onnx")
    expected = "expected at most 1048576 channels in all joins, got 2097152 in the one after 5 others"
    _refused_file(path, tmp_path, expected)


@pytest.mark.parametrize("bits", [12, 24, 32])
def test_levels_are_counted_before_their_thresholds_are_looked_for(bits, tmp_path, monkeypatch):
    most = 0

    def counted(chain, levels, low, high):
        nonlocal most
        most = max(most, len(levels))
        return least_inputs(chain, levels, low, high)

    monkeypatch.setattr("bnnsim.importers.onnx.operators.quantise.least_inputs", counted)
    b = Builder((1, 12))
    sums = b.op("MatMul", b.bipolar("x"), b.signs(12, 4))
    values = [b.constant(value) for value in (1e-12, 0.0, float(bits))]
    settings = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
    quantised = b.op("Quant", sums, *values, domain="qonnx.custom_op.general", **settings)
    model = b.model(b.op("MatMul", quantised, b.signs(4, 3)))
    _refused(model, tmp_path, "expected activations of at most 8 bits, got")
    assert most <= 256


def test_constant_that_is_no_number_is_called_that(tmp_path):
    b = Builder((1, 6))
    biases = b.constant([np.nan, 0.0, 0.0])
    _refused(b.model(b.op("Add", _mlp(b), biases)), tmp_path, "Add.: expected finite constants")


def test_layer_beyond_the_bounds_is_refused_under_the_model_s_name(tmp_path):
    b = Builder((1, 1, 6, 6))
    sums = b.op("Conv", b.bipolar("x"), b.signs(2, 1, 3, 3), kernel_shape=[3, 3], pads=[10**9] * 4)
    model = b.model(b.op("Flatten", sums))
    _refused(model, tmp_path, r"net.onnx: layers.conv0.pad: expected a padded map")
