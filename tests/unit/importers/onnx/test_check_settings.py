"""``check`` imports again as the user did: what an import was told stands in the workload."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402


def _raw_pixels(folder):
    """A first layer on real pixels and a sign: the range of the pixels moves its thresholds."""
    builder = Builder((1, 16), seed=3)
    weights = builder.constant(np.where(builder.rng.random((16, 8)) < 0.5, -1.0, 1.0))
    sums = builder.op("MatMul", "x", weights)
    bias = builder.constant(builder.rng.normal(size=8))
    shifted = builder.op("Add", sums, bias)
    bits = builder.op("Sign", shifted)
    last = builder.constant(np.where(builder.rng.random((8, 3)) < 0.5, -1.0, 1.0))
    return builder.save(builder.op("MatMul", bits, last), folder / "net.onnx")


@pytest.mark.parametrize("image_range", [(-1.0, 1.0), (0.25, 3.5)])
def test_the_range_of_pixels_that_an_import_was_given_need_not_be_repeated(tmp_path, image_range):
    path = _raw_pixels(tmp_path)
    imported = import_onnx(
        path, tmp_path, input_type="uint8", image_range=image_range, sign_of_zero="plus"
    )
    assert imported.workload.imported_with.image_range == list(image_range)
    assert check_model(path, imported.workload_path, random_inputs=20).verdict == "equal"
    other = check_model(path, imported.workload_path, random_inputs=20, image_range=(0.0, 9.0))
    assert other.verdict == "wrong"


def test_an_import_that_was_told_nothing_says_nothing(tmp_path):
    builder = Builder((1, 16), seed=3)
    weights = builder.constant(np.where(builder.rng.random((16, 8)) < 0.5, -1.0, 1.0))
    path = builder.save(builder.op("MatMul", builder.op("Sign", "x"), weights), tmp_path / "net.onnx")
    imported = import_onnx(path, tmp_path)
    assert imported.workload.imported_with is None
    assert "imported_with" not in imported.workload_path.read_text()


def _of_a_batch(folder, batch):
    """As exporters write it: a convolution and reshapes that hold the batch, one read from a shape."""
    builder = Builder((batch, 2, 5, 5), seed=4)
    sums = builder.op("Conv", builder.op("Sign", "x"), builder.signs(4, 2, 3, 3), kernel_shape=[3, 3])
    rows = builder.op("Reshape", sums, builder.constant([batch, -1], np.int64))
    shape = builder.op("Shape", rows)
    shifted = builder.op("Add", rows, builder.constant(0.5))
    bits = builder.op("Reshape", builder.op("Sign", shifted), shape)
    return builder.save(builder.op("MatMul", bits, builder.signs(36, 3)), folder / "net.onnx")


@pytest.mark.parametrize("batch", [2, 7, 64])
def test_a_model_that_was_exported_for_a_batch_runs_on_batches(tmp_path, batch):
    path = _of_a_batch(tmp_path, batch)
    imported = import_onnx(path, tmp_path, sign_of_zero="plus")
    report = check_model(path, imported.workload_path, random_inputs=9)
    assert (report.verdict, report.inputs) == ("equal", 9)
    arrays = dict(np.load(imported.weights_path))
    key = next(name for name in arrays if name.endswith(".weights"))
    arrays[key].reshape(-1)[0] ^= 1
    np.savez(imported.weights_path, **arrays)
    assert check_model(path, imported.workload_path, random_inputs=9).verdict == "wrong"


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_cube_of_an_image_is_read_as_the_import_read_it(tmp_path, kernel):
    """Three channels, rows and columns: shapes do not tell whether channels come last."""
    builder = Builder((1, 3, 3, 3), seed=6)
    last = "qonnx.custom_op.channels_last"
    weights = builder.signs(4, kernel, kernel, 3)
    sums = builder.op("Conv", builder.op("Sign", "x"), weights, domain=last, kernel_shape=[kernel] * 2)
    path = builder.save(sums, tmp_path / "net.onnx")
    imported = import_onnx(path, tmp_path, sign_of_zero="plus", image_range=(-1, 1))
    assert check_model(path, imported.workload_path, random_inputs=9).verdict == "equal"


@pytest.mark.parametrize(
    ("rows", "image_range", "kind"),
    [
        ([-0.5, 0.5], None, "uint2"),
        ([0.125 * level for level in range(1, 8)], None, "uint3"),
        ([-0.75, -0.25, 0.25], (-2.0, 2.0), "uint2"),
    ],
)
def test_equal_rows_of_thresholds_in_front_of_all_are_the_input(tmp_path, rows, image_range, kind):
    builder = Builder((1, 16), seed=7)
    table = builder.constant(np.tile(rows, (16, 1)))
    settings = {"domain": "qonnx.custom_op.general", "out_dtype": "INT4", "out_bias": -1.0}
    levels = builder.op("MultiThreshold", "x", table, **settings)
    sums = builder.op("MatMul", levels, builder.signs(16, 5))
    path = builder.save(sums, tmp_path / "net.onnx")
    imported = import_onnx(path, tmp_path, image_range=image_range)
    assert str(imported.workload.input.type) == kind
    assert check_model(path, imported.workload_path, random_inputs=30).verdict == "equal"


@pytest.mark.parametrize(
    ("rows", "image_range"),
    [([0.1, 0.2, 0.5], None), ([-0.5, 0.5], (-4.0, 4.0)), ([0.5, 0.5], None)],
)
def test_rows_of_thresholds_that_no_input_type_holds_are_refused_by_that_name(
    tmp_path, rows, image_range
):
    builder = Builder((1, 16), seed=7)
    table = builder.constant(np.tile(rows, (16, 1)))
    settings = {"domain": "qonnx.custom_op.general", "out_dtype": "UINT2"}
    levels = builder.op("MultiThreshold", "x", table, **settings)
    path = builder.save(builder.op("MatMul", levels, builder.signs(16, 5)), tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"\(MatMul\): expected a quantiser .*, got one whose levels no"):
        import_onnx(path, tmp_path, image_range=image_range)
