"""The automatic word of what stays in fixed point: fine enough behind any number of real layers."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
from onnx import helper, numpy_helper  # noqa: E402

from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.draft.draft import NetworkDraft  # noqa: E402
from bnnsim.importers.draft.workload import to_workload  # noqa: E402
from bnnsim.importers.exact.channel_function import Affine  # noqa: E402
from bnnsim.importers.onnx.fixed_plan import FixedPlan  # noqa: E402
from bnnsim.importers.onnx.fixed_point import append_fixed  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.spec.value_type import ValueType  # noqa: E402

FEATURES, WIDTH, CLASSES = 24, 32, 6


def _deep(path: Path, depth: int, seed: int) -> Path:
    """Real linear layers, each with a batch norm of the statistics that its sums have, and ReLU.

    So values stay about 1 behind each, as trained networks have them, while what they could reach
    grows with every layer.
    """
    random = np.random.default_rng(seed)
    tensors, nodes = [], []

    def constant(name: str, values: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    sample, given = random.random((500, FEATURES)), "x"
    for i in range(depth):
        weights = random.normal(0, 1, (sample.shape[1], WIDTH))
        sums = sample @ weights
        norm = random.uniform(0.5, 1.5, WIDTH), random.normal(0, 0.3, WIDTH), sums.mean(0), sums.var(0)
        nodes.append(helper.make_node("MatMul", [given, constant(f"w{i}", weights)], [f"s{i}"]))
        names = [constant(f"n{i}_{j}", one) for j, one in enumerate(norm)]
        nodes.append(helper.make_node("BatchNormalization", [f"s{i}", *names], [f"b{i}"], epsilon=1e-5))
        nodes.append(helper.make_node("Relu", [f"b{i}"], [f"r{i}"]))
        gain, shift, mean, variance = norm
        sample = np.maximum((sums - mean) / np.sqrt(variance + 1e-5) * gain + shift, 0)
        given = f"r{i}"
    last = constant("w", random.normal(0, 0.3, (WIDTH, CLASSES)))
    nodes.append(helper.make_node("MatMul", [given, last], ["y"]))
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size])
        for name, size in (("x", FEATURES), ("y", CLASSES))
    ]
    graph = helper.make_graph(nodes, "deep", ends[:1], ends[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize(("depth", "seed"), [(3, 1), (6, 2), (12, 3), (24, 4)])
def test_scores_behind_many_real_layers_are_as_near_as_the_word_says(depth, seed, tmp_path):
    path = _deep(tmp_path / "deep.onnx", depth, seed)
    made = import_onnx(path, tmp_path, input_type="uint8", real_layers="int16")
    report = check_model(path, made.workload_path, random_inputs=200)
    assert report.verdict == "equal", str(report)
    [output] = report.outputs
    assert output.equal_predictions == 200
    assert output.worst < 200 * 2.0**-16  # of the half of the word that is behind the point


def test_the_file_says_where_a_word_saturates_and_where_its_bounds_say_nothing(tmp_path):
    made = import_onnx(
        _deep(tmp_path / "deep.onnx", 12, 3), tmp_path, input_type="uint8", real_layers="int16"
    )
    assert any(", saturated beyond +-" in note for note in made.notes)
    assert any("add up to more than its range: check goes layer by layer" in n for n in made.notes)
    assert not any("at most 1e+" in note for note in made.notes)


def test_a_word_that_holds_all_that_could_be_reached_is_as_fine_as_that_leaves(tmp_path):
    made = import_onnx(
        _deep(tmp_path / "one.onnx", 1, 5), tmp_path, input_type="uint8", real_layers="int16"
    )
    words = {layer.type for layer in made.workload.layers if layer.op == "affine"}
    assert {word.bits for word in words} == {32}
    assert max(word.fraction_bits for word in words) > 20
    assert not any("saturated" in note for note in made.notes)


@pytest.mark.parametrize(("gain", "clamps"), [(Fraction(1, 64), 0), (Fraction(64), 1)])
def test_sums_with_steep_gains_saturate_before_their_products_have_no_room(gain, clamps):
    """60 bits of sums times 64 are 66, and what comes out saturates at 32 bits whatever they are."""
    draft = NetworkDraft((1 << 14, 1, 1))
    draft.input_type = ValueType("fixed", 32, 0)
    sums = draft.append("linear", ["input"], (2, 1, 1), -(1 << 59), 1 << 59)
    sums.weights = np.full((2, 1 << 14), 16_384, np.int64)
    plan = FixedPlan(((Affine(gain), Affine(-gain)),))
    made = append_fixed(draft, sums.name, ValueType("fixed", 32, 0), plan, keeps_offsets=False)
    draft.outputs = [made.base]
    affines = [layer for layer in draft.layers.values() if layer.kind == "affine"]
    assert len(affines) == 1 + clamps
    assert (affines[-1].low, affines[-1].high) == (-(1 << 31), (1 << 31) - 1)
    workload, _ = to_workload(draft, "steep", "drawn")
    resolve_network(workload)  # refuses products of more than 62 bits


def test_a_network_whose_maps_would_take_too_much_is_not_run_for_its_word(monkeypatch, tmp_path):
    """Its word holds all that could be reached, as coarse as that is."""
    monkeypatch.setattr("bnnsim.importers.draft.measured.MAX_RUN_BYTES", 1 << 10)
    path = _deep(tmp_path / "deep.onnx", 12, 3)
    made = import_onnx(path, tmp_path, input_type="uint8", real_layers="int16")
    words = {layer.type for layer in made.workload.layers if layer.op == "affine"}
    assert min(word.fraction_bits for word in words) < 8
