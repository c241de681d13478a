"""Every setting of every Keras and Larq layer is read as Keras defines it, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

h5py = pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.functional.executor import execute  # noqa: E402
from bnnsim.functional.input.frames import frames_from_images  # noqa: E402
from bnnsim.functional.parameters.parameters import load_parameters  # noqa: E402
from bnnsim.importers.foreign.settings import check_settings  # noqa: E402
from bnnsim.importers.keras.layers import HANDLERS  # noqa: E402
from bnnsim.importers.keras.network import import_keras  # noqa: E402
from bnnsim.importers.keras.understood import LAYERS, QUANTISERS  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.unit.importers.keras.keras_models import KerasModel, convolved, sign  # noqa: E402

STRANGE = ("nonsense", -7, 0.5, float("nan"), {"class_name": "Odd"}, [1, 2, 3], True, None)


def _fault(expected: str, got: object) -> InputError:
    return InputError("layer", expected, str(got))


@pytest.mark.parametrize("kind", [*LAYERS, *QUANTISERS])
def test_a_setting_that_the_table_does_not_know_or_does_not_take_is_refused_by_name(kind):
    known = LAYERS[kind].settings if kind in LAYERS else QUANTISERS[kind]
    with pytest.raises(InputError, match=r"settings that are understood.*got shape_shift = 1"):
        check_settings(_fault, known, {"shape_shift": 1})
    for key, (row,) in known.items():
        for value in STRANGE:
            if row.accepts(value):
                check_settings(_fault, known, {key: value})
            else:
                with pytest.raises(InputError, match=f"expected {key} "):
                    check_settings(_fault, known, {key: value})


def test_the_table_is_of_the_layers_that_are_read():
    assert LAYERS.keys() == HANDLERS.keys() | {"Lambda"}


def _model(shape: tuple[int, ...] = (8, 8, 3)) -> KerasModel:
    model = KerasModel(shape, seed=4)
    model.conv((3, 3, shape[2], 4), quantise_input=False, padding="valid", kernel_size=[3, 3])
    return model


def _end(model: KerasModel, elements: int, channels: int = 4) -> None:
    model.batch_norm(channels, True, 4)
    model.add("Flatten")
    model.dense(elements, 5)


def _refused(model: KerasModel, folder: Path, match: str) -> None:
    path = model.save_h5(folder / "net.h5")
    with pytest.raises(InputError, match=match) as caught:
        import_keras(path, folder / "out", input_type="uint8")
    assert "\n" not in str(caught.value)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("key", "value", "got"),
    [
        ("data_format", "channels_first", "expected data_format channels_last or none"),
        ("padding", "causal", "expected padding valid or same, got causal"),
        ("strides", [1, 2, 3], "expected strides one or two numbers"),
        ("strides", 0, "expected strides one or two numbers of at least 1, got 0"),
        ("groups", "two", "expected groups a number"),
        ("dtype", "mixed_float16", "expected dtype float32 or float64, got mixed_float16"),
        ("activation", "swish", "expected an activation that is read, got swish; known: linear, relu, "),
        ("activation", {"class_name": "function", "config": "gelu"}, "got gelu"),
        ("input_quantizer", "xnor_quantizer", "input_quantizer of ste_sign, .*, got xnor_q"),
        (
            "kernel_quantizer",
            {"class_name": "DoReFa", "config": {"k_bit": 9}},
            "in its kernel_quantizer k_bit 1 to 7, got 9",
        ),
        ("rotation", 90, "settings that are understood.*, got rotation = 90"),
        ("pad_values", [1, 2], "expected pad_values a finite number"),
        ("filters", 5, r"expected a kernel of shape \[3, 3, 3, 5\], got \[3, 3, 3, 4\]"),
        ("kernel_size", [3, 2], r"expected a kernel of shape \[3, 2, 3, 4\]"),
        ("quantization_config", {"bits": 4}, "expected quantization_config none"),
    ],
)
def test_settings_of_a_convolution_that_are_not_understood(key, value, got, tmp_path):
    model = _model()
    model.layers[0][1][key] = value
    _refused(model, tmp_path, r"quantconv2d_0 \(QuantConv2D\): .*" + got)


@pytest.mark.parametrize(
    ("kind", "settings", "got"),
    [
        ("ReLU", {"threshold": 1.0}, "expected threshold 0.0 or none, got 1.0"),
        ("ReLU", {"max_value": "big"}, "expected max_value a number or none"),
        ("BatchNormalization", {"renorm": True}, "expected renorm false, got true"),
        ("BatchNormalization", {"axis": 1}, "expected axis of the channels, which come last, got 1"),
        ("Softmax", {"axis": 1}, "expected axis of the channels"),
        ("Flatten", {"data_format": "channels_first"}, "expected data_format channels_last"),
        ("MaxPooling2D", {"padding": "full"}, "expected padding valid or same"),
        ("ZeroPadding2D", {"padding": [[1, -1], [0, 0]]}, "expected padding of one number, two"),
    ],
)
def test_settings_of_other_layers_that_are_not_understood(kind, settings, got, tmp_path):
    model = _model()
    if kind == "BatchNormalization":
        model.batch_norm(4, True, 4)
        model.layers[-1][1].update(settings)
    else:
        model.add(kind, **settings)
    _refused(model, tmp_path, rf"{kind.lower()}_1 \({kind}\): .*" + got)


def _entry_of(model: KerasModel, index: int, folder: Path, **changes: Any) -> Path:
    path = model.save_h5(folder / "net.h5")
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][index].update(changes)
        file.attrs["model_config"] = json.dumps(config)
    return path


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"module": "my.layers"}, "got my.layers.Flatten"),
        ({"registered_name": "My>Flatten"}, "got My>Flatten"),
        ({"class_name": "Custom>Flatten"}, "got Custom>Flatten"),
        ({"inbound_nodes": [[["quantconv2d_0", 0, 0, {}]]] * 2}, "a layer that is called once, got 2"),
        (
            {"inbound_nodes": [[["quantconv2d_0", 0, 0, {"training": True}]]]},
            "expected a call with its inputs alone, got training = true",
        ),
        ({"inbound_nodes": [[["quantconv2d_0", 1, 0, {}]]]}, "the only output of a layer"),
        ({"inbound_nodes": [{"args": [], "kwargs": {"training": True}}]}, "training = true"),
    ],
)
def test_a_class_of_somebody_else_and_calls_that_change_a_layer_are_refused(changes, match, tmp_path):
    model = _model()
    model.add("Flatten")
    model.dense(6 * 6 * 4, 5)
    path = _entry_of(model, 1, tmp_path, **changes)
    with pytest.raises(InputError, match=match):
        import_keras(path, tmp_path / "out", input_type="uint8")


# ---- what is read, against numpy ---------------------------------------------------------------


def _scores(model: KerasModel, folder: Path, images: np.ndarray) -> np.ndarray:
    path = model.save_h5(folder / "net.h5")
    imported = import_keras(path, folder, input_type="uint8", image_range=(-1, 1))
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    frames = frames_from_images(network, images.transpose(0, 3, 1, 2))
    return execute(network, parameters, frames).scores


def _images() -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, (40, 8, 8, 3), np.uint8)


def _sums(model: KerasModel, images: np.ndarray) -> np.ndarray:
    kind, config, weights = model.layers[0]
    assert kind == "QuantConv2D"
    return convolved(images / 255 * 2.0 - 1, sign(weights["kernel"]), config)


def _rest(model: KerasModel, x: np.ndarray, first: int) -> np.ndarray:
    rest = KerasModel(())
    rest.layers = model.layers[first:]
    return rest.scores(x)


@pytest.mark.parametrize(
    ("kind", "settings", "function"),
    [
        ("ReLU", {"max_value": 2.0}, lambda x: np.clip(x, 0, 2)),
        ("ReLU", {"max_value": None, "negative_slope": 0.25}, lambda x: np.where(x < 0, x / 4, x)),
        (
            "ReLU",
            {"max_value": 1.5, "negative_slope": 0.5, "threshold": 0.0},
            lambda x: np.minimum(np.where(x < 0, x / 2, x), 1.5),
        ),
        ("LeakyReLU", {"alpha": 0.125}, lambda x: np.where(x < 0, x / 8, x)),
        ("LeakyReLU", {"negative_slope": 0.125}, lambda x: np.where(x < 0, x / 8, x)),
        ("LeakyReLU", {}, lambda x: np.where(x < 0, np.float32(0.3) * x, x)),
        ("Activation", {"activation": "relu6"}, lambda x: np.clip(x, 0, 6)),
        ("Activation", {"activation": "Larq>hard_tanh"}, lambda x: np.clip(x, -1, 1)),
        (
            "Activation",
            {"activation": {"class_name": "function", "config": "relu", "module": "builtins"}},
            lambda x: np.maximum(x, 0),
        ),
        ("Activation", {"activation": "linear"}, lambda x: x),
        ("Rescaling", {"scale": 0.5, "offset": -1.25}, lambda x: x / 2 - 1.25),
        ("GaussianNoise", {"stddev": 0.1, "seed": None}, lambda x: x),
        (
            "Normalization",
            {"axis": [-1], "mean": [1.0, -2.0, 0.5, 3.0], "variance": [[4.0, 0.25, 1.0, 16.0]]},
            lambda x: (x - [1.0, -2.0, 0.5, 3.0]) / [2.0, 0.5, 1.0, 4.0],
        ),
        ("Normalization", {"axis": None, "mean": 1.5, "variance": 4.0}, lambda x: (x - 1.5) / 2),
        (
            "Normalization",
            {"mean": [1.0, -2.0, 0.5, 3.0], "variance": [4.0, 0.25, 0.0, 16.0], "invert": True},
            lambda x: x * [2.0, 0.5, np.float32(1e-7), 4.0] + [1.0, -2.0, 0.5, 3.0],
        ),
    ],
)
def test_functions_of_each_element(kind, settings, function, tmp_path):
    model = _model()
    model.add(kind, **settings)
    _end(model, 6 * 6 * 4)
    images = _images()
    expected = _rest(model, function(_sums(model, images)), 2)
    assert np.array_equal(_scores(model, tmp_path, images), expected)


def test_means_and_variances_that_were_found_in_data(tmp_path):
    model = _model()
    mean, variance = np.array([1.0, -2.0, 0.5, 3.0]), np.array([4.0, 0.25, 1.0, 16.0])
    weights = {"mean": mean, "variance": variance, "count": np.array(12.0)}
    model.add("Normalization", weights, axis=[-1], mean=None, variance=None)
    _end(model, 6 * 6 * 4)
    images = _images()
    expected = _rest(model, (_sums(model, images) - mean) / np.sqrt(variance), 2)
    assert np.array_equal(_scores(model, tmp_path, images), expected)


@pytest.mark.parametrize(
    ("padding", "border"),
    [(1, (1, 1, 1, 1)), ([1, 2], (1, 1, 2, 2)), ([[0, 1], [2, 0]], (0, 1, 2, 0))],
)
def test_zero_padding(padding, border, tmp_path):
    model = _model()
    model.batch_norm(4, True, 4)
    model.add("Activation", activation="ste_sign")
    model.add("ZeroPadding2D", padding=padding)
    kernel = model.rng.normal(0, 1, (3, 3, 4, 4))
    model.add("QuantConv2D", {"kernel": kernel}, kernel_quantizer="ste_sign", use_bias=False)
    top, bottom, left, right = border
    _end(model, (4 + top + bottom) * (4 + left + right) * 4)
    images = _images()
    bits = sign(_rest_of_batch_norm(model, _sums(model, images)))
    padded = np.pad(bits, ((0, 0), (top, bottom), (left, right), (0, 0)))
    expected = _rest(model, convolved(padded, sign(kernel), {}), 5)
    assert np.array_equal(_scores(model, tmp_path, images), expected)


def _rest_of_batch_norm(model: KerasModel, x: np.ndarray) -> np.ndarray:
    one = KerasModel(())
    one.layers = model.layers[1:2]
    return one.scores(x)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_convolution_with_a_multiplier(multiplier, tmp_path):
    model = _model()
    model.batch_norm(4, True, 4)
    kernel = model.rng.normal(0, 1, (3, 3, 4, multiplier))
    settings = {"depthwise_quantizer": "ste_sign", "input_quantizer": "ste_sign", "use_bias": False}
    model.add(
        "QuantDepthwiseConv2D", {"depthwise_kernel": kernel}, depth_multiplier=multiplier, **settings
    )
    _end(model, 4 * 4 * 4 * multiplier, 4 * multiplier)
    images = _images()
    bits = sign(_rest_of_batch_norm(model, _sums(model, images)))
    maps = [convolved(bits[..., c : c + 1], sign(kernel[:, :, c : c + 1]), {}) for c in range(4)]
    expected = _rest(model, np.concatenate(maps, axis=3), 3)
    assert np.array_equal(_scores(model, tmp_path, images), expected)


def test_ternary_kernels(tmp_path):
    model = _model()
    quantiser = {"class_name": "Larq>SteTern", "config": {"threshold_value": 0.4, "clip_value": 1.0}}
    model.layers[0][1]["kernel_quantizer"] = quantiser
    _end(model, 6 * 6 * 4)
    images = _images()
    stored = model.layers[0][2]["kernel"]
    ternary = np.where(np.abs(stored) > np.float32(0.4), np.sign(stored), 0)
    assert 0 < np.mean(ternary == 0) < 1
    sums = convolved(images / 255 * 2.0 - 1, ternary, model.layers[0][1])
    assert np.array_equal(_scores(model, tmp_path, images), _rest(model, sums, 1))


def test_softmax_at_the_end(tmp_path):
    model = _model()
    _end(model, 6 * 6 * 4)
    model.add("Softmax", axis=-1)
    images = _images()
    expected = _rest(model, _sums(model, images), 1)
    assert np.array_equal(_scores(model, tmp_path, images), expected)


@pytest.mark.parametrize(
    "shape",
    [None, 5, [None], [None, None, None, 1], [None, -6, 6, 1], [None, 6.5, 6, 1], [None, True, 6, 1]],
)
def test_an_input_shape_is_whole_sizes(shape: Any, tmp_path: Path) -> None:
    model = KerasModel((6, 6, 1))
    model.conv((3, 3, 1, 4))
    model.layers[0][1]["batch_input_shape"] = shape
    with pytest.raises(InputError, match=r"expected (a fixed input shape|batch_input_shape)"):
        import_keras(model.save_keras(tmp_path / "net.keras"), tmp_path)


@pytest.mark.parametrize("size", [7, 12, 10**9])
def test_a_window_larger_than_its_map_is_refused_by_its_layer(size: int, tmp_path: Path) -> None:
    """Twelve: a map of -2 x -2 would have had as many numbers as one of 2 x 2."""
    model = KerasModel((6, 6, 1))
    model.conv((3, 3, 1, 4), padding="same")
    model.add("MaxPooling2D", pool_size=[size, size], strides=[2, 2], padding="valid")
    model.add("Flatten")
    model.dense(16, 3)
    said = f"MaxPooling2D.: expected a window within its map of 6 x 6, got one of {size}"
    with pytest.raises(InputError, match=said):
        import_keras(model.save_keras(tmp_path / "net.keras"), tmp_path)
