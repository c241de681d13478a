"""Real-valued layers rounded on demand: what they become, how far that is, and that it is said."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model, model_distances
from bnnsim.importers.onnx.network import import_onnx
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _real_ends(seed: int = 3) -> tuple[Builder, str]:
    """A real first convolution, a binary block with a shortcut, a real 1x1 and a real classifier."""
    b = Builder((1, 3, 8, 8), seed=seed)
    x = b.batch_norm(b.conv("x", b.constant(b.rng.normal(0, 0.3, (6, 3, 3, 3))), 3, pad=1), 6, 1)
    y = b.batch_norm(b.conv(b.op("Sign", x), b.signs(6, 6, 3, 3), 3, pad=1), 6, 6)
    x = b.op("AveragePool", b.op("Add", y, x), kernel_shape=[2, 2], strides=[2, 2])
    x = b.batch_norm(b.conv(x, b.constant(b.rng.normal(0, 0.3, (8, 6, 1, 1))), 1), 8, 1)
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", x)))
    weights = b.constant(b.rng.normal(0, 0.3, (5, 8)))
    return b, b.op("Gemm", x, weights, b.constant(b.rng.normal(0, 1, 5)), transB=1)


@pytest.mark.parametrize(("word", "share"), [("int16", 0.95), ("int12", 0.8), ("int8", 0.0)])
def test_scores_come_nearer_with_bits(word, share, tmp_path):
    b, output = _real_ends()
    found = agreement(b, output, tmp_path, images=300, real_layers=word)
    assert found.same(1e-3) >= share
    assert np.median(found.off) <= {"int16": 1e-4, "int12": 1e-3, "int8": 2e-2}[word]
    kinds = [str(one.weight) for one in found.workload.layers if one.op in ("conv", "linear")]
    assert (word if word == "int8" else f"fixed{word[3:]}.0") in kinds


@pytest.mark.parametrize("word", ["int8", "int4", "int16"])
def test_check_is_exact_with_rounded_weights_and_tells_the_distance(word, tmp_path):
    b, output = _real_ends(seed=4)
    path = b.save(output, tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8", real_layers=word)
    assert found.workload.imported_with.real_layers == word
    report = check_model(path, found.workload_path, random_inputs=40)
    assert report.verdict in ("equal", "flips"), str(report)
    assert report.outputs[0].worst <= report.outputs[0].allowed
    (distance,) = report.distances
    assert 0 < distance.mean < distance.worst
    assert model_distances(path, found.workload_path, 40) == report.distances
    assert "distance  of" in str(report) and "predictions equal" in str(report)
    finer = {"int4": 0.5, "int8": 0.05, "int16": 1e-3}[word]
    assert distance.mean < finer * distance.span


def test_distance_is_that_of_onnxruntime(tmp_path):
    import onnxruntime

    b, output = _real_ends(seed=5)
    path = b.save(output, tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8", real_layers="int8")
    images = np.random.default_rng(1).integers(0, 256, (30, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "images.npz", images_u8=images)
    report = check_model(path, found.workload_path, images=tmp_path / "images.npz")
    session = onnxruntime.InferenceSession(str(path))
    reals = (images / 255).astype(np.float32)
    scores = np.concatenate([session.run(None, {"x": one[None]})[0] for one in reals])
    assert report.distances[0].span == pytest.approx(np.ptp(scores), rel=1e-4)


def test_real_weights_are_refused_where_nothing_is_said(tmp_path):
    b, output = _real_ends()
    path = b.save(output, tmp_path / "net.onnx")
    with pytest.raises(SpecError, match="or --real-layers int8"):
        import_onnx(path, tmp_path, input_type="uint8")
    for word in ("int3", "int17", "fixed8.4", "8"):
        with pytest.raises(SpecError, match="real layers: expected int4 to int16"):
            import_onnx(path, tmp_path, input_type="uint8", real_layers=word)


def test_a_layer_that_was_rounded_otherwise_is_found(tmp_path):
    b, output = _real_ends(seed=6)
    path = b.save(output, tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8", real_layers="int8")
    arrays = dict(np.load(found.weights_path))
    wrong = arrays["conv0.weights"].copy()
    wrong[2, 1, 0, 2] += 1 if wrong[2, 1, 0, 2] < 127 else -1
    np.savez(found.weights_path, **{**arrays, "conv0.weights": wrong})
    assert check_model(path, found.workload_path, random_inputs=20).verdict == "wrong"


def _wide(kind: str, seed: int) -> tuple[Builder, str]:
    """Sums on sums: words of 32 bits over 1,024 pixels and 64 channels, three convolutions of each
    channel by itself with no step between them, or such sums added."""
    b = Builder((1, 3, 32, 32), seed=seed)

    def real(*shape: int) -> str:
        return b.constant(b.rng.normal(0, 0.3, shape))

    def deep(x: str) -> str:
        for _ in range(3):
            x = b.conv(x, real(4, 1, 3, 3), 3, pad=1, group=4)
        return x

    if kind == "average":
        x, channels = b.op("Relu", b.conv("x", real(64, 3, 1, 1), 1)), 64
    else:
        x, channels = b.op("Relu", b.conv("x", real(4, 3, 1, 1), 1)), 4
        x = deep(x) if kind == "chain" else b.op("Add", deep(x), deep(x))
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b, b.op("Gemm", x, real(5, channels), b.constant(b.rng.normal(0, 1, 5)), transB=1)


@pytest.mark.parametrize("kind", ["average", "chain", "add"])
def test_sums_wider_than_a_workload_holds_come_in_fixed_point_first(kind, tmp_path):
    b, output = _wide(kind, seed=7)
    found = agreement(b, output, tmp_path, images=60, real_layers="int16")
    assert found.same(1e-3) >= 0.95
    path = tmp_path / "net.onnx"
    imported = import_onnx(path, tmp_path, input_type="uint8", real_layers="int16")
    report = check_model(path, imported.workload_path, random_inputs=20)
    assert report.verdict == "equal", str(report)
    assert report.outputs[0].worst <= report.outputs[0].allowed


def test_weights_that_are_exact_stay_as_they_are(tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    x = b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1)
    output = b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(216, 4))
    onnx.save(b.model(output), tmp_path / "net.onnx")
    found = import_onnx(tmp_path / "net.onnx", tmp_path, input_type="uint8", real_layers="int8")
    assert [str(layer.weight) for layer in found.workload.layers] == ["bipolar", "bipolar"]
    assert check_model(tmp_path / "net.onnx", found.workload_path).distances == ()
