"""Keras models with several outputs: all of them are kept, or the one that is chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")

import h5py

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers.keras.network import import_keras
from bnnsim.importers.keras.structure import structure_of
from bnnsim.spec.faults import InputError
from tests.unit.importers.keras.keras_models import convolved, sign

QUANT = {"kernel_quantizer": "ste_sign", "input_quantizer": "ste_sign", "use_bias": False}
Entry = tuple[str, str, dict[str, Any], list[str]]
"""Class, name, configuration and inputs of a layer."""


class TwoHeads:
    """A convolution, and behind it a classifier and a map of boxes."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.weights = {
            "body": rng.normal(0, 1, (3, 3, 4, 4)).astype(np.float32),
            "boxes": rng.normal(0, 1, (1, 1, 4, 3)).astype(np.float32),
            "classes": rng.normal(0, 1, (64, 5)).astype(np.float32),
        }
        self.entries: list[Entry] = [
            ("InputLayer", "in", {"batch_shape": [None, 6, 6, 4]}, []),
            ("QuantConv2D", "body", {**QUANT, "filters": 4, "kernel_size": [3, 3]}, ["in"]),
            ("QuantConv2D", "boxes", {**QUANT, "filters": 3, "kernel_size": [1, 1]}, ["body"]),
            ("Flatten", "flat", {}, ["body"]),
            ("QuantDense", "classes", {**QUANT, "units": 5}, ["flat"]),
        ]

    def save(self, path: Path, outputs: list[Any] | dict[str, Any]) -> Path:
        layers = []
        for kind, name, config, inputs in self.entries:
            nodes = [[[one, 0, 0, {}] for one in inputs]] if inputs else []
            entry = {"class_name": kind, "name": name, "config": {"name": name, **config}}
            layers.append({**entry, "inbound_nodes": nodes})
        config = {"name": "net", "layers": layers, "output_layers": outputs}
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
            for name, values in self.weights.items():
                group = file.create_group(f"model_weights/{name}")
                group.attrs["weight_names"] = [f"{name}/kernel:0"]
                group[f"{name}/kernel:0"] = values
        return path

    def values(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """What Keras computes: maps ``(n, height, width, channels)``."""
        plain = {"padding": "valid"}
        body = convolved(sign(images / 255.0 * 2 - 1), sign(self.weights["body"]), plain)
        return {
            "body": body,
            "boxes": convolved(sign(body), sign(self.weights["boxes"]), plain),
            "classes": sign(body).reshape(len(images), -1) @ sign(self.weights["classes"]),
        }


def call(name: str) -> list[Any]:
    return [name, 0, 0]


def found_values(imported: Any, images: np.ndarray) -> dict[str, np.ndarray]:
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    frames = frames_from_images(network, images.transpose(0, 3, 1, 2))
    activations = execute(network, parameters, frames)
    maps = {n: activations.scores_of(n).reshape(-1, *network.tensor(n).shape) for n in network.outputs}
    return {name: values.transpose(0, 2, 3, 1) for name, values in maps.items()}


@pytest.mark.parametrize(
    "outputs",
    [
        [call("classes"), call("boxes")],
        [call("boxes"), call("classes"), call("body")],
        {"a": call("body"), "b": call("classes"), "c": call("boxes")},
    ],
    ids=["two", "and one that is read on", "by name"],
)
def test_all_outputs_of_a_model_are_kept_in_its_order(outputs, tmp_path):
    model = TwoHeads()
    imported = import_keras(model.save(tmp_path / "net.h5", outputs), tmp_path, image_range=(-1, 1))
    images = np.random.default_rng(6).integers(0, 256, (20, 6, 6, 4), np.uint8)
    names = [one[0] for one in (outputs.values() if isinstance(outputs, dict) else outputs)]
    assert any("lie by row, column, channel" in note for note in imported.notes) == ("boxes" in names)
    right, found = model.values(images), found_values(imported, images)
    assert len(found) == len(names)
    for name, values in zip(names, found.values(), strict=True):
        assert np.array_equal(values.reshape(20, -1), right[name].reshape(20, -1)), name


def test_the_layer_of_one_output_is_chosen_by_its_name(tmp_path):
    path = TwoHeads().save(tmp_path / "net.h5", [call("classes"), call("boxes")])
    imported = import_keras(path, tmp_path, image_range=(-1, 1), output="boxes")
    assert [layer.op for layer in imported.workload.layers] == ["conv", "conv"]
    assert "not kept (--output boxes): classes" in imported.notes
    match = r"expected one of the model's outputs \(classes, boxes\), got 'boxs' \(nearest: boxes"
    with pytest.raises(InputError, match=match):
        import_keras(path, tmp_path, "other", image_range=(-1, 1), output="boxs")


def test_a_softmax_inside_is_computed_and_one_at_an_output_left_out(tmp_path):
    model = TwoHeads()
    model.entries.append(("Activation", "soft", {"activation": "softmax"}, ["classes"]))
    ended = model.save(tmp_path / "ended.h5", [call("boxes"), call("soft")])
    imported = import_keras(ended, tmp_path, image_range=(-1, 1))
    assert any(note.startswith("output soft: Softmax left out") for note in imported.notes)
    model.entries.append(("QuantDense", "more", {**QUANT, "units": 2}, ["soft"]))
    model.weights["more"] = np.ones((5, 2), np.float32)
    inside = model.save(tmp_path / "inside.h5", [call("more")])
    imported = import_keras(inside, tmp_path / "inside", image_range=(-1, 1))
    assert any("e to the power in" in note for note in imported.notes)


@pytest.mark.parametrize("outputs", [[["classes", 1, 0]], [["classes", 0, 1]]], ids=["call", "tensor"])
def test_an_output_of_another_call_is_refused_by_name(outputs, tmp_path):
    path = TwoHeads().save(tmp_path / "net.h5", outputs)
    with pytest.raises(InputError, match="classes") as caught:
        import_keras(path, tmp_path, image_range=(-1, 1))
    assert "\n" not in str(caught.value)


def test_a_model_inside_a_model_is_refused_by_name(tmp_path):
    model = TwoHeads()
    model.entries.append(("Functional", "inner", {"layers": []}, ["body"]))
    path = model.save(tmp_path / "net.h5", [call("inner"), call("classes")])
    with pytest.raises(InputError, match="inner") as caught:
        import_keras(path, tmp_path, image_range=(-1, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["input_layers", "output_layers"])
def test_an_end_that_is_no_layer_is_named(key: str) -> None:
    entry = {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 4]}}
    config = {"name": "net", "layers": [entry], key: [["gone", 0, 0]]}
    with pytest.raises(InputError, match=r"net\.h5: expected inputs and outputs among .*, got gone"):
        structure_of({"class_name": "Functional", "config": config}, "net.h5")
