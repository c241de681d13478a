"""Write small Larq and Larq Compute Engine models, and what TensorFlow computes with them.

python tools/models/export_larq.py FOLDER

Needs tensorflow 2.15.1, larq 0.13.3 and larq-compute-engine 0.16.0 (not a dependency of the project).
Weights are drawn, batch norms too. Beside each model stands NAME.npz: ``scores`` (1000, ...) of the model
on ``inputs(shape)``; frames are uint8, the model takes them as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

INPUTS = 1000
Model = Any
layers = tf.keras.layers
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
FIRST = {"kernel_quantizer": "ste_sign", "use_bias": False}


def inputs(shape: tuple[int, ...]) -> np.ndarray:
    """Frames that every model of this input shape is run on: coarse patches with noise on them."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (INPUTS, *[2] * (len(shape) - 1), shape[-1]))
    for axis, size in enumerate(shape[:-1], 1):
        coarse = np.take(coarse, np.arange(size) * 2 // size, axis=axis)
    return np.clip(coarse + rng.integers(-60, 61, coarse.shape), 0, 255).astype(np.uint8)


def sequential() -> Model:
    """Signs as layers, ternary weights, borders, LeakyReLU, a Softmax at the end; biases."""
    return tf.keras.Sequential(
        [
            layers.Rescaling(1 / 128, offset=-1.0, input_shape=(8, 8, 3)),
            lq.layers.QuantConv2D(6, 3, padding="same", **FIRST),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.25),
            lq.quantizers.SteSign(),
            layers.ZeroPadding2D(((1, 0), (0, 1))),
            lq.layers.QuantConv2D(8, 3, strides=2, kernel_quantizer="ste_tern", use_bias=True),
            layers.BatchNormalization(scale=False),
            layers.MaxPooling2D(2),
            lq.layers.QuantSeparableConv2D(
                8, 2, padding="same", pad_values=-1.0, depthwise_quantizer="ste_sign",
                pointwise_quantizer="ste_sign", input_quantizer="approx_sign", use_bias=False,
            ),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            lq.layers.QuantDense(5, input_quantizer="swish_sign", kernel_quantizer="ste_sign"),
            layers.Activation("softmax"),
        ]
    )  # fmt: skip


def dorefa() -> Model:
    """DoReFa's activations and weights of two bits, ternary activations, magnitude-aware weights."""
    return tf.keras.Sequential(
        [
            lq.layers.QuantConv2D(6, 3, padding="same", input_shape=(8, 8, 2), **FIRST),
            layers.BatchNormalization(),
            lq.layers.QuantConv2D(
                8, 3, padding="valid", use_bias=False,
                input_quantizer=lq.quantizers.DoReFa(2, mode="activations"),
                kernel_quantizer=lq.quantizers.DoReFa(2, mode="weights"),
            ),
            layers.BatchNormalization(),
            layers.AveragePooling2D(2),
            lq.layers.QuantConv2D(
                8, 2, input_quantizer="ste_tern", kernel_quantizer="magnitude_aware_sign", use_bias=False
            ),
            layers.BatchNormalization(),
            layers.GlobalMaxPooling2D(),
            lq.quantizers.DoReFa(3, mode="activations"),
            lq.layers.QuantDense(5, kernel_quantizer="ste_sign"),
        ]
    )  # fmt: skip


def shared() -> Model:
    """A block inside the model, layers that are called twice, arithmetic of TensorFlow."""
    block = tf.keras.Sequential(
        [
            lq.layers.QuantConv2D(6, 3, padding="same", pad_values=1.0, **SIGN),
            layers.BatchNormalization(),
        ],
        name="block",
    )
    inner_in = tf.keras.Input((6, 6, 6))
    inner = lq.layers.QuantConv2D(6, 1, **SIGN)(inner_in)
    inner = tf.keras.Model(inner_in, layers.BatchNormalization()(inner), name="inner")
    image = tf.keras.Input((8, 8, 3))
    x = image / 127.5 - 1.0
    x = layers.BatchNormalization()(lq.layers.QuantConv2D(6, 3, **FIRST)(x))
    sign = lq.quantizers.SteSign(name="shared_sign")
    x = block(sign(x))
    y = sign(inner(x))
    z = block(y)
    z = tf.nn.relu(z) * 0.5 - 1.0
    z = layers.Concatenate()([sign(z), y])
    z = 1.0 - lq.layers.QuantConv2D(6, 3, **SIGN)(z)
    z = tf.keras.layers.Flatten()(tf.nn.max_pool2d(tf.sign(z - 0.25), 2, 2, "VALID"))
    return tf.keras.Model(image, lq.layers.QuantDense(4, kernel_quantizer="ste_sign")(z) / 4.0)


def samples() -> Model:
    """One-dimensional: convolutions, a causal one, pools."""
    return tf.keras.Sequential(
        [
            lq.layers.QuantConv1D(6, 5, padding="same", input_shape=(24, 2), **FIRST),
            layers.BatchNormalization(),
            layers.MaxPooling1D(2),
            lq.layers.QuantConv1D(8, 3, padding="causal", **SIGN),
            layers.BatchNormalization(),
            layers.ZeroPadding1D(1),
            lq.layers.QuantSeparableConv1D(
                8, 3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign",
                pointwise_quantizer="ste_sign", use_bias=False,
            ),
            layers.BatchNormalization(),
            layers.GlobalMaxPooling1D(),
            layers.BatchNormalization(),
            lq.layers.QuantDense(5, **SIGN),
        ]
    )  # fmt: skip


class Subclassed(tf.keras.Model):
    """Built like a functional model, saved under a name of its own."""


def subclassed() -> Model:
    image = tf.keras.Input((6, 6, 3))
    x = lq.layers.QuantConv2D(8, 3, padding="same", **FIRST)(image)
    x = layers.BatchNormalization()(x)
    y = lq.layers.QuantDepthwiseConv2D(
        3, padding="same", pad_values=1.0, input_quantizer="ste_sign", depthwise_quantizer="ste_sign",
        use_bias=False,
    )(x)  # fmt: skip
    x = layers.BatchNormalization()(layers.Add()([layers.BatchNormalization()(y), x]))
    x = layers.BatchNormalization()(lq.layers.QuantConv2D(4, 3, strides=2, **SIGN)(x))
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return Subclassed(image, layers.Softmax()(lq.layers.QuantDense(5, **SIGN)(x)))


def thresholds() -> Model:
    """Convolutions whose outputs stay bits: the converter makes thresholds and binary pools of them."""
    return tf.keras.Sequential(
        [
            lq.layers.QuantConv2D(32, 3, padding="same", input_shape=(8, 8, 3), **FIRST),
            layers.BatchNormalization(),
            lq.layers.QuantConv2D(40, 3, padding="same", pad_values=1.0, activation="relu", **SIGN),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            lq.layers.QuantConv2D(36, 3, padding="same", pad_values=1.0, **SIGN),
            layers.BatchNormalization(),
            lq.layers.QuantConv2D(32, 1, **SIGN),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(scale=False),
            layers.Flatten(),
            lq.layers.QuantDense(5, **SIGN),
            layers.Activation("softmax"),
        ]
    )


def shortcuts() -> Model:
    """Zeros around bits, reals on shortcuts, a grouped and a dilated convolution, pools, a dense end."""
    image = tf.keras.Input((10, 10, 2))
    x = layers.BatchNormalization()(lq.layers.QuantConv2D(64, 3, strides=2, **FIRST)(image))
    y = lq.layers.QuantConv2D(64, 3, padding="same", activation="relu", **SIGN)(x)
    y = layers.BatchNormalization()(y)
    x = layers.Add()([x, y])
    z = lq.layers.QuantConv2D(64, 3, padding="same", pad_values=1.0, groups=2, dilation_rate=2, **SIGN)(x)
    x = layers.Add()([x, layers.BatchNormalization()(z)])
    x = layers.BatchNormalization()(lq.layers.QuantConv2D(8, 2, strides=2, **SIGN)(x))
    x = layers.BatchNormalization()(layers.AveragePooling2D(2)(layers.ReLU()(x)))
    x = lq.quantizers.SteSign()(layers.Flatten()(x))
    return tf.keras.Model(image, lq.layers.QuantDense(4, kernel_quantizer="ste_sign")(x))


def parted() -> Model:
    """As in MeliusNet: channels parted, a block that adds to the last ones only, a dense end on a map."""
    image = tf.keras.Input((10, 10, 2))
    x = lq.layers.QuantConv2D(32, 3, **FIRST)(image)
    x = layers.BatchNormalization()(x)
    parts = [
        lq.layers.QuantConv2D(16, 3, padding="same", pad_values=1.0, **SIGN)(part)
        for part in tf.split(x, [20, 12], axis=-1)
    ]
    x = layers.BatchNormalization()(layers.Concatenate()([*parts, *tf.split(x, 2, axis=-1)]))
    y = lq.layers.QuantConv2D(16, 3, padding="same", pad_values=1.0, **SIGN)(x)
    x = x + tf.pad(layers.BatchNormalization()(y), [[0, 0], [0, 0], [0, 0], [48, 0]])
    x = layers.AveragePooling2D(8)(layers.ReLU()(x))
    return tf.keras.Model(image, lq.layers.QuantDense(4, **FIRST)(layers.Flatten()(x)))


def gated() -> Model:
    """As in Real-to-Binary: gates of each channel, made of the map in front of a convolution."""
    image = tf.keras.Input((8, 8, 3))
    x = first = layers.BatchNormalization()(lq.layers.QuantConv2D(32, 3, **FIRST)(image))
    for number in range(2):
        y = lq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, **SIGN)(first)
        gate = layers.BatchNormalization()(layers.GlobalAveragePooling2D()(first))
        gate = lq.layers.QuantDense(32, activation="sigmoid", **FIRST)(gate)
        gate = layers.Reshape((1, 1, 32))(gate) if number else gate
        x = layers.Add()([x, layers.BatchNormalization()(layers.Multiply()([y, gate]))])
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(image, lq.layers.QuantDense(4, **FIRST)(x))


def sliced() -> Model:
    """Channels parted, indexed and widened by functions of TensorFlow."""
    image = tf.keras.Input((8, 8, 3))
    x = layers.BatchNormalization()(lq.layers.QuantConv2D(16, 3, **FIRST)(image))
    parts = [
        lq.layers.QuantConv2D(8, 3, padding="same", pad_values=1.0, **SIGN)(part)
        for part in tf.split(x, [10, 6], axis=-1)
    ]
    x = layers.Concatenate()([*parts, *tf.split(x, 2, axis=-1), x[..., 2:5], x[:, :, :, 12:]])
    x = layers.BatchNormalization()(x)
    y = lq.layers.QuantConv2D(8, 3, padding="same", pad_values=1.0, **SIGN)(x)
    x = x + tf.pad(layers.BatchNormalization()(y), [[0, 0], [0, 0], [0, 0], [31, 0]])
    x = layers.Flatten()(layers.AveragePooling2D(6)(layers.ReLU()(x)))
    return tf.keras.Model(image, lq.layers.QuantDense(4, **FIRST)(x))


MODELS: dict[str, Callable[[], Model]] = {
    "sequential": sequential,
    "dorefa": dorefa,
    "shared": shared,
    "samples": samples,
    "subclassed": subclassed,
    "gated": gated,
    "sliced": sliced,
}
ENGINE_MODELS: dict[str, Callable[[], Model]] = {
    "thresholds": thresholds,
    "shortcuts": shortcuts,
    "parted": parted,
    "gated_lite": gated,
}


def trained(model: Model, seed: int) -> Model:
    """With batch norms as training might leave them: statistics of frames, gains of both signs."""
    rng = np.random.default_rng(seed)
    norms = [one for one in model.submodules if isinstance(one, layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    model(inputs(tuple(model.input_shape[1:]))[:100].astype(np.float32), training=True)
    for layer in norms:
        layer.momentum = 0.99
        width = layer.moving_mean.shape[0]
        if layer.scale:
            layer.gamma.assign(rng.choice([-1.0, 1.0, 1.0], width) * rng.uniform(0.3, 1.5, width))
        layer.beta.assign(rng.normal(0, 0.4, width))
    return model


def save_scores(model: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], path: Path) -> None:
    scores = model(inputs(shape).astype(np.float32))
    distinct = len(np.unique(scores.round(4), axis=0))
    print(f"{path.name}: {distinct} different scores, classes {np.bincount(scores.argmax(axis=1))}")
    np.savez_compressed(path, scores=scores.astype(np.float32))


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, build) in enumerate(MODELS.items()):
        tf.keras.utils.set_random_seed(seed)
        tf.keras.backend.clear_session()
        model = trained(build(), seed)
        shape = tuple(model.input_shape[1:])
        save_scores(lambda x, m=model: m.predict(x, verbose=0), shape, folder / f"{name}.npz")
        model.save(folder / f"{name}.h5")
        if name != "sliced":  # Keras 2.15 has no way to write an Ellipsis there
            model.save(folder / f"{name}.keras")
        if name in ("sequential", "shared"):
            (folder / f"{name}-structure.json").write_text(model.to_json())
            model.save_weights(folder / f"{name}-structure.h5")
        if name == "dorefa":
            (folder / f"{name}-structure.json").write_text(model.to_json())
            model.save_weights(folder / f"{name}-structure.weights.h5")
    import larq_compute_engine as lce

    for seed, (name, build) in enumerate(ENGINE_MODELS.items(), 20):
        tf.keras.utils.set_random_seed(seed)
        tf.keras.backend.clear_session()
        model = trained(build(), seed)
        shape = tuple(model.input_shape[1:])
        content = lce.convert_keras_model(model)
        (folder / f"{name}.tflite").write_bytes(content)
        interpreter = lce.tflite.python.interpreter.Interpreter(
            content, use_reference_bconv=True  # the other kernels know no groups
        )
        save_scores(
            lambda x, run=interpreter: np.asarray(run.predict(x)), shape, folder / f"{name}.npz"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
