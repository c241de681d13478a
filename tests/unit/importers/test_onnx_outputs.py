"""What ends a network and what it puts out: Softmax and its like, several outputs, one of them chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

import onnx

from bnnsim.importers.onnx.network import import_onnx
from bnnsim.spec.faults import InputError
from tests.golden.imported.onnx_models import Builder

END = {"Softmax": {"axis": 1}, "LogSoftmax": {"axis": -1}, "ArgMax": {"axis": 1}}


def bits(b: Builder, x: str) -> str:
    """+1 where x >= 0, else -1, in standard operators."""
    at_least = b.op("GreaterOrEqual", x, b.constant(0.0))
    return b.op("Where", at_least, b.constant(1.0), b.constant(-1.0))


def trunk(b: Builder, channels: int = 4) -> str:
    """Bits of a convolution over a centred image."""
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    return bits(b, b.conv(bits(b, x), b.signs(channels, 3, 3, 3), 3))


def head(b: Builder, x: str, outputs: int) -> str:
    return b.op("MatMul", b.op("Flatten", x), b.signs(4 * 16, outputs))


def fresh(seed: int = 1) -> Builder:
    return Builder((1, 3, 6, 6), seed=seed, opset=17)


def save(b: Builder, folder: Path, *outputs: str) -> Path:
    path = folder / "net.onnx"
    onnx.save(b.model(*outputs), path)
    return path


def refused(b: Builder, folder: Path, *outputs: str, match: str, **options: Any) -> None:
    path = save(b, folder, *outputs)
    with pytest.raises(InputError, match=match) as caught:
        import_onnx(path, folder / "out", **options)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("kind", [*(kind for kind in END if kind != "Softmax"), "TopK"])
def test_an_end_that_something_reads_is_refused_with_its_reader(kind, tmp_path):
    b = fresh()
    scores = head(b, trunk(b), 8)
    if kind == "TopK":
        name = "top"
        node = onnx.helper.make_node("TopK", [scores, b.constant([2], np.int64)], [name, "i"], name="top")
        b.nodes.append(node)
    else:
        name = b.op(kind, scores, **END[kind])
    further = b.op("MatMul", bits(b, b.op("Sub", name, b.constant(0.125))), b.signs(8, 5))
    match = rf"\({kind}\): expected outputs of the model alone behind it .*, got Sub \(sub_"
    refused(b, tmp_path, further, match=match)


def test_the_sum_of_two_ends_is_no_network_of_one_of_them(tmp_path):
    b = fresh()
    x = trunk(b)
    votes = [b.op("LogSoftmax", head(b, x, 5), axis=1) for _ in range(2)]
    refused(b, tmp_path, b.op("Add", *votes), match=r"\(LogSoftmax\): .*, got Add")


@pytest.mark.parametrize("kind", END)
def test_an_end_at_the_output_is_left_out_and_said(kind, tmp_path):
    b = fresh()
    scores = head(b, trunk(b), 5)
    made = b.op("Identity", b.op(kind, scores, **END[kind]))
    imported = import_onnx(save(b, tmp_path, made), tmp_path)
    note = next(note for note in imported.notes if note.startswith(f"output {made}: {kind} left out"))
    assert scores in note and ("the highest is the same" in note) == (kind != "ArgMax")


def test_argmax_of_a_softmax_is_still_the_end(tmp_path):
    b = fresh()
    made = b.op("ArgMax", b.op("Softmax", head(b, trunk(b), 5), axis=1), axis=1)
    imported = import_onnx(save(b, tmp_path, made), tmp_path)
    assert any("Softmax, ArgMax left out; kept are the scores" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("kind", "attributes", "match"),
    [
        ("Softmax", {"axis": 2}, r"the axis of the classes \(channels\), got axis 2 of 4"),
        ("Softmax", {}, r"the axis of the classes \(channels\), got axis -1 of 4"),
        ("ArgMax", {}, r"an axis of classes, got axis 0 of 4"),
        ("ArgMax", {"axis": 1, "select_last_index": 1}, "the first of equal scores"),
    ],
)
def test_an_end_over_anything_but_the_classes_is_refused(kind, attributes, match, tmp_path):
    b = fresh()
    scores = b.conv(trunk(b), b.signs(3, 4, 1, 1), 1)
    refused(b, tmp_path, b.op(kind, scores, **attributes), match=match)


def test_the_smallest_scores_are_no_classes(tmp_path):
    b = fresh()
    scores = head(b, trunk(b), 8)
    node = onnx.helper.make_node("TopK", [scores, b.constant([2], np.int64)], ["v", "i"], largest=0)
    b.nodes.append(node)
    refused(b, tmp_path, "i", match=r"\(TopK\): expected largest 1 \(the largest scores\)")


def test_a_softmax_that_no_output_needs_is_no_end(tmp_path):
    b = fresh()
    x = trunk(b)
    b.op("Softmax", head(b, x, 7), axis=1)
    imported = import_onnx(save(b, tmp_path, head(b, x, 5)), tmp_path)
    assert imported.workload.layers[-1].out == 5
    assert not any("Softmax" in note for note in imported.notes)


def test_one_output_of_several_is_chosen_by_its_name(tmp_path):
    b = fresh()
    x = trunk(b)
    aux, scores = head(b, x, 3), head(b, x, 5)
    path = save(b, tmp_path, aux, scores)
    imported = import_onnx(path, tmp_path, "chosen", output=scores)
    assert imported.workload.layers[-1].out == 5
    assert f"not kept (--output {scores}): {aux}" in imported.notes


def test_a_name_that_is_no_output_is_refused_with_the_nearest(tmp_path):
    b = fresh()
    x = trunk(b)
    aux, scores = head(b, x, 3), head(b, x, 5)
    match = (
        rf"output: expected one of the model's outputs \({aux}, {scores}\), got .* \(nearest: .*{scores}"
    )
    refused(b, tmp_path, aux, scores, match=match, output=scores + "s")


def test_what_cannot_be_an_output_is_refused_by_name(tmp_path):
    b = fresh()
    scores = head(b, trunk(b), 5)
    constant = b.op("Neg", b.constant([1.0, 2.0]))
    match = rf"output {constant}: expected an output that depends on the input, got a constant"
    refused(b, tmp_path, scores, constant, match=match)
    doubled = b.op("Mul", "x", b.constant(2.0))
    refused(b, tmp_path, doubled, scores, match=f"output {doubled}: .* at least one layer")
    pads = b.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
    padded = b.op("Pad", b.conv(trunk(b), b.signs(3, 4, 1, 1), 1), pads)
    refused(b, tmp_path, padded, match=f"output {padded}: expected a convolution behind a Pad")


def layers_of(imported: Any) -> list[str]:
    return [layer.name for layer in imported.workload.layers]


def test_all_outputs_are_kept_in_the_model_s_order(tmp_path):
    b = fresh()
    x = trunk(b)
    boxes = b.conv(x, b.signs(3, 4, 1, 1), 1)
    scores = head(b, x, 5)
    imported = import_onnx(save(b, tmp_path, scores, boxes), tmp_path)
    assert imported.workload.outputs == ["fc0", "conv1"]
    assert any(note.startswith("outputs: fc0, conv1; predictions are made of") for note in imported.notes)
    assert any(note.startswith(f"model score ({boxes}) = 1 * score of conv1") for note in imported.notes)


def test_one_tensor_under_two_names_or_one_name_twice_is_one_output(tmp_path):
    b = fresh()
    scores = head(b, trunk(b), 5)
    again = b.op("Identity", scores)
    imported = import_onnx(save(b, tmp_path, scores, again, scores), tmp_path)
    assert imported.workload.outputs is None and layers_of(imported)[-1] == "fc0"
    assert [note.split(")")[0] for note in imported.notes] == [
        f"model score ({name}" for name in (scores, again)
    ]


def test_sums_that_are_an_output_keep_a_layer_of_their_own(tmp_path):
    """Their thresholds may not move into the layer that makes them."""
    b = fresh()
    sums = b.conv(trunk(b), b.signs(4, 4, 1, 1), 1)
    imported = import_onnx(save(b, tmp_path, sums, head(b, bits(b, sums), 5)), tmp_path)
    assert [layer.op for layer in imported.workload.layers] == ["conv", "conv", "threshold", "linear"]
    assert imported.workload.outputs == ["conv1", "fc0"]
    assert imported.workload.layers[1].activation is None


def test_a_frame_that_one_layer_flattens_and_another_reads_as_a_map_stays_a_map(tmp_path):
    b = fresh()
    x = bits(b, "x")
    flat = b.op("MatMul", b.op("Flatten", x), b.signs(108, 4))
    imported = import_onnx(save(b, tmp_path, flat, b.conv(x, b.signs(4, 3, 1, 1), 1)), tmp_path)
    assert imported.workload.input.shape == [3, 6, 6]


def test_how_the_elements_of_an_output_lie_is_said_where_it_is_not_as_in_the_workload(tmp_path):
    b = fresh()
    x = trunk(b)
    boxes = b.conv(x, b.signs(3, 4, 1, 1), 1)
    turned = b.op("Transpose", boxes, perm=[0, 2, 3, 1])
    notes = import_onnx(save(b, tmp_path, head(b, x, 5), boxes, turned), tmp_path).notes
    (note,) = [note for note in notes if "lie by" in note]
    assert note.startswith(f"model score ({turned})")
    assert "; its elements lie by row, column, channel, the workload's by channel, row" in note
