"""Gates, larger maps, means over channels, volumes and borders of real zeros, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network
from bnnsim.importers.onnx.network import import_options, lower_model
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement

IMAGES = 100
OFFSETS = (-1.901, -0.603, 0.702, 2.104)
"""None is a multiple of 1/255: no sum of pixels lies on a sign."""


def _stem(b: Builder, channels: int = 4) -> str:
    weights = b.signs(channels, b.input_shape[1], 3, 3)
    return b.batch_norm(b.conv("x", weights, 3, pad=1), channels, 1)


def _head(b: Builder, x: str, elements: int) -> str:
    return b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(elements, 3))


def _gated(b: Builder, gate: str, x: str, channels: int = 4) -> str:
    """A shortcut past a gated convolution."""
    y = b.conv(b.op("Sign", x), b.scaled_signs(channels, channels, 3, 3), 3, pad=1)
    return b.op("Add", b.batch_norm(b.op("Mul", y, gate), channels, 4), x)


def _channel_mean(b: Builder, x: str, axes: list[int]) -> str:
    return b.op("ReduceMean", b.op("Abs", x), axes=axes, keepdims=1)


KINDS = ["channel", "sigmoid", "position", "frame", "element", "square", "choice", "swish"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_gate(kind, tmp_path):
    b = Builder((1, 3, 6, 5), seed=1)
    x = _stem(b)
    if kind in ("channel", "sigmoid"):
        g = b.op("Relu", b.conv(b.op("GlobalAveragePool", x), b.scaled_signs(2, 4, 1, 1), 1))
        squash = "Sigmoid" if kind == "sigmoid" else "HardSigmoid"
        gate = b.op(squash, b.conv(g, b.scaled_signs(4, 2, 1, 1), 1))
    elif kind == "position":
        gate = _channel_mean(b, x, [1])
    elif kind == "frame":
        gate = _channel_mean(b, x, [1, 2, 3])
    elif kind == "element":
        gate = b.op("Clip", b.op("Add", x, b.constant(0.3)), b.constant(0.0), b.constant(1.0))
    elif kind == "choice":
        gate = b.op("Cast", b.op("Greater", x, b.constant(0.1)), to=1)
    else:
        gate = b.op("Sigmoid", x) if kind == "swish" else x
    y = b.op("Mul", x, gate) if kind in ("square", "swish") else _gated(b, gate, x)
    y = b.op("Sub", y, b.constant(0.1))  # not the sign of one factor alone
    found = agreement(b, _head(b, y, 120), tmp_path, images=IMAGES)
    assert "multiply" in found.ops
    assert found.same() >= 0.99


def test_a_choice_times_integers_has_no_rounding(tmp_path):
    b = Builder((1, 3, 4, 4), seed=2)
    bits = b.op("Sign", _stem(b))
    low, high = (b.conv(bits, b.signs(4, 4, 3, 3), 3, pad=1) for _ in range(2))
    keep = b.op(
        "Cast", b.op("Greater", high, b.constant([[[[1.0]], [[-2.0]], [[3.0]], [[0.0]]]][0])), to=1
    )
    found = agreement(b, b.op("Flatten", b.op("Mul", keep, low)), tmp_path, images=IMAGES)
    assert "affine" not in found.ops
    assert found.same(0) == 1


NEAREST = [
    {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    {"coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_floor"},
    {"coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_ceil"},
    {},
]
LINEAR = [
    {"coordinate_transformation_mode": "half_pixel"},
    {"coordinate_transformation_mode": "pytorch_half_pixel"},
    {"coordinate_transformation_mode": "asymmetric"},
]


@pytest.mark.parametrize("factors", [(2, 2), (3, 2), (1, 4)])
@pytest.mark.parametrize(
    ("mode", "said"), [*(("nearest", one) for one in NEAREST), *(("linear", one) for one in LINEAR)]
)
def test_a_larger_map(mode: str, said: dict[str, Any], factors: tuple[int, int], tmp_path):
    b = Builder((1, 3, 4, 3), seed=3)
    x = _stem(b)
    sizes = b.constant([1.0, 1.0, *map(float, factors)])
    large = b.op("Resize", x, "", sizes, mode=mode, **said)
    y = b.conv(b.op("Sign", large), b.signs(4, 4, 3, 3), 3, pad=1)
    found = agreement(
        b,
        _head(b, b.op("Add", b.batch_norm(y, 4, 4), large), 48 * factors[0] * factors[1]),
        tmp_path,
        images=IMAGES,
    )
    assert "repeat" in found.ops
    assert found.same() >= 0.99


def test_a_larger_map_by_sizes_and_by_upsample(tmp_path):
    for opset, early in ((13, False), (9, True)):
        b = Builder((1, 3, 4, 3), seed=4, opset=opset)
        x = _stem(b)
        if early:
            large = b.op("Upsample", x, b.constant([1.0, 1.0, 2.0, 2.0]), mode="nearest")
        else:
            sizes = b.constant([1, 4, 8, 6], np.int64)
            large = b.op(
                "Resize",
                x,
                "",
                "",
                sizes,
                mode="nearest",
                nearest_mode="floor",
                coordinate_transformation_mode="asymmetric",
            )
        assert agreement(b, _head(b, large, 192), tmp_path, images=IMAGES).same() >= 0.99


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (2, {"strides": [2, 2]}),
        (3, {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
        (4, {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        (3, {"strides": [1, 3], "pads": [0, 1, 2, 0]}),
        (3, {"strides": [2, 1], "dilations": [2, 1], "pads": [1, 0, 0, 2]}),
        (2, {"strides": [2, 2], "group": 2}),
    ],
)
@pytest.mark.parametrize("of_bits", [True, False])
def test_a_transposed_convolution(kernel: int, said: dict[str, Any], of_bits: bool, tmp_path):
    b = Builder((1, 3, 4, 3), seed=5)
    x = _stem(b)
    x = b.op("Sign", x) if of_bits else b.op("Relu", x)
    weights = b.signs(4, 6 // said.get("group", 1), kernel, kernel)
    y = b.op("ConvTranspose", x, weights, b.constant(np.linspace(-1, 1, 6)), **said)
    y = b.op("GlobalAveragePool", b.batch_norm(y, 6, 2))
    found = agreement(b, b.op("MatMul", b.op("Flatten", y), b.signs(6, 3)), tmp_path, images=IMAGES)
    assert found.same() >= 0.99


@pytest.mark.parametrize(
    "said",
    [
        {"pads": [1] * 6},
        {"strides": [2, 1, 2], "pads": [1, 0, 1, 0, 0, 1]},
        {"dilations": [2, 1, 1], "pads": [2, 1, 1, 1, 1, 1]},
        {"group": 2, "pads": [1] * 6},
    ],
)
def test_a_convolution_of_volumes(said: dict[str, Any], tmp_path):
    b = Builder((1, 2, 4, 5, 4), seed=6)
    x = b.op("Conv", "x", b.signs(4, 2, 3, 3, 3), kernel_shape=[3] * 3, pads=[1] * 6)
    x = b.op("Sign", b.op("Sub", x, b.constant(np.reshape(OFFSETS, (4, 1, 1, 1)))))
    weights = b.signs(4, 4 // said.get("group", 1), 3, 3, 3)
    y = b.op("Conv", x, weights, b.constant([0.5, -1.5, 2.5, 0.5]), kernel_shape=[3] * 3, **said)
    found = agreement(b, b.op("Flatten", y), tmp_path, images=IMAGES)
    assert found.same() == 1


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("of_bits", [True, False])
def test_channels_become_pixels(mode, of_bits, tmp_path):
    b = Builder((1, 3, 4, 3), seed=12)
    x = _stem(b, 12)
    x = b.op("Sign", x) if of_bits else b.op("Relu", x)
    y = b.op("DepthToSpace", x, blocksize=2, mode=mode)
    y = b.batch_norm(b.conv(y, b.signs(4, 3, 3, 3), 3, pad=1), 4, 2)
    assert agreement(b, _head(b, y, 192), tmp_path, images=IMAGES).same() >= 0.99


def test_a_gate_that_is_expanded_first(tmp_path):
    b = Builder((1, 3, 6, 5), seed=13)
    x = _stem(b)
    y = b.conv(b.op("Sign", x), b.signs(4, 4, 3, 3), 3, pad=1)
    gate = b.op("HardSigmoid", b.op("GlobalAveragePool", x))
    gate = b.op("Expand", gate, b.op("Shape", y))
    y = b.op("Sub", b.op("Mul", y, gate), b.constant(0.1))
    assert agreement(b, _head(b, y, 120), tmp_path, images=IMAGES).same() >= 0.99


def test_a_border_of_zeros_round_activations_with_a_centre_of_their_own(tmp_path):
    b = Builder((1, 3, 6, 5), seed=7)
    x = b.op("Add", b.op("Mul", b.op("Sign", _stem(b)), b.constant(0.8)), b.constant(0.15))
    y = b.conv(x, b.scaled_signs(4, 4, 3, 3), 3, pad=1, strides=[2, 1])
    found = agreement(b, b.op("Flatten", y), tmp_path, images=IMAGES)
    assert found.same() >= 0.99
    assert any("which its integers cannot hold" in note for note in found.notes)


@pytest.mark.parametrize("varies", [True, False])
def test_a_border_of_constants_that_are_joined_to_the_map(varies, tmp_path):
    b = Builder((1, 3, 5, 4), seed=11)
    x = b.op("Sign", _stem(b))
    column, row = np.ones((1, 4, 5, 1)), np.ones((1, 4, 1, 7))
    if varies:
        column[:, :, 1::2], row[..., 1::2] = -1, -1
    x = b.op("Concat", b.constant(column), b.constant(-column), x, b.constant(column), axis=3)
    x = b.op("Concat", x, b.constant(row), axis=2)
    y = b.batch_norm(b.conv(x, b.signs(4, 4, 3, 3), 3, strides=[1, 2], dilations=[1, 1]), 4, 4)
    found = agreement(b, _head(b, y, 48), tmp_path, images=IMAGES)
    assert found.same() >= 0.99


@pytest.mark.parametrize("bits_first", [True, False])
@pytest.mark.parametrize("sides", [(1, 1, 1, 1), (0, 2, 1, 0)])
def test_a_border_of_edge_pixels(sides: tuple[int, ...], bits_first: bool, tmp_path):
    b = Builder((1, 3, 5, 4), seed=12)
    top, left, bottom, right = sides
    x, pads = _stem(b), b.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
    if bits_first:
        x = b.op("Pad", b.op("Sign", x), pads, mode="edge")
    else:
        x = b.op("Sign", b.op("Pad", x, pads, mode="edge"))
    rows, columns = 5 + top + bottom - 2, 4 + left + right - 2
    y = b.batch_norm(b.conv(x, b.signs(4, 4, 3, 3), 3), 4, 4)
    found = agreement(b, _head(b, y, 4 * rows * columns), tmp_path, images=IMAGES)
    assert "repeat" in found.ops
    assert found.same(1e-6) == 1


def test_edges_of_pixels_and_of_steps(tmp_path):
    b = Builder((1, 4, 9), seed=13)
    x = b.op("Pad", "x", b.constant([0, 0, 2, 0, 0, 1], np.int64), mode="edge")
    x = b.batch_norm(b.op("Conv", x, b.signs(8, 4, 3), kernel_shape=[3]), 8, 1)
    found = agreement(b, _head(b, x, 80), tmp_path, images=IMAGES)
    assert found.same(1e-6) == 1


def test_a_linear_layer_on_maps_with_their_channels_last(tmp_path):
    """As ConvNeXt's blocks have it: a Transpose, MatMul and Add on the last axis, a Transpose."""
    b = Builder((1, 3, 5, 4), seed=14)
    x = b.op("Transpose", b.op("Sign", _stem(b)), perm=[0, 2, 3, 1])
    y = b.op("MatMul", x, b.signs(4, 6))
    y = b.op("Sign", b.op("Add", y, b.constant(b.rng.normal(0, 1, 6))))
    y = b.conv(b.op("Transpose", y, perm=[0, 3, 1, 2]), b.signs(4, 6, 3, 3), 3, pad=1)
    found = agreement(b, _head(b, b.batch_norm(y, 4, 4), 80), tmp_path, images=IMAGES)
    assert found.same(1e-6) == 1


def test_a_linear_layer_along_the_rows_of_maps(tmp_path):
    b = Builder((1, 3, 5, 4), seed=15)
    y = b.op("MatMul", b.op("Sign", _stem(b)), b.signs(4, 6))
    y = b.op("Sign", b.op("Add", y, b.constant(0.3)))
    found = agreement(b, b.op("MatMul", b.op("Flatten", y), b.signs(120, 3)), tmp_path, images=IMAGES)
    assert found.same(1e-6) == 1


def test_a_border_of_zeros_round_pixels(tmp_path):
    b = Builder((1, 3, 5, 4), seed=16)
    found = agreement(b, _head(b, _stem(b), 80), tmp_path, images=IMAGES)
    first = next(iter(resolve_network(found.workload).nodes.values()))
    assert (first.pad_value, str(first.input.type)) == (0, "uint8")
    assert found.same(1e-6) == 1


def test_the_norm_of_a_layer(tmp_path):
    b = Builder((1, 24), seed=9, opset=17)
    bits = b.op("Sign", b.op("Sub", "x", b.constant(0.5)))
    scale, bias = (b.constant(b.rng.normal(0.5, 0.5, 16)) for _ in range(2))
    y = b.op("LayerNormalization", b.op("MatMul", bits, b.signs(24, 16)), scale, bias, axis=-1)
    found = agreement(b, b.op("MatMul", b.op("Sign", y), b.signs(16, 5)), tmp_path, images=300)
    assert "lookup" in found.ops
    assert found.same() >= 0.99


@pytest.mark.parametrize("kind", ["InstanceNormalization", "GroupNormalization", "as PyTorch exports it"])
def test_norms_of_channels_and_of_groups(kind: str, tmp_path):
    b = Builder((1, 3, 5, 4), seed=17, opset=21 if kind == "GroupNormalization" else 17)
    x = b.conv(b.op("Sign", _stem(b, 6)), b.signs(6, 6, 3, 3), 3, pad=1)
    scale, bias = b.rng.normal(0.5, 0.5, 6), b.rng.normal(0, 0.5, 6)
    if kind == "InstanceNormalization":
        y = b.op(kind, x, b.constant(scale), b.constant(bias), epsilon=1e-3)
    elif kind == "GroupNormalization":
        y = b.op(kind, x, b.constant(scale), b.constant(bias), num_groups=2)
    else:
        parted = b.op("Reshape", x, b.constant([0, 3, -1], np.int64))
        normed = b.op("InstanceNormalization", parted, b.constant([1.0] * 3), b.constant([0.0] * 3))
        whole = b.op("Reshape", normed, b.op("Shape", x))
        y = b.op("Mul", whole, b.constant(scale.reshape(6, 1, 1)))
        y = b.op("Add", y, b.constant(bias.reshape(6, 1, 1)))
    found = agreement(b, _head(b, y, 120), tmp_path, images=IMAGES)
    assert "lookup" in found.ops
    assert found.same() >= 0.98


def test_a_tanh_that_is_a_score(tmp_path):
    b = Builder((1, 24), seed=10)
    bits = b.op("Sign", b.op("Sub", "x", b.constant(0.5)))
    y = b.op("Tanh", b.op("Mul", b.op("MatMul", bits, b.signs(24, 6)), b.constant(0.21)))
    found = agreement(b, b.op("MatMul", y, b.signs(6, 3)), tmp_path, images=300)
    assert "lookup" in found.ops
    assert found.same(1e-4) == 1


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (("Resize", [1.0, 1.0, 1.5, 2.0]), "expected whole numbers as factors"),
        (("Resize", [1.0, 2.0, 2.0, 2.0]), "expected rows and columns made larger"),
        (("Resize", [1.0, 1.0, 0.5, 0.5]), "expected whole numbers as factors"),
        (("Resize", [1.0, 1.0, 1e8, 1.0]), "expected at most 1048576 rows and columns"),
        (("Resize", [1.0, 1.0, 3e4, 3e4]), "expected at most 1048576 rows .*, 268435456 elements"),
    ],
)
def test_what_cannot_be_made_larger(operator: tuple[str, list[float]], message: str, tmp_path):
    b = Builder((1, 3, 4, 4), seed=8)
    kind, scales = operator
    large = b.op(kind, _stem(b), "", b.constant(scales), mode="nearest")
    with pytest.raises(SpecError, match=message):
        lower_model(b.model(b.op("Sign", large)), "net.onnx", "net", import_options(input_type="uint8"))
