"""Training of small binary networks in numpy: straight-through estimator, batch norm, Adam.

Maps are ``(images, height, width, channels)``, float32 holding integers. A stage is a convolution
without padding with weights {-1, +1}, then batch norm, then (if it pools) a 2 x 2 maximum, then the
sign; a fully connected layer is a convolution whose kernel covers the map. The last stage ends with
its integer sums. Method: Hubara et al., "Binarized Neural Networks", NeurIPS 2016.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    epochs: int
    batch: int
    learning_rate: float
    """Adam's, at the start; it falls to zero along half a cosine."""
    clip: float
    """The sign passes gradients where its input lies within +-clip."""


class Stage:
    """One binary layer with its latent weights ``(out, kernel * kernel * in)``, channel fastest."""

    def __init__(
        self,
        rng: np.random.Generator,
        channels_in: int,
        channels_out: int,
        kernel: int,
        pools: bool = False,
        is_last: bool = False,
    ) -> None:
        self.kernel = kernel
        self.channels_in = channels_in
        self.pools = pools
        self.is_last = is_last
        width = kernel * kernel * channels_in
        self.latent = rng.uniform(-1, 1, (channels_out, width)).astype(np.float32)
        self.gain = np.ones(channels_out, np.float32)
        self.offset = np.zeros(channels_out, np.float32)
        self.mean = np.zeros(channels_out)
        """Mean and deviation of the sums over the training images, set by :func:`settle`."""
        self.deviation = np.ones(channels_out)

    @property
    def signs(self) -> Floats:
        """The binary weights, {-1, +1}."""
        return np.where(self.latent >= 0, 1, -1).astype(np.float32)

    @property
    def parameters(self) -> list[Floats]:
        return [self.latent] if self.is_last else [self.latent, self.gain, self.offset]

    def sums(self, maps: Floats) -> Floats:
        """The integer sums ``(images, out height, out width, out)``."""
        self._columns = _columns(maps, self.kernel)
        sums: Floats = self._columns @ self.signs.T
        return sums

    def forward(self, maps: Floats) -> Floats:
        """Output in training, where the batch's own statistics normalise."""
        self._shape_in = maps.shape
        sums = self.sums(maps)
        if self.is_last:
            return sums
        self._batch_deviation = np.sqrt(sums.var((0, 1, 2)) + np.float32(_BATCH_NORM_EPSILON))
        self._normal = (sums - sums.mean((0, 1, 2))) / self._batch_deviation
        values = self._normal * self.gain + self.offset
        self._shape_out = values.shape
        if self.pools:
            windows = _windows(values)
            self._winners = windows.argmax(3)[:, :, :, None]
            values = np.take_along_axis(windows, self._winners, 3)[:, :, :, 0]
        self._values = values
        return np.where(values >= 0, 1, -1).astype(np.float32)

    def backward(self, gradient: Floats, clip: float) -> tuple[Floats, list[Floats]]:
        """Gradients of the input and of :attr:`parameters`, from that of the output."""
        of_norm: list[Floats] = []
        if not self.is_last:
            gradient = gradient * (np.abs(self._values) <= clip)
            if self.pools:
                gradient = self._unpool(gradient)
            of_gain = (gradient * self._normal).sum((0, 1, 2))
            of_offset = gradient.sum((0, 1, 2))
            count = np.float32(gradient[..., 0].size)
            centred = gradient - of_offset / count - self._normal * of_gain / count
            gradient = centred * self.gain / self._batch_deviation
            of_norm = [of_gain, of_offset]
        width = self._columns.shape[-1]
        flat = gradient.reshape(-1, gradient.shape[-1])
        of_weights = flat.T @ self._columns.reshape(-1, width)
        of_columns = gradient @ self.signs
        return self._fold(of_columns), [of_weights, *of_norm]

    def _unpool(self, gradient: Floats) -> Floats:
        images, height, width, channels = self._shape_out
        windows = np.zeros((images, height // 2, width // 2, 4, channels), np.float32)
        np.put_along_axis(windows, self._winners, gradient[:, :, :, None], 3)
        split = windows.reshape(images, height // 2, width // 2, 2, 2, channels)
        return split.transpose(0, 1, 3, 2, 4, 5).reshape(self._shape_out)

    def _fold(self, of_columns: Floats) -> Floats:
        """Add up what each input pixel contributed to several windows."""
        images, height, width, _ = of_columns.shape
        taps = of_columns.reshape(images, height, width, self.kernel, self.kernel, -1)
        result = np.zeros(self._shape_in, np.float32)
        for y in range(self.kernel):
            for x in range(self.kernel):
                result[:, y : y + height, x : x + width] += taps[:, :, :, y, x]
        return result

    def infer(self, maps: Floats) -> Floats:
        """Output with the settled statistics."""
        sums = self.sums(maps)
        if self.is_last:
            return sums
        values = (sums - self.mean) / self.deviation * self.gain + self.offset
        if self.pools:
            values = _windows(values).max(3)
        return np.where(values >= 0, 1, -1).astype(np.float32)


def fit(
    stages: list[Stage],
    labels: Ints,
    epoch_images: Callable[[int, Ints], Floats],
    recipe: Recipe,
    rng: np.random.Generator,
) -> None:
    """Train in place. ``epoch_images(epoch, order)`` gives the epoch's input maps in that order."""
    parameters = [p for stage in stages for p in stage.parameters]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    batches = len(labels) // recipe.batch
    step, steps = 0, recipe.epochs * batches
    for epoch in range(recipe.epochs):
        order = rng.permutation(len(labels))
        images = epoch_images(epoch, order)
        for b in range(batches):
            part = slice(b * recipe.batch, (b + 1) * recipe.batch)
            gradients = _gradients(stages, images[part], labels[order[part]], recipe.clip)
            step += 1
            rate = recipe.learning_rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
                m += np.float32(0.1) * (g - m)
                v += np.float32(0.001) * (g * g - v)
                corrected = np.sqrt(v / (1 - 0.999**step)) + 1e-12
                p -= (rate * (m / (1 - 0.9**step)) / corrected).astype(np.float32)
            for stage in stages:
                np.clip(stage.latent, -1, 1, out=stage.latent)


def settle(stages: list[Stage], images: Floats) -> None:
    """Fix every stage's batch-norm statistics to those of ``images`` through the final weights."""
    for stage in stages:
        if not stage.is_last:
            sums = stage.sums(images).astype(np.float64)
            stage.mean = sums.mean((0, 1, 2))
            stage.deviation = np.sqrt(sums.var((0, 1, 2)) + _BATCH_NORM_EPSILON)
        images = stage.infer(images)


def _gradients(stages: list[Stage], images: Floats, labels: Ints, clip: float) -> list[Floats]:
    """Gradients of the batch's cross entropy for all parameters, first stage first."""
    maps = images
    for stage in stages:
        maps = stage.forward(maps)
    scale = np.float32(1 / np.sqrt(stages[-1].latent.shape[1]))
    scores = maps.reshape(len(labels), -1) * scale
    likelihood = np.exp(scores - scores.max(1, keepdims=True))
    likelihood /= likelihood.sum(1, keepdims=True)
    likelihood[np.arange(len(labels)), labels] -= 1
    gradient = (likelihood * scale / np.float32(len(labels))).reshape(maps.shape)
    gradients: list[Floats] = []
    for stage in reversed(stages):
        gradient, own = stage.backward(gradient, clip)
        gradients = own + gradients
    return gradients


def _columns(maps: Floats, kernel: int) -> Floats:
    """All windows of a map as rows ``(images, height, width, kernel * kernel * channels)``."""
    view = np.lib.stride_tricks.sliding_window_view(maps, (kernel, kernel), axis=(1, 2))
    ordered = view.transpose(0, 1, 2, 4, 5, 3)
    return np.ascontiguousarray(ordered).reshape(*view.shape[:3], -1)


def _windows(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """2 x 2 windows as ``(images, height / 2, width / 2, 4, channels)``."""
    images, height, width, channels = values.shape
    split = values.reshape(images, height // 2, 2, width // 2, 2, channels)
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(images, height // 2, width // 2, 4, channels)
