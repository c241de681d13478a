"""Write networks of larq-zoo at small sizes, and what TensorFlow computes with them.

python tools/models/export_larq_zoo.py FOLDER [NETWORK]

Needs tensorflow 2.15.1, larq 0.13.3 and larq-zoo 2.4.0 (not a dependency of the project); its own
factories build the networks. Weights are drawn: real ones as up to 127 steps of each output channel, so
that rounding them to int8 changes nothing, binary ones as signs of one magnitude; batch norms have the
statistics of frames. A network is saved as NAME.h5 and packed by gzip; beside it stands NAME.npz:
``scores`` (100, classes) of the model on ``inputs(shape)``.

With the name of a network of larq-zoo (``MeliusNet22``) only FOLDER/NETWORK.h5 is written, at its real
size and with the weights that Keras draws.
"""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import larq_zoo.literature
import larq_zoo.sota
import numpy as np
import tensorflow as tf
from larq_zoo.literature.birealnet import BiRealNetFactory
from larq_zoo.literature.densenet import BinaryDenseNetFactory
from larq_zoo.literature.meliusnet import MeliusNetFactory
from larq_zoo.literature.real_to_bin_nets import RealToBinNetFactory
from larq_zoo.literature.resnet_e import BinaryResNetE18Factory
from larq_zoo.sota.quicknet import QuickNetFactory
from zookeeper import Field, factory

INPUTS, STEPS = 100, 127
Model = Any
layers = tf.keras.layers


def inputs(shape: tuple[int, ...]) -> np.ndarray:
    """Frames that every model of this input shape is run on: coarse patches with noise on them."""
    rng = np.random.default_rng(11)
    coarse = rng.integers(0, 256, (INPUTS, 4, 4, shape[-1]))
    for axis, size in enumerate(shape[:-1], 1):
        coarse = np.take(coarse, np.arange(size) * 4 // size, axis=axis)
    return np.clip(coarse + rng.integers(-60, 61, coarse.shape), 0, 255).astype(np.uint8)


@factory
class SmallMeliusNetFactory(MeliusNetFactory):
    num_blocks = (1, 1)
    transition_features = (32, None)
    name = "melius"


@factory
class SmallDenseNetFactory(BinaryDenseNetFactory):
    name = "dense"
    layers = (2, 2)
    reduction = (2,)
    dilation_rate = (1, 1)


@factory
class SmallResNetEFactory(BinaryResNetE18Factory):
    spec = ([1, 1], [16, 32])


@factory
class SmallRealToBinaryFactory(RealToBinNetFactory):
    model_name = Field("r2b")
    input_quantizer = "ste_sign"
    kernel_quantizer = "ste_sign"
    kernel_constraint = "weight_clip"

    def build(self) -> tf.keras.models.Model:
        """The first blocks alone."""
        x = self.first_block(self.image_input, name="r2b_block_1", use_prelu=True)
        x = self.block(x, name="r2b_block_2")
        return tf.keras.Model(self.image_input, self.last_block(x, name="r2b_block_10"))


COMMON = {"weights": None, "include_top": True, "input_tensor": None, "num_classes": 10}
MODELS: dict[str, Callable[[], Model]] = {
    "MeliusNet": lambda: SmallMeliusNetFactory(input_shape=(32, 32, 3), **COMMON).build(),
    "BinaryDenseNet": lambda: SmallDenseNetFactory(
        input_shape=(64, 64, 3), initial_filters=32, growth_rate=16, **COMMON
    ).build(),
    "BiRealNet": lambda: BiRealNetFactory(input_shape=(64, 64, 3), filters=4, **COMMON).build(),
    "BinaryResNetE": lambda: SmallResNetEFactory(
        input_shape=(64, 64, 3), initial_filters=16, **COMMON
    ).build(),
    "RealToBinaryNet": lambda: SmallRealToBinaryFactory(input_shape=(32, 32, 3), **COMMON).build(),
    "QuickNet": lambda: QuickNetFactory(
        input_shape=(32, 32, 3), section_blocks=(1, 2), section_filters=(16, 32), **COMMON
    ).build(),
}


def draw_weights(model: Model, seed: int) -> None:
    """Kernels, and slopes of PReLU; what is not trainable stays."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        kernels = [one for one in layer.trainable_weights if "kernel" in one.name]
        is_binary = getattr(layer, "kernel_quantizer", None) is not None
        for kernel in kernels:
            shape = kernel.shape.as_list()
            steps = rng.integers(-STEPS, STEPS + 1, shape)
            steps[tuple(0 for _ in shape[:-1])] = STEPS
            scale = 2.0 ** -rng.integers(8, 10, shape[-1])
            kernel.assign(rng.choice([-0.5, 0.5], shape) if is_binary else steps * scale)
        if isinstance(layer, layers.PReLU):
            layer.alpha.assign(rng.integers(0, 64, layer.alpha.shape) / 128)


def fit_norms(model: Model, frames: np.ndarray, seed: int) -> None:
    """Batch norms as training might leave them: statistics of frames, gains of both signs."""
    rng = np.random.default_rng(seed)
    norms = [one for one in model.layers if isinstance(one, layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(frames[:50].astype(np.float32), training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
        width = layer.moving_mean.shape[0]
        if layer.scale:
            layer.gamma.assign(rng.choice([-1.0, 1.0, 1.0], width) * rng.uniform(0.3, 1.5, width))
        if layer.center:
            layer.beta.assign(rng.normal(0, 0.4, width))


def forget_paths(model: Model) -> None:
    """Code of Lambdas without the name of the file that it was compiled from."""
    for layer in model.layers:
        if isinstance(layer, layers.Lambda):
            code = layer.function.__code__
            layer.function.__code__ = code.replace(co_filename="larq_zoo.py")


def save_whole(folder: Path, name: str) -> None:
    tf.keras.utils.set_random_seed(1)
    model = getattr(larq_zoo.literature, name, None) or getattr(larq_zoo.sota, name)
    model(weights=None).save(folder / f"{name}.h5")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, build) in enumerate(MODELS.items(), 1):
        tf.keras.backend.clear_session()
        model = build()
        frames = inputs(tuple(model.input_shape[1:]))
        draw_weights(model, seed)
        fit_norms(model, frames, seed)
        forget_paths(model)
        ends = tf.keras.Model(model.input, model.layers[-2].output)
        scores = ends.predict(frames.astype(np.float32), verbose=0)
        model.layers[-2].bias.assign(np.round(-scores.mean(axis=0), 2))
        scores = ends.predict(frames.astype(np.float32), verbose=0)
        np.savez_compressed(folder / f"{name}.npz", scores=scores.astype(np.float32))
        path = folder / f"{name}.h5"
        model.save(path)
        packed = gzip.compress(path.read_bytes(), mtime=0)
        path.unlink()
        (folder / f"{name}.h5.gz").write_bytes(packed)
        classes = np.bincount(scores.argmax(axis=1))
        print(f"{name}: {len(packed)} bytes, {model.count_params()} parameters, classes {classes}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        save_whole(Path(sys.argv[1]), sys.argv[2])
    else:
        main(Path(sys.argv[1]))
