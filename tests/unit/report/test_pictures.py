"""Pictures, read back by another PNG reader."""

from __future__ import annotations

import io

import numpy as np
import pytest

from bnnsim.report.figures.picture import Picture, colour_picture, mosaic

image_module = pytest.importorskip("PIL.Image", reason="pillow reads the pictures back")


def _read(picture: Picture, mode: str):  # type: ignore[no-untyped-def]
    image = image_module.open(io.BytesIO(picture.png))
    assert image.size == (picture.width, picture.height)
    return np.asarray(image.convert(mode))


def test_colours_are_the_frames_values_between_lowest_and_highest() -> None:
    values = np.array([[[-128, 127]], [[0, 127]], [[127, -128]]])
    pixels = _read(colour_picture(values, -128, 127), "RGB")
    assert pixels.tolist() == [[[0, 128, 255], [255, 255, 0]]]


def test_one_channel_is_grey() -> None:
    pixels = _read(colour_picture(np.array([[[0, 1], [1, 0]]]), 0, 1), "L")
    assert pixels.tolist() == [[0, 255], [255, 0]]


def test_tiles_lie_side_by_side_with_a_transparent_line_between() -> None:
    tiles = np.array([[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[0, 1], [1, 0]]])
    pixels = _read(mosaic(tiles, 0, 1, 2), "RGBA")
    assert pixels.shape == (5, 5, 4)
    dark, light = pixels[0, 0].tolist(), pixels[0, 3].tolist()
    assert dark != light
    assert pixels[0, 2, 3] == 0
    assert pixels[2, 0, 3] == 0
    assert pixels[4, 4, 3] == 0
    assert pixels[3, 0].tolist() == dark
    assert pixels[3, 1].tolist() == light
    assert pixels[4, 0].tolist() == light
