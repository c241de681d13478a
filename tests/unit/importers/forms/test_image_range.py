"""Means and deviations of each channel in front of the first layer, against onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.cli.app import run
from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import check_parameters
from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx, import_options, lower_model
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement

MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RANGES = [((0 - m) / d, (1 - m) / d) for m, d in zip(MEANS, DEVIATIONS, strict=True)]


def _network(b: Builder, x: str) -> str:
    x = b.batch_norm(b.conv(x, b.constant(b.rng.normal(0, 0.3, (6, 3, 3, 3))), 3, pad=1), 6, 2)
    return b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(6 * 36, 5))


def _normalised(b: Builder, x: str) -> str:
    shape = (1, 3, 1, 1)
    x = b.op("Sub", x, b.constant(np.reshape(MEANS, shape)))
    return b.op("Div", x, b.constant(np.reshape(DEVIATIONS, shape)))


def test_normalisation_inside_the_model(tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    found = agreement(b, _network(b, _normalised(b, "x")), tmp_path, images=300, real_layers="int16")
    assert found.same() >= 0.9 and np.median(found.off) == 0


def test_normalisation_in_front_of_the_model_by_a_range_for_each_channel(tmp_path):
    b = Builder((1, 3, 6, 6), seed=4)
    model = b.model(_network(b, "x"))
    onnx.save(model, tmp_path / "net.onnx")
    options = import_options(input_type="uint8", image_range=RANGES, real_layers="int16")
    lowered = lower_model(model, "net.onnx", "net", options)
    pixels = np.random.default_rng(0).integers(0, 256, (300, 3, 6, 6), np.uint8)
    mean, deviation = (np.reshape(v, (3, 1, 1)) for v in (MEANS, DEVIATIONS))
    reals = ((pixels / 255 - mean) / deviation).astype(np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
    wanted = np.concatenate([session.run(None, {"x": one[None]})[0] for one in reals])
    network, head = resolve_network(lowered.workload), lowered.outputs[0]
    parameters = check_parameters(network, lowered.arrays, "here")
    found = execute(network, parameters, frames_from_images(network, pixels)).outputs[head.layer]
    off = np.abs(found.reshape(300, -1) * float(head.gain) + float(head.offset) - wanted).max(axis=1)
    assert np.mean(off < 1e-4) >= 0.9 and np.median(off) < 1e-4


def test_check_reads_the_ranges_and_floats_in_them(tmp_path):
    b = Builder((1, 3, 6, 6), seed=5)
    path = b.save(_network(b, "x"), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8", image_range=RANGES, real_layers="int8")
    assert found.workload.imported_with.image_range == [list(pair) for pair in RANGES]
    assert check_model(path, found.workload_path, random_inputs=30).verdict in ("equal", "flips")
    pixels = np.random.default_rng(1).integers(0, 256, (5, 3, 6, 6))
    mean, deviation = (np.reshape(v, (3, 1, 1)) for v in (MEANS, DEVIATIONS))
    np.save(tmp_path / "reals.npy", ((pixels / 255 - mean) / deviation).astype(np.float32))
    report = check_model(path, found.workload_path, images=tmp_path / "reals.npy")
    assert report.verdict in ("equal", "flips") and report.inputs == 5


def test_ranges_on_the_command_line(tmp_path, capsys):
    b = Builder((1, 3, 6, 6), seed=6)
    path = b.save(_network(b, "x"), tmp_path / "net.onnx")
    ranges = [word for pair in RANGES for word in ("--image-range", *(f"{one:.6f}" for one in pair))]
    more = ["--out", str(tmp_path), "--input-type", "uint8", "--real-layers", "int8"]
    assert run(["import", "onnx", str(path), *more, *ranges]) == 0
    shown = capsys.readouterr().out
    assert "real weights" in shown and "distance  of" in shown
    assert run(["check", str(path), str(tmp_path / "net.yaml"), "--random-inputs", "5"]) == 0
    assert run(["import", "onnx", str(path), *more, *ranges[:6], "--force"]) == 2
    assert "one image range, or one for each of 3 channels, got 2" in capsys.readouterr().err


def test_ranges_that_cannot_be(tmp_path):
    b = Builder((1, 3, 6, 6), seed=7)
    path = b.save(_network(b, "x"), tmp_path / "net.onnx")
    with pytest.raises(SpecError, match="input type uint8 where channels have image ranges"):
        import_onnx(path, tmp_path, input_type="fixed8.7", image_range=RANGES, real_layers="int8")
    with pytest.raises(SpecError, match="LOW below HIGH"):
        import_onnx(path, tmp_path, input_type="uint8", image_range=[(0, 1), (1, 0), (0, 1)])
