"""Pools of every shape, imported and held against onnxruntime and qonnx."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("qonnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.build import build_design
from bnnsim.importers.onnx.network import import_onnx
from bnnsim.search.fold.fold import fold
from bnnsim.simulation import simulate
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_architecture, load_workload
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.onnx_layers import imported, ops, quant, scores_of, sums_of_image

BORDERS: dict[str, dict[str, Any]] = {
    "stem": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    "two sides": {"kernel_shape": [3, 2], "strides": [1, 2], "pads": [2, 0, 1, 1]},
    "overlap": {"kernel_shape": [3, 3], "strides": [2, 2]},
    "gaps": {"kernel_shape": [2, 1], "strides": [3, 2]},
    "ceil": {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    "ceil that adds no window": {"kernel_shape": [1, 1], "strides": [3, 3], "ceil_mode": 1},
    "ceil and border": {"kernel_shape": [3, 3], "strides": [3, 2], "pads": [1, 1, 1, 0], "ceil_mode": 1},
    "same": {"kernel_shape": [2, 2], "strides": [1, 1], "auto_pad": "SAME_UPPER"},
}


def _side(attributes: dict[str, Any], extent: int, axis: int) -> int:
    """What ONNX's page says, for a check on the builder's own arithmetic."""
    if attributes.get("auto_pad"):
        return -(-extent // attributes["strides"][axis])
    pads = attributes.get("pads", [0] * 4)
    free = extent + pads[axis] + pads[axis + 2] - attributes["kernel_shape"][axis]
    stride = attributes["strides"][axis]
    windows = -(-free // stride) if attributes.get("ceil_mode") else free // stride
    if windows * stride >= extent + pads[axis]:
        windows -= 1
    return windows + 1


@pytest.mark.parametrize("name", BORDERS)
@pytest.mark.parametrize("of", ["bits", "levels", "sums"])
def test_a_maximum_over_any_windows(name: str, of: str, tmp_path: Any) -> None:
    attributes = BORDERS[name]
    b = Builder((1, 3, 10, 9), seed=20)
    x = b.batch_norm(sums_of_image(b, 4), 4, 5)
    x = {"bits": lambda: b.bipolar(x), "levels": lambda: quant(b, x, 2, 0), "sums": lambda: x}[of]()
    x = b.op("MaxPool", x, **attributes)
    x = b.bipolar(x) if of == "sums" else x
    size = _side(attributes, 8, 0) * _side(attributes, 7, 1)
    workload = imported(b, scores_of(b, x, 4 * size), tmp_path)
    assert "max_pool" in ops(workload)


def test_a_global_maximum(tmp_path: Any) -> None:
    b = Builder((1, 3, 7, 6), seed=21)
    x = b.op("GlobalMaxPool", b.bipolar(b.batch_norm(sums_of_image(b), 8, 5)))
    workload = imported(b, scores_of(b, x, 8), tmp_path)
    assert workload.layers[1].kernel == "global"


@pytest.mark.parametrize("kind", ["AveragePool", "GlobalAveragePool"])
def test_an_average_in_front_of_a_classifier_is_a_sum(kind: str, tmp_path: Any) -> None:
    """Not a convolution with weights of one: its window took a step a pixel and channel."""
    b = Builder((1, 3, 8, 8), seed=22)
    x = quant(b, b.batch_norm(sums_of_image(b), 8, 5), 2, 0)
    more = {"kernel_shape": [3, 2], "strides": [1, 2]} if kind == "AveragePool" else {}
    x = b.op(kind, x, **more)
    workload = imported(b, scores_of(b, x, 8 * (12 if more else 1)), tmp_path)
    assert ops(workload) == ["conv", "sum_pool", "linear"]


def test_an_average_whose_border_counts_is_a_sum_with_a_border_of_zeros(tmp_path: Any) -> None:
    b = Builder((1, 3, 8, 8), seed=23)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    x = b.bipolar(b.batch_norm(x, 8, 0.4, gain="positive"))
    workload = imported(b, scores_of(b, x, 8 * 36), tmp_path)
    assert ops(workload) == ["conv", "sum_pool", "threshold", "linear"]
    assert workload.layers[1].pad == 1


def test_an_average_whose_border_does_not_count_says_what_it_needs(tmp_path: Any) -> None:
    b = Builder((1, 3, 8, 8), seed=24)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    path = b.save(scores_of(b, x, 8 * 36), tmp_path / "net.onnx")
    with pytest.raises(InputError, match="expected an average over whole windows, or with count_include"):
        import_onnx(path, tmp_path)


def test_pads_as_wide_as_the_window_are_refused(tmp_path: Any) -> None:
    b = Builder((1, 3, 8, 8), seed=25)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("MaxPool", x, kernel_shape=[2, 2], pads=[2, 0, 0, 0])
    path = b.save(scores_of(b, x, 8), tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"expected pads narrower than the window \[2, 2\]"):
        import_onnx(path, tmp_path)


def test_a_pooled_stem_and_a_global_average_run_bit_exact_at_a_step_a_word(tmp_path: Any) -> None:
    b = Builder((1, 3, 12, 12), seed=26)
    x = quant(b, b.batch_norm(sums_of_image(b), 8, 5), 2, 0)
    x = b.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = b.op("GlobalAveragePool", x)
    found = import_onnx(b.save(scores_of(b, x, 8), tmp_path / "net.onnx"), tmp_path)
    path = tmp_path / "arch.yaml"
    path.write_text(fold(found.workload_path, "xc7z020").text(), encoding="utf-8")
    design = build_design(load_architecture(path), load_workload(found.workload_path))
    kinds = [unit.kind for unit in design.graph.units]
    assert kinds.count("pool") == 2 and kinds.count("mvau") == 2
    assert simulate(path, found.workload_path, frames=2, weights_seed=3).bit_exact


def test_sums_that_are_turned_around_are_a_convolution(tmp_path: Any) -> None:
    """A falling norm behind an average: signs go into weights, not into a layer of their own."""
    b = Builder((1, 3, 6, 6), seed=27)
    x = quant(b, b.batch_norm(sums_of_image(b), 8, 5), 2, 0)
    x = b.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = b.bipolar(b.batch_norm(x, 8, 0.5))
    workload = imported(b, scores_of(b, x, 8 * 4), tmp_path)
    assert ops(workload) == ["conv", "conv", "linear"]
    assert np.shape(workload.layers[1].kernel) == () and workload.layers[1].groups == 8
