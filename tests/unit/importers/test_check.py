"""What ``check`` says: verdicts told apart, inputs as models are shipped with them, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.cli.app import run  # noqa: E402
from bnnsim.importers.check import check  # noqa: E402
from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.onnx import network  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.golden.imported.onnx_models import Builder, residual  # noqa: E402
from tests.mutations.networks import conv, heads, pool  # noqa: E402


def _residual(folder: Path) -> Path:
    builder = Builder((1, 3, 8, 8), seed=1)
    return builder.save(residual(builder), folder / "net.onnx")


def test_signs_that_flip_within_the_stated_bound_are_counted_apart(tmp_path):
    path = _residual(tmp_path)
    imported = import_onnx(path, tmp_path, fixed="fixed16.6")
    report = check_model(path, imported.workload_path, random_inputs=40)
    assert report.verdict == "flips"
    (output,) = report.outputs
    assert {"equal", "flips"} == set(output.verdicts)
    flips = [layer.flips for layer in report.layers if layer.flips.count]
    assert flips and all(0 < one.farthest <= one.bound for one in flips)
    assert "flips     " in str(report) and "from the step" in str(report)


def test_signs_behind_a_prelu_that_falls_and_rises_flip_within_its_rounding(tmp_path):
    b = Builder((1, 3, 8, 8), seed=2)
    x = b.bipolar(b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0)))
    x = b.batch_norm(b.conv(x, b.signs(8, 3, 3, 3), 3), 8, 5)
    x = b.op("PRelu", x, b.constant(b.rng.uniform(-0.4, 0.4, (8, 1, 1))))
    x = b.op("Add", b.batch_norm(b.conv(b.bipolar(x), b.signs(8, 8, 3, 3), 3, 1), 8, 8), x)
    path = b.save(b.op("MatMul", b.op("Flatten", b.bipolar(x)), b.signs(288, 4)), tmp_path / "net.onnx")
    imported = import_onnx(path, tmp_path, fixed="fixed16.5")
    report = check_model(path, imported.workload_path, random_inputs=40)
    assert report.verdict == "flips"
    counts = {layer.layer: layer.flips for layer in report.layers if layer.flips.count}
    assert "sign1" in counts  # it reads what the PReLU rounded
    assert all(0 < one.farthest <= one.bound for one in counts.values())


def test_signs_behind_rounded_sums_flip_also_where_the_import_turned_rows(tmp_path):
    """A 1x1 layer of real weights on real values, whose norm has gains of both signs, and a shortcut."""
    b = Builder((1, 3, 8, 8), seed=3)
    x = b.op("Relu", b.batch_norm(b.conv("x", b.constant(b.rng.normal(0, 0.3, (6, 3, 3, 3))), 3), 6, 1))
    x = b.conv(x, b.constant(b.rng.normal(0, 0.3, (8, 6, 1, 1))), 1)
    x = b.batch_norm(x, 8, 1)
    y = b.batch_norm(b.conv(b.bipolar(x), b.signs(8, 8, 3, 3), 3, 1), 8, 8, gain="positive")
    x = b.op("Add", y, x)
    path = b.save(b.op("MatMul", b.op("Flatten", b.bipolar(x)), b.signs(288, 4)), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8", real_layers="int8", fixed="fixed16.6")
    report = check_model(path, found.workload_path, random_inputs=40)
    assert report.verdict == "flips", str(report)
    counts = {layer.layer: layer.flips.count for layer in report.layers if layer.flips.count}
    assert "sign0" in counts, counts  # it reads the turned rows' sums


def test_a_model_in_which_a_layer_does_not_read_what_the_workload_says_is_told_as_wrong(tmp_path):
    """The sum of a shortcut is nobody's source any more, and comes last."""
    path = _residual(tmp_path)
    imported = import_onnx(path, tmp_path, fixed="fixed16.6")
    model = onnx.load(path)
    nodes = list(model.graph.node)
    sums = [node for node in nodes if node.op_type == "Add"]
    total = next(node for node in sums if node.input[1] not in _constants(model))
    for node in nodes:
        for place, name in enumerate(node.input):
            if name == total.output[0]:
                node.input[place] = total.input[0]
    nodes.remove(total)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, total])
    onnx.save(model, path)
    assert check_model(path, imported.workload_path, random_inputs=8).verdict == "wrong"


def _constants(model):
    return {one.name for one in model.graph.initializer}


def test_a_model_of_another_input_than_the_workload_s_is_one_line(tmp_path, monkeypatch):
    """A file that says another input than its layers give, as damaged ones do."""
    path = _residual(tmp_path)
    imported = import_onnx(path, tmp_path, fixed="fixed16.6")
    read = check.reference_of
    monkeypatch.setattr(check, "reference_of", lambda *of: replace(read(*of), input_shape=(3, 9, 3)))
    with pytest.raises(InputError, match=r"net.onnx: expected an input of 192 elements, .* \[3, 9, 3\]"):
        check_model(path, imported.workload_path)


def test_a_flip_farther_than_the_bound_is_wrong(tmp_path, monkeypatch):
    path = _residual(tmp_path)
    imported = import_onnx(path, tmp_path, fixed="fixed16.6")
    lowered = network._lowered

    def boastful(*given):
        found = lowered(*given)
        return replace(found, errors={name: error / 50 for name, error in found.errors.items()})

    monkeypatch.setattr(network, "_lowered", boastful)
    assert check_model(path, imported.workload_path, random_inputs=40).verdict == "wrong"


def test_an_allowance_above_a_hundredth_of_the_span_is_never_called_equal(tmp_path, monkeypatch):
    path = conv(tmp_path)
    imported = import_onnx(path, tmp_path)
    lowered = network._lowered

    def modest(*given):
        found = lowered(*given)
        outputs = tuple(replace(one, error=Fraction(1)) for one in found.outputs)
        return replace(found, outputs=outputs)

    monkeypatch.setattr(network, "_lowered", modest)
    report = check_model(path, imported.workload_path, random_inputs=10)
    assert report.verdict == "undecided"
    assert "equal" not in str(report)
    assert report.outputs[0].allowed_percent > 1
    assert run(["check", str(path), str(imported.workload_path)]) == 1


def _deep(folder: Path) -> Path:
    """Eight blocks with real values on their shortcuts, whose bounds add up."""
    b = Builder((1, 3, 8, 8), seed=5)
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.batch_norm(b.conv(b.bipolar(x), b.signs(8, 3, 3, 3), 3, 1), 8, 5)
    for _ in range(8):
        y = b.batch_norm(b.conv(b.bipolar(x), b.signs(8, 8, 3, 3), 3, 1), 8, 8)
        x = b.op("PRelu", b.op("Add", y, x), b.constant(b.rng.uniform(0.2, 0.9, (8, 1, 1))))
    scores = b.op("Flatten", b.op("GlobalAveragePool", x))
    weights = b.constant(b.rng.normal(0, 0.3, (8, 4)))
    return b.save(b.op("MatMul", scores, weights), folder / "net.onnx")


def test_a_deep_network_is_held_layer_by_layer_where_all_bounds_together_decide_nothing(tmp_path):
    path = _deep(tmp_path)
    imported = import_onnx(path, tmp_path, fixed="fixed20.10", real_layers="int8")
    report = check_model(path, imported.workload_path, random_inputs=20)
    assert report.from_own_values
    assert report.verdict in ("equal", "flips") and report.outputs[0].allowed_percent < 1
    assert all(not layer.differing for layer in report.layers)
    assert "each within its own bound" in str(report)


@pytest.mark.parametrize("place", ["affine", "weights"])
def test_a_fault_in_a_deep_network_is_not_excused_by_all_bounds_together(place, tmp_path):
    path = _deep(tmp_path)
    imported = import_onnx(path, tmp_path, fixed="fixed20.10", real_layers="int8")
    file = imported.workload_path.with_suffix(".npz")
    arrays = dict(np.load(file))
    if place == "affine":  # two steps, of which the bounds of all layers together have more
        arrays["scale8.bias"] = arrays["scale8.bias"] + 2
    else:
        arrays["conv5.weights"] = np.roll(arrays["conv5.weights"], 1, axis=0)
    np.savez(file, **arrays)
    report = check_model(path, imported.workload_path, random_inputs=20)
    assert report.verdict in ("undecided", "wrong") and not report.from_own_values


def test_a_layer_that_the_workload_has_lost_is_named(tmp_path):
    path = conv(tmp_path)
    workload = import_onnx(path, tmp_path).workload_path
    lines = workload.read_text().splitlines(keepends=True)
    last = max(i for i, line in enumerate(lines) if "{name: " in line)
    name = lines[last].partition("name: ")[2].partition(",")[0]
    workload.write_text("".join(lines[:last] + lines[last + 1 :]))
    weights = dict(np.load(workload.with_suffix(".npz")))
    np.savez(workload.with_suffix(".npz"), **{k: v for k, v in weights.items() if not k.startswith(name)})
    report = check_model(path, workload, random_inputs=5)
    assert report.verdict != "equal"
    assert f"the workload has no layer '{name}'" in str(report)


def test_weights_that_are_not_there_are_named_where_the_workload_names_them(tmp_path, capsys):
    path = conv(tmp_path)
    workload = import_onnx(path, tmp_path).workload_path
    workload.with_suffix(".npz").unlink()
    lines = workload.read_text().splitlines()
    line = lines.index(f"weights: {workload.stem}.npz") + 1
    assert run(["check", str(path), str(workload)]) == 2
    expected = f"expected an .npz file beside the workload, got '{workload.stem}.npz', which is not there"
    assert f"{workload.name}:{line}: weights: {expected}" in capsys.readouterr().err


def test_zeros_in_front_of_the_input_s_plain_sign_are_counted_and_no_difference(tmp_path):
    builder = Builder((1, 12))
    path = builder.save(
        builder.op("MatMul", builder.op("Sign", "x"), builder.signs(12, 3)), tmp_path / "net.onnx"
    )
    imported = import_onnx(path, tmp_path)
    assert any("+1 on zero" in note for note in imported.notes)
    values = np.random.default_rng(0).choice([0.0, 1.0], (20, 12)).astype(np.float32)
    np.save(tmp_path / "input.npy", values)
    report = check_model(path, imported.workload_path, tmp_path / "input.npy")
    assert report.verdict == "equal", str(report)
    assert sum(layer.flips.zeros for layer in report.layers) == np.count_nonzero(values == 0)
    assert "read as +1, as the import says" in str(report)


@pytest.mark.parametrize(
    "arranged",
    [
        lambda x: x,
        lambda x: x.transpose(0, 2, 3, 1),
        lambda x: x[0],
        lambda x: x.reshape(3, 2, 3, 8, 10),
    ],
    ids=["channels first", "channels last", "a single one", "two leading dimensions"],
)
@pytest.mark.parametrize("form", ["npy", "npz"])
def test_floats_in_the_model_s_range_are_taken(form, arranged, tmp_path):
    path = pool(tmp_path)
    imported = import_onnx(path, tmp_path)
    pixels = np.random.default_rng(1).integers(0, 256, (6, 3, 8, 10))
    floats = arranged((pixels / 255).astype(np.float32))
    file = tmp_path / f"input.{form}"
    np.save(file, floats) if form == "npy" else np.savez(file, inp=floats)
    report = check_model(path, imported.workload_path, file)
    assert report.verdict == "equal", str(report)
    assert report.inputs == floats.size // 240


def test_floats_that_the_input_does_not_hold_are_refused_with_how_far_they_are_off(tmp_path):
    path = pool(tmp_path)
    imported = import_onnx(path, tmp_path)
    np.save(tmp_path / "input.npy", np.full((2, 3, 8, 10), 0.5, np.float32))
    match = (
        r"input.npy: expected values that the input holds exactly \(.*\), got 480 of 480 .* 0.00196"
    )
    with pytest.raises(InputError, match=match) as caught:
        check_model(path, imported.workload_path, tmp_path / "input.npy")
    assert "\n" not in str(caught.value)


def test_a_workload_edited_since_its_import_is_compared(tmp_path):
    path = conv(tmp_path)
    imported = import_onnx(path, tmp_path)
    text = imported.workload_path.read_text()
    imported.workload_path.write_text(
        text.replace("pad: 1, pad_value: 0", "pad: 1, pad_value: 1", 1)
    )
    report = check_model(path, imported.workload_path, random_inputs=10)
    assert report.verdict == "wrong"
    assert report.first_difference is not None and report.first_difference.layer == "conv1"


def test_an_output_that_the_import_was_told_to_leave_out_is_said(tmp_path):
    path = heads(tmp_path)
    second = onnx.load(path).graph.output[1].name
    imported = import_onnx(path, tmp_path, output=second)
    report = check_model(path, imported.workload_path, random_inputs=10)
    assert report.verdict == "equal", str(report)
    assert [output.output for output in report.outputs] == [second]
    assert len(report.left_out) == 1 and "left out by the import" in str(report)


def test_exit_code_and_json_say_the_verdict(tmp_path, capsys):
    path = conv(tmp_path)
    workload = str(import_onnx(path, tmp_path).workload_path)
    out = tmp_path / "check.json"
    assert run(["check", str(path), workload, "--random-inputs", "5", "--json", str(out)]) == 0
    data = json.loads(out.read_text())
    assert data["verdict"] == "equal" and data["outputs"][0]["verdicts"] == ["equal"] * 5
    assert data["outputs"][0]["allowed"] > 0
    with np.load(tmp_path / "conv.npz") as archive:
        arrays = dict(archive)
    arrays["scale0.bias"] += 1 << 19
    np.savez(tmp_path / "conv.npz", **arrays)
    capsys.readouterr()
    assert run(["check", str(path), workload, "--random-inputs", "5", "--json", str(out)]) == 1
    assert json.loads(out.read_text())["verdict"] == "wrong"
    assert "WRONG: conv against" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["bipolar", "int4", "fixed6.3"])
def test_an_input_whose_type_the_user_names(kind, tmp_path):
    b = Builder((1, 24), seed=4)
    x = b.op("MatMul", "x", b.signs(24, 12))
    signs = b.op("Sign", b.op("Add", x, b.constant(0.03)))
    path = b.save(b.op("MatMul", signs, b.signs(12, 5)), tmp_path / "n.onnx")
    imported = import_onnx(path, tmp_path, input_type=kind)
    assert check_model(path, imported.workload_path, random_inputs=30).verdict == "equal"


def test_pixels_are_no_bits_unless_their_range_is_said(tmp_path):
    """Pixels from 0 to 1 would all be +1."""
    b = Builder((1, 24), seed=4)
    path = b.save(b.op("MatMul", "x", b.signs(24, 5)), tmp_path / "n.onnx")
    assert import_onnx(path, tmp_path / "a", input_type="bipolar").workload.input.image_range is None
    said = import_onnx(path, tmp_path / "b", input_type="bipolar", image_range=(-1, 1))
    assert said.workload.input.image_range == [-1, 1]
    assert check_model(path, said.workload_path, random_inputs=30).verdict == "equal"
