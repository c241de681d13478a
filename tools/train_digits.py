"""Train the binary network of workloads/digits.yaml and write it with its test images.

    pip install -e . -r tools/requirements.txt
    python tools/train_digits.py

The data are the 1,797 handwritten digits bundled with scikit-learn, 8 x 8 pixels of 0 to 16. 360 of
them, drawn evenly over the digits, are held out and touched once: for the accuracy that is printed
and written. ``--cross-validate`` judges the recipe on the others alone, as it was chosen.
Same seed, same library versions, same machine: same bytes (one thread, no clock).
"""

from __future__ import annotations

import argparse
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from binary_training import Floats, Ints, Recipe, Stage, fit, settle
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bnnsim.importers.draft.write import npz_bytes, replace_files, write_network
from bnnsim.spec import Workload

HELD_OUT = 360
SPLIT_SEED = 0
RECIPE = Recipe(epochs=600, batch=50, learning_rate=0.02, clip=2.0)
PLAIN_EPOCHS = 30
"""The last epochs see the images as they are."""

Arrays = dict[str, npt.NDArray[np.uint8] | npt.NDArray[np.int32]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the digits network of workloads/.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "workloads")
    parser.add_argument("--cross-validate", action="store_true", help="judge the recipe, no files")
    options = parser.parse_args()
    digits = load_digits()
    images = np.floor(digits.images * 255 / 16 + 0.5).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    training, held_out = train_test_split(
        np.arange(len(labels)), test_size=HELD_OUT, random_state=SPLIT_SEED, stratify=labels
    )
    # One thread: the order of a sum must not depend on the number of cores.
    with threadpool_limits(limits=1):
        if options.cross_validate:
            cross_validate(images[training], labels[training], options.seed)
            return
        arrays = train(images[training], labels[training], options.seed)
    right = int((integer_scores(arrays, images[held_out]).argmax(1) == labels[held_out]).sum())
    print(f"held out: {right} of {HELD_OUT} right, {right / HELD_OUT:.2%}")
    write(options.out, arrays, images[held_out], labels[held_out], right)


def cross_validate(images: npt.NDArray[np.uint8], labels: Ints, seed: int) -> None:
    """Print the accuracy of the recipe on each quarter, trained on the other three."""
    folds = StratifiedKFold(4, shuffle=True, random_state=1)
    for fold, (learnt, unseen) in enumerate(folds.split(images, labels)):
        arrays = train(images[learnt], labels[learnt], seed + fold)
        right = integer_scores(arrays, images[unseen]).argmax(1) == labels[unseen]
        print(f"fold {fold}: {right.mean():.2%} of {len(unseen)}")


def train(images: npt.NDArray[np.uint8], labels: Ints, seed: int) -> Arrays:
    """A trained network as integers, equal to the trained one on all its training images."""
    rng = np.random.default_rng(seed)
    stages = [
        Stage(rng, 1, 16, kernel=3),
        Stage(rng, 16, 32, kernel=3, pools=True),
        Stage(rng, 32, 64, kernel=2),
        Stage(rng, 64, 10, kernel=1, is_last=True),
    ]

    def epoch_images(epoch: int, order: Ints) -> Floats:
        chosen = images[order]
        if epoch < RECIPE.epochs - PLAIN_EPOCHS:
            chosen = distort(chosen, rng)
        return quantized(chosen).astype(np.float32)[..., None]

    fit(stages, labels, epoch_images, RECIPE, rng)
    maps = quantized(images).astype(np.float32)[..., None]
    settle(stages, maps)
    arrays = fold_to_integers(stages)
    for stage in stages:
        maps = stage.infer(maps)
    if not np.array_equal(integer_scores(arrays, images), maps.reshape(len(images), -1)):
        raise AssertionError("the folded network differs from the trained one")
    return arrays


def quantized(images: npt.NDArray[np.uint8]) -> Ints:
    """Pixels on fixed8.7 integers: 0 .. 255 on -1 .. 1, in 1/128, rounded half up, clipped."""
    values = np.floor((images / 255 * 2 - 1) * 128 + 0.5)
    return np.clip(values, -128, 127).astype(np.int64)


def distort(images: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Each image turned, scaled, sheared and shifted a little at random, sampled bilinearly."""
    count, side = len(images), images.shape[1]
    turn = np.deg2rad(rng.uniform(-12, 12, (count, 1, 1)))
    scale_y, scale_x = rng.uniform(0.9, 1.1, (2, count, 1, 1))
    shear = rng.uniform(-0.1, 0.1, (count, 1, 1))
    shift_y, shift_x = rng.uniform(-0.6, 0.6, (2, count, 1, 1))
    centre = (side - 1) / 2
    y, x = np.mgrid[0:side, 0:side] - centre
    turned_y = np.cos(turn) * y - np.sin(turn) * x
    turned_x = np.sin(turn) * y + np.cos(turn) * x
    # One pixel of border all around is what the clipped coordinates find outside.
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float64)
    from_y = np.clip(turned_y * scale_y + shear * x + shift_y + centre + 1, 0, side + 0.999)
    from_x = np.clip(turned_x * scale_x + shift_x + centre + 1, 0, side + 0.999)
    y0, x0 = from_y.astype(int), from_x.astype(int)
    fy, fx = from_y - y0, from_x - x0
    i = np.arange(count)[:, None, None]
    above = padded[i, y0, x0] * (1 - fx) + padded[i, y0, x0 + 1] * fx
    below = padded[i, y0 + 1, x0] * (1 - fx) + padded[i, y0 + 1, x0 + 1] * fx
    mixed = np.floor(above * (1 - fy) + below * fy + 0.5)
    distorted: npt.NDArray[np.uint8] = mixed.astype(np.uint8)
    return distorted


def fold_to_integers(stages: list[Stage]) -> Arrays:
    """Weights {0, 1} and thresholds t of the equivalent rule ``sum >= t``, by layer.

    Batch norm fires on gain * (sum - mean) / deviation + offset >= 0. With a positive gain that is
    sum >= c, c = mean - offset * deviation / gain. With a negative gain it is sum <= c, which is
    -sum >= -c: the row's weights are negated. Sums are integers, so c is rounded up.
    """
    arrays: Arrays = {}
    for name, stage in zip(("conv0", "conv1", "fc0", "fc1"), stages, strict=True):
        signs = stage.signs.astype(np.int64)
        flips = np.ones(len(signs), np.int64) if stage.is_last else _flips(stage.gain)
        bits = (signs * flips[:, None] > 0).astype(np.uint8)
        if name.startswith("conv"):
            shape = (len(bits), stage.kernel, stage.kernel, stage.channels_in)
            bits = bits.reshape(shape).transpose(0, 3, 1, 2)
        arrays[f"{name}.weights"] = bits
        if not stage.is_last:
            arrays[f"{name}.thresholds"] = np.array(
                [threshold(stage, row) for row in range(len(signs))], np.int32
            )
    return arrays


def _flips(gain: Floats) -> Ints:
    return np.where(gain < 0, -1, 1).astype(np.int64)


def threshold(stage: Stage, row: int) -> int:
    """The row's threshold, exact for the trained numbers, within what its sums can reach."""
    largest = int(stage.latent.shape[1]) * (128 if stage.channels_in == 1 else 1)
    gain, offset = Fraction(float(stage.gain[row])), Fraction(float(stage.offset[row]))
    if gain == 0:
        return -largest if offset >= 0 else largest + 1
    bound = Fraction(stage.mean[row]) - offset * Fraction(stage.deviation[row]) / gain
    exact = math.ceil(bound if gain > 0 else -bound)
    return min(max(exact, -largest), largest + 1)


def integer_scores(arrays: Arrays, images: npt.NDArray[np.uint8]) -> Ints:
    """Scores ``(images, 10)`` of the network as written: integers only, window by window."""

    def fires(name: str, sums: Ints) -> Ints:
        return np.where(sums >= arrays[f"{name}.thresholds"], 1, -1)

    def signs(name: str) -> Ints:
        return arrays[f"{name}.weights"].astype(np.int64) * 2 - 1

    maps = quantized(images)[:, None]
    for name in ("conv0", "conv1"):
        out, _, kernel, _ = signs(name).shape
        side = maps.shape[2] - kernel + 1
        result = np.empty((len(images), out, side, side), np.int64)
        for y in range(side):
            for x in range(side):
                window = maps[:, :, y : y + kernel, x : x + kernel]
                sums = np.einsum("ncyx,ocyx->no", window, signs(name))
                result[:, :, y, x] = fires(name, sums)
        maps = result
    pooled = np.maximum(maps[:, :, ::2], maps[:, :, 1::2])
    pooled = np.maximum(pooled[..., ::2], pooled[..., 1::2])
    # A map enters a linear layer pixel by pixel, channel fastest.
    vector = pooled.transpose(0, 2, 3, 1).reshape(len(images), -1)
    hidden = fires("fc0", vector @ signs("fc0").T)
    scores: Ints = hidden @ signs("fc1").T
    return scores


def write(
    out: Path, arrays: Arrays, images: npt.NDArray[np.uint8], labels: Ints, right: int
) -> None:
    """Write digits.yaml, digits.npz and digits-images.npz."""
    fired = {"activation": {"type": "bipolar", "compare": ">="}}
    workload = Workload.model_validate(
        {
            "name": "digits",
            "source": "trained by tools/train_digits.py on scikit-learn's handwritten digits;"
            f" {right} of {len(labels)} held-out images right ({right / len(labels):.2%})",
            "input": {"shape": [1, 8, 8], "type": "fixed8.7", "image_range": [-1.0, 1.0]},
            "layers": [
                {"name": "conv0", "op": "conv", "out": 16, "kernel": 3, **fired},
                {"name": "conv1", "op": "conv", "out": 32, "kernel": 3, **fired},
                {"name": "pool1", "op": "max_pool", "kernel": 2},
                {"name": "fc0", "op": "linear", "out": 64, **fired},
                {"name": "fc1", "op": "linear", "out": 10},
            ],
            "images": "digits-images.npz",
            "classes": [str(digit) for digit in range(10)],
        }
    )
    comment = [
        "Handwritten digits of 8x8 pixels: two 3x3 convolutions without padding, a max pool,",
        "two fully connected layers; weights and activations binary. Data: see README.md here.",
    ]
    written = write_network(out, workload, arrays, comment)
    test_set = {"images_u8": images[:, None], "labels": labels.astype(np.uint8)}
    images_path = out / "digits-images.npz"
    replace_files({images_path: npz_bytes(test_set)})
    print(f"wrote {written.workload_path}, {written.weights_path}, {images_path}")


if __name__ == "__main__":
    main()
