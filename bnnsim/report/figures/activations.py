"""Layer activations as pictures: what the network sees of an image, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.network import INPUT, Network, Tensor
from bnnsim.report.figures.figure import Figure, csv_text
from bnnsim.report.figures.picture import FEW_SHADES, MOST_SHADES, Picture, colour_picture, mosaic

MAX_PIXELS = 150_000
"""A layer's picture shows as many channels as fit."""
MOST_BYTES = 60_000
"""Of all layers' pictures of a page together: beyond it the largest show fewer shades, channels, rows."""
MOST_IMAGE_BYTES = 3_500
"""Of one of the run's first images, which are shown small: beyond it every second pixel, or third ..."""

@dataclass(frozen=True)
class LayerPicture:
    """One layer's output for the first frame.

    ``shown_channels`` of its channels are in the picture, every ``step``-th row and column of them, the
    first ones first. ``share_high`` is the share of bipolar
    elements that are +1, None for integers; ``low`` and ``high`` the values of the darkest and the
    lightest pixel.
    """

    layer: str
    what: str
    shape: tuple[int, int, int]
    type: str
    shown_channels: int
    step: int
    low: int
    high: int
    share_high: float | None
    picture: Picture


@dataclass(frozen=True)
class Score:
    name: str
    value: int
    is_winner: bool


@dataclass(frozen=True)
class ActivationsInfo:
    """The first frame through the network, input first; ``scores`` of its classes.

    ``images`` are the first frames' inputs. ``output`` names the scores' layer where the network has
    several outputs.
    """

    pictures: tuple[LayerPicture, ...]
    scores: tuple[Score, ...]
    images: tuple[Picture, ...]
    output: str = ""


def activations_info(
    network: Network,
    frames: Integers,
    outputs: Mapping[str, Integers],
    scores: tuple[int, ...],
    prediction: int | None,
) -> ActivationsInfo:
    """The record behind the figure, of the first of ``frames`` ``(n, channels, height, width)``.

    ``outputs`` by layer as the functional executor gives them, bipolar elements as bits {0, 1}.
    """
    inputs = [_unpadded(network, frame) for frame in frames]
    output = network.output if len(network.outputs) > 1 else ""
    drawn = []
    for name, node in network.nodes.items():
        what = f"{node.layer.op}, output" if output and name in network.outputs else node.layer.op
        drawn.append(_Drawn(name, what, node.output, outputs[name][0]))
    classes = network.workload.classes
    named = classes if classes else [str(i) for i in range(len(scores))]
    if network.puts_out_labels:
        named, prediction = [f"place {i + 1}" for i in range(len(scores))], 0
    shown = tuple(
        Score(name, score, i == prediction)
        for i, (name, score) in enumerate(zip(named, scores, strict=False))
    )
    images = [
        _Drawn(INPUT, "input", network.input, values).within(MOST_IMAGE_BYTES) for values in inputs
    ]
    layers = _within(drawn, MOST_BYTES)
    return ActivationsInfo(
        (images[0], *layers), shown, tuple(image.picture for image in images), output
    )


def _within(drawn: Sequence[_Drawn], most_bytes: int) -> tuple[LayerPicture, ...]:
    """All pictures in ``most_bytes`` together: small ones whole, the others as large as each other."""
    whole = [one.picture(one.most_channels, 1) for one in drawn]
    left, share = most_bytes, most_bytes
    for i, size in enumerate(sorted(len(picture.picture.png) for picture in whole)):
        share = left // (len(whole) - i)
        if size > share:
            break
        left -= size
    return tuple(
        picture if len(picture.picture.png) <= share else one.within(share)
        for one, picture in zip(drawn, whole, strict=True)
    )


def _unpadded(network: Network, frame: Integers) -> Integers:
    """The frame without the values that pad a flat input to the hardware's width."""
    shape = network.workload.input.shape
    return frame[: shape[0]] if len(shape) == 1 else frame


@dataclass(frozen=True)
class _Drawn:
    """One layer's output ``(channels, height, width)``, to be drawn."""

    layer: str
    what: str
    tensor: Tensor
    values: Integers

    @property
    def most_channels(self) -> int:
        channels, height, width = map(int, self.values.shape)
        return max(1, min(channels, MAX_PIXELS // (height * width)))

    @property
    def is_image(self) -> bool:
        return self.layer == INPUT and len(self.values) in (1, 3)

    def within(self, most_bytes: int) -> LayerPicture:
        """The picture in so many bytes: few shades, fewer channels, then fewer rows, down to a pixel."""
        shown, step = self.most_channels, 1
        found = self.picture(shown, step)
        if len(found.picture.png) <= most_bytes:
            return found
        while True:
            found = self.picture(shown, step, FEW_SHADES)
            size = len(found.picture.png)
            if size <= most_bytes or (self.values[0, ::step, ::step].size == 1 and shown == 1):
                return found
            if shown > 1 and not self.is_image:
                shown = max(1, min(shown - 1, shown * most_bytes // size))
            else:
                step += 1

    def picture(self, shown: int, step: int, most_shades: int = MOST_SHADES) -> LayerPicture:
        """The first ``shown`` channels, every ``step``-th row and column of them."""
        channels, height, width = self.values.shape
        bits = self.tensor.type.is_bipolar
        low, high = (0, 1) if bits else (int(self.values.min()), int(self.values.max()))
        if self.layer == INPUT and not bits:
            low, high = self.tensor.type.minimum, self.tensor.type.maximum
        if self.is_image:
            picture = colour_picture(self.values[:, ::step, ::step], low, high)
        elif height == width == 1:
            columns = _vector_columns(shown)
            rows = -(-shown // columns)
            grid = np.full(rows * columns, low, np.int64)
            grid[:shown] = self.values.reshape(-1)[:shown]
            picture = mosaic(grid.reshape(1, rows, columns), low, high, 1, most_shades)
        else:
            columns = max(1, round(math.sqrt(shown * height / width * 1.6)))
            maps = self.values[:shown, ::step, ::step]
            picture = mosaic(maps, low, high, min(shown, columns), most_shades)
        share = float(np.count_nonzero(self.values)) / self.values.size if bits else None
        return LayerPicture(
            self.layer,
            self.what,
            (channels, height, width),
            str(self.tensor.type),
            channels if self.is_image else shown,
            step,
            -1 if bits else low,
            high,
            share,
            picture,
        )


def _vector_columns(features: int) -> int:
    """A picture's width for a vector: square where that fits, else a divisor a little wider."""
    side = math.isqrt(features)
    if side * side == features:
        return side
    wide = [d for d in range(side, 4 * side + 1) if features % d == 0]
    return wide[0] if wide else features


def activations_figure(info: ActivationsInfo) -> Figure:
    """The pictures in the order of the network, then the scores as bars."""
    cards = "".join(_card(picture) for picture in info.pictures)
    body = f'<div class="pictures">{cards}</div>{_scores(info.scores, info.output)}'
    header = ("layer", "op", "channels", "height", "width", "type", "share_of_plus_ones")
    rows: list[tuple[Any, ...]] = [
        (p.layer, p.what, *p.shape, p.type, "" if p.share_high is None else p.share_high)
        for p in info.pictures
    ]
    rows += [(f"score {s.name}", "", "", "", "", "", s.value) for s in info.scores]
    note = (
        "The first image on its way through the network: light is +1 (or the highest value), dark "
        "−1 (the lowest). A convolution shows its channels side by side, a layer of features one "
        "square a neuron. Press a picture to enlarge it."
    )
    return Figure(
        "activations", "What the layers see", note, body, csv_text(header, rows), script="activations"
    )


def _card(picture: LayerPicture) -> str:
    channels, height, width = picture.shape
    shape = f"{channels} × {height} × {width}" if height * width > 1 else f"{channels} features"
    some = (
        f", first {picture.shown_channels} shown" if picture.shown_channels < channels else ""
    )
    if picture.step > 1:
        some += f", every {_ordinal(picture.step)} row and column"
    share = (
        f"{picture.share_high:.0%} are +1"
        if picture.share_high is not None
        else f"{picture.low} to {picture.high}"
    )
    name = escape(picture.layer)
    image = picture.picture
    return (
        f'<button type="button" class="picture" aria-pressed="false" data-layer="{name}" '
        'title="Enlarge or shrink">'
        f'<img src="{image.uri}" width="{image.width}" height="{image.height}" '
        f'alt="{name}: {shape}, {picture.type}, {share}">'
        f"<b>{name}</b><span>{escape(picture.what)}, {shape}{some}</span>"
        f"<span>{picture.type}, {share}</span></button>"
    )


def _ordinal(number: int) -> str:
    """second, third, 4th … 21st."""
    if number in (2, 3):
        return ("second", "third")[number - 2]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{ending}"


def _scores(scores: tuple[Score, ...], output: str) -> str:
    if not scores:
        return ""
    low = min(0, *(score.value for score in scores)) if len(scores) > 1 else 0
    span = max(1, max(score.value for score in scores) - low)
    rows = "".join(
        f'<li class="{"winner" if score.is_winner else ""}"><span>{escape(score.name)}</span>'
        f'<i style="width:{100 * (score.value - low) / span:.2f}%"></i>'
        f'<data value="{score.value}">{score.value:,}</data></li>'
        for score in scores
    )
    of = f" of {escape(output)}, the first output" if output else ""
    title = f"<h3>Scores{of} <small>(popcount or sum, dimensionless)</small></h3>"
    return f'{title}<ul class="scores">{rows}</ul>'
