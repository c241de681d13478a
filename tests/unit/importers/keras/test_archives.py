"""Archives of every generation of Keras: each layer gets its own weights, or the archive is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
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
from bnnsim.importers.keras.network import import_keras  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.unit.importers.keras.keras_models import KerasModel, saved_groups  # noqa: E402

VERSIONS = ("2.12.0", "2.13.1", "2.14.0", "2.15.0", "3.5.0", "3.11.0")


def _dense_model(first: int = 1, seed: int = 3) -> KerasModel:
    """Layers of one size, so that any two can be mixed up; names that do not count from 0."""
    model = KerasModel((16,), seed)
    for i in range(3):
        config = {"kernel_quantizer": "ste_sign", "use_bias": i == 1, "units": 16}
        config |= {"input_quantizer": "ste_sign" if i else None, "name": f"quant_dense_{3 - i}"}
        weights = {"kernel": model.rng.uniform(-1, 1, (16, 16))}
        if i == 1:
            weights["bias"] = model.rng.normal(0, 3, 16)
        model.add("QuantDense", weights, **config)
        if i == 1:
            model.add("ReLU", max_value=4.0, negative_slope=0.0, threshold=0.0)
        model.batch_norm(16, True, 2)
        model.layers[-1][1]["name"] = f"batch_normalization_{i + first}"
        model.layers[-1][1]["axis"] = [1]
    model.dense(16, 10)
    return model


def _scores(path: Path, folder: Path, images: np.ndarray) -> np.ndarray:
    imported = import_keras(path, folder, input_type="uint8", image_range=(-1, 1))
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    return execute(network, parameters, frames_from_images(network, images)).scores


def _expected(model: KerasModel, images: np.ndarray) -> np.ndarray:
    """As ``scores``, with the biases that it leaves to us."""
    x = images / 255 * 2.0 - 1
    for kind, config, weights in model.layers:
        one = KerasModel(model.shape)
        one.layers = [(kind, config, {k: v for k, v in weights.items() if k != "bias"})]
        x = one.scores(x) + weights.get("bias", 0.0)
    return x


@pytest.mark.parametrize("first", [0, 1, 7])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_layer_gets_its_own_weights_whatever_it_is_called(version, first, tmp_path):
    model = _dense_model(first)
    images = np.random.default_rng(3).integers(0, 256, (200, 16), np.uint8)
    expected = _expected(model, images)
    assert len(np.unique(expected, axis=0)) > 10, "frames that tell layers apart"
    path = model.save_keras(tmp_path / "net.keras", version)
    assert np.array_equal(_scores(path, tmp_path, images), expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_archive_without_a_version_is_read_by_the_groups_it_has(version, tmp_path):
    model = _dense_model()
    path = model.save_keras(tmp_path / "net.keras", version)
    _rewrite(path, lambda file: None, {"metadata.json": None})
    images = np.random.default_rng(3).integers(0, 256, (50, 16), np.uint8)
    assert np.array_equal(_scores(path, tmp_path, images), _expected(model, images))


def test_the_groups_of_the_generations_differ(tmp_path):
    names = {
        version: [group.split("/")[1] for group, layer in saved_groups(_dense_model().layers, version)]
        for version in VERSIONS
    }
    assert [n for n in names["2.12.0"] if "dense" in n] == [
        "quant_dense", "quant_dense_2", "quant_dense_4", "quant_dense_6",
    ]  # fmt: skip
    assert names["2.13.1"] == names["2.12.0"] and names["2.14.0"] == names["2.15.0"] == names["3.5.0"]


@pytest.mark.parametrize("form", ["h5", "keras"])
def test_both_forms_give_the_same_workload(form, tmp_path):
    model = _dense_model(5)
    images = np.random.default_rng(4).integers(0, 256, (200, 16), np.uint8)
    path = (model.save_h5 if form == "h5" else model.save_keras)(tmp_path / f"net.{form}")
    assert np.array_equal(_scores(path, tmp_path, images), _expected(model, images))


def _rewrite(path: Path, change: Callable[[Any], None], members: dict[str, Any] | None = None) -> None:
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    data = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(data, "r+") as file:
        change(file)
    contents |= {"model.weights.h5": data.getvalue(), **(members or {})}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            if content is not None:
                archive.writestr(name, content)


def _refused(path: Path, tmp_path: Path, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        import_keras(path, tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f.__delitem__("layers/quant_dense_2"), "each layer, got none for quant_dense_2$"),
        (
            lambda f: f.move("layers/quant_dense_2", "layers/quant_dense_9"),
            "got none for quant_dense_2 and a group quant_dense_9 that no layer owns$",
        ),
        (
            lambda f: f.create_dataset("layers/conv2d/vars/0", data=np.zeros(3)),
            "got a group conv2d that no layer owns$",
        ),
        (
            lambda f: f.create_dataset("layers/quant_dense/vars/1", data=np.zeros(16)),
            r"quant_dense_3 \(QuantDense\): expected 1 variables \(kernel\), got 2",
        ),
        (
            lambda f: f.__delitem__("layers/batch_normalization_1/vars/0"),
            r"expected 4 variables \(gamma, beta, moving_mean, moving_variance\), got 3",
        ),
        (
            lambda f: f.create_dataset("layers/quant_dense/inner/vars/0", data=np.zeros(3)),
            "expected variables of a layer, got a nested object's",
        ),
        (lambda f: f.move("layers", "other"), "expected weights in a group layers or _layer_"),
        (
            lambda f: f["layers/quant_dense/vars"].attrs.__setitem__("name", "stem"),
            "expected a group quant_dense of its own, got one of layer stem",
        ),
    ],
)
def test_groups_that_do_not_belong_to_the_layers_are_refused(change, match, tmp_path):
    path = _dense_model().save_keras(tmp_path / "net.keras")
    _rewrite(path, change)
    _refused(path, tmp_path, match)


def test_groups_counted_as_another_version_counts_are_refused(tmp_path):
    path = _dense_model().save_keras(tmp_path / "net.keras", "2.13.1")
    _rewrite(path, lambda f: None, {"metadata.json": json.dumps({"keras_version": "2.14.0"})})
    _refused(path, tmp_path, "expected a group of weights for each layer, got none for ")


def test_weights_of_another_shape_are_refused(tmp_path):
    model = _dense_model()
    model.layers[0][1]["units"] = 17
    path = model.save_keras(tmp_path / "net.keras")
    _refused(path, tmp_path, r"expected a kernel of shape \[16, 17\], got \[16, 16\]")


def test_training_metrics_of_quantisers_are_no_weights(tmp_path):
    model = _dense_model()
    path = model.save_keras(tmp_path / "net.keras")
    _rewrite(
        path,
        lambda f: f.create_dataset(
            "layers/quant_dense/kernel_quantizer/flip_ratio/vars/0", data=np.zeros(1)
        ),
    )
    images = np.random.default_rng(3).integers(0, 256, (20, 16), np.uint8)
    assert np.array_equal(_scores(path, tmp_path, images), _expected(model, images))


def test_weights_of_a_layer_that_the_model_lacks_are_refused(tmp_path):
    path = _dense_model().save_h5(tmp_path / "net.h5")
    with h5py.File(path, "r+") as file:
        group = file.create_group("model_weights/aux")
        group.attrs["weight_names"] = [b"aux/kernel:0"]
        group["aux/kernel:0"] = np.zeros(3)
    _refused(path, tmp_path, "aux: expected weights of a layer of the model, got a layer it lacks")
