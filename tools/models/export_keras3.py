"""Keras 3's own files, and what Keras computes with them, for tests/golden/imported/keras3.

Needs Keras 3 and a backend (the files there: keras 3.15.1 on torch 2.14.1, ``KERAS_BACKEND=torch``):
``python tools/models/export_keras3.py FOLDER``. Weights are drawn, those of convolutions and dense
layers -1 and +1. Scores are of 1,000 drawn frames.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

INPUTS = 1000


def frames_of(shape: tuple[int, ...]) -> np.ndarray:
    """Pixels, each drawn by itself."""
    return np.random.default_rng(7).integers(0, 256, (INPUTS, *shape)).astype(np.uint8)


def functional() -> Any:
    """A layer called twice, a model inside, keras.ops, ZeroPadding, LeakyReLU, global pools."""
    pixels = layers.Input((10, 12, 3))
    x = layers.ZeroPadding2D(1)(layers.Rescaling(1 / 255)(pixels))
    x = ops.sign(layers.BatchNormalization()(layers.Conv2D(8, 3)(x)))
    shared = layers.Conv2D(8, 3, padding="same", use_bias=False)
    first = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(shared(x)))
    first = ops.sign(first - 0.3)
    second = ops.sign(layers.BatchNormalization()(shared(first)))
    x = layers.MaxPooling2D()(layers.Concatenate()([first, second]))
    inner = layers.Input((5, 6, 16))
    y = layers.BatchNormalization()(layers.Conv2D(12, 3, use_bias=False)(inner))
    x = keras.Model(inner, ops.sign(y), name="inside")(x)
    x = layers.GlobalAveragePooling2D()(x) + layers.GlobalMaxPooling2D()(x)
    x = ops.sign(layers.BatchNormalization()(layers.Dense(16)(x)))
    return keras.Model(pixels, layers.Dense(5)(x))


def sequential() -> Any:
    """Real values that stay: ReLU6, PReLU, a separable convolution."""
    return keras.Sequential(
        [
            layers.Input((9, 9, 2)),
            layers.Rescaling(1 / 127.5, -1.0),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(max_value=6.0),
            layers.SeparableConv2D(6, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.PReLU(shared_axes=[1, 2]),
            layers.GlobalMaxPooling2D(),
            layers.Dense(4),
        ]
    )


def drawn(model: Any, rng: np.random.Generator) -> Any:
    """The model with weights of its own."""
    for weight in model.weights:
        shape, name = weight.shape, weight.path.split("/")[-1]
        values = 2 * rng.normal(size=shape)
        if name.endswith("kernel"):
            values = rng.choice([-1.0, 1.0], shape)
        elif name == "gamma":
            values = rng.choice([-1.0, 1.0, 1.0], shape) * rng.uniform(0.4, 1.6, shape)
        elif name in ("moving_variance", "alpha"):
            values = rng.uniform(1, 9, shape) if name == "moving_variance" else rng.uniform(0, 0.4, shape)
        weight.assign(values.astype(np.float32))
    return model


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, build in enumerate((functional, sequential)):
        model, name = drawn(build(), np.random.default_rng(seed)), build.__name__
        frames = frames_of(tuple(model.input_shape[1:])).astype(np.float32)
        scores = ops.convert_to_numpy(model(frames)).reshape(INPUTS, -1)
        np.savez_compressed(folder / f"{name}.npz", scores=scores.astype(np.float32))
        model.save(folder / f"{name}.keras")
        if name == "functional":
            (folder / f"{name}-structure.json").write_text(model.to_json())
            model.save_weights(folder / f"{name}-structure.weights.h5")
        else:
            model.save(folder / f"{name}.h5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
