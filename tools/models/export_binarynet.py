"""Write small Keras models of BinaryNet's and TernaryNet's layers, as hls4ml reads them.

python tools/models/export_binarynet.py FOLDER

Needs tensorflow 2.15.1 (not a dependency of the project). The layers stand in no package: those here
compute what github.com/DingKe/nn_playground (binary_ops, ternary_ops and their layers) says and have the
names and settings that its files have. Beside each model stands NAME.npz: ``scores`` (1000, ...) of the
model on ``inputs(shape)``; frames are uint8, the model takes them as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

INPUTS = 1000
layers = tf.keras.layers


def inputs(shape: tuple[int, ...]) -> np.ndarray:
    """Frames that a model of this input shape is run on."""
    return np.random.default_rng(7).integers(0, 256, (INPUTS, *shape)).astype(np.uint8)


def binary_sigmoid(x: Any) -> Any:
    return tf.round(tf.clip_by_value(0.5 * x + 0.5, 0.0, 1.0))


def binary_tanh(x: Any) -> Any:
    return 2.0 * binary_sigmoid(x) - 1.0


def ternary_tanh(x: Any) -> Any:
    return tf.where(x > 0.5, 1.0, tf.where(x <= -0.5, -1.0, 0.0))


def relu1(x: Any) -> Any:
    return tf.clip_by_value(x, 0.0, 1.0)


class _OfHeight:
    """A layer whose kernel is rounded to few levels of height ``H`` when it is run."""

    def __init__(self, *args: Any, H: float = 1.0, **more: Any) -> None:
        super().__init__(*args, **more)
        self.H = H

    def call(self, x: Any) -> Any:
        levels = ternary_tanh if "Ternary" in type(self).__name__ else binary_tanh
        kept, self.kernel = self.kernel, self.H * levels(self.kernel / self.H)
        made = super().call(x)
        self.kernel = kept
        return made

    def get_config(self) -> dict[str, Any]:
        multipliers = {"kernel_lr_multiplier": 7.5, "bias_lr_multiplier": None}
        return super().get_config() | {"H": self.H} | multipliers


class BinaryDense(_OfHeight, layers.Dense):
    """Weights of -H and H."""


class TernaryDense(_OfHeight, layers.Dense):
    """Weights of -H, 0 and H."""


class BinaryConv2D(_OfHeight, layers.Conv2D):
    """Weights of -H and H."""


class TernaryConv2D(_OfHeight, layers.Conv2D):
    """Weights of -H, 0 and H."""


class DropoutNoScale(layers.Dropout):
    """Does nothing when a model is run."""


def dense() -> Any:
    """Signs, then levels of three, then real values up to 1; weights of heights of their own."""
    return tf.keras.Sequential(
        [
            BinaryDense(48, use_bias=False, input_shape=(20,)),
            layers.BatchNormalization(epsilon=1e-6),
            layers.Activation(binary_tanh),
            DropoutNoScale(0.5),
            TernaryDense(40, H=0.25),
            layers.BatchNormalization(epsilon=1e-6),
            layers.Activation(ternary_tanh),
            BinaryDense(32, H=float(np.float32(np.sqrt(1.5 / 72))), use_bias=False),
            layers.BatchNormalization(epsilon=1e-6),
            layers.Activation(relu1),
            BinaryDense(5, use_bias=False),
            layers.BatchNormalization(epsilon=1e-6),
        ]
    )


def conv() -> Any:
    """Convolutions, zeros around signs, bits of 0 and 1, a Softmax at the end."""
    return tf.keras.Sequential(
        [
            BinaryConv2D(8, 3, padding="same", use_bias=False, input_shape=(9, 9, 2)),
            layers.BatchNormalization(),
            layers.Activation(binary_tanh),
            TernaryConv2D(8, 3, padding="same", H=0.5),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Activation(binary_sigmoid),
            BinaryConv2D(6, 2, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation(ternary_tanh),
            layers.Flatten(),
            TernaryDense(4, use_bias=False),
            layers.BatchNormalization(),
            layers.Softmax(),
        ]
    )


def drawn(model: Any, seed: int) -> Any:
    """With weights of all sizes (some exactly on a step) and batch norms of the frames' statistics."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, _OfHeight):
            values = rng.uniform(-1, 1, layer.kernel.shape) * layer.H
            steps = rng.choice([0.0, 0.5, -0.5, 1e-8, -1e-8], layer.kernel.shape) * layer.H
            layer.kernel.assign(np.where(rng.random(values.shape) < 0.1, steps, values))
    norms = [one for one in model.layers if isinstance(one, layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    model(inputs(tuple(model.input_shape[1:]))[:200].astype(np.float32), training=True)
    for layer in norms:
        layer.momentum = 0.99
        width = layer.moving_mean.shape[0]
        layer.gamma.assign(rng.choice([-1.0, 1.0], width) * rng.uniform(0.3, 1.5, width))
        layer.beta.assign(rng.normal(0, 0.4, width))
    return model


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, build in enumerate((dense, conv)):
        model, name = drawn(build(), seed), build.__name__
        scores = model.predict(inputs(tuple(model.input_shape[1:])).astype(np.float32), verbose=0)
        print(name, len(np.unique(scores.round(4), axis=0)), np.bincount(scores.argmax(axis=1)))
        np.savez_compressed(folder / f"{name}.npz", scores=scores.astype(np.float32))
        if name == "dense":
            (folder / f"{name}.json").write_text(model.to_json(indent=1))
            model.save_weights(folder / f"{name}_weights.h5")
        else:
            model.save(folder / f"{name}.h5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
