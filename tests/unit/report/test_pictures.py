"""Pictures, read back by another PNG reader."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from bnnsim.design.network.network import resolve_network
from bnnsim.report.figures.activations import (
    MOST_BYTES,
    ActivationsInfo,
    activations_figure,
    activations_info,
)
from bnnsim.report.figures.picture import Picture, colour_picture, mosaic
from bnnsim.spec.load import load_workload

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


@pytest.mark.parametrize("most_shades", [15, 255])
@pytest.mark.parametrize("high", [1, 2, 3, 13, 14, 15, 254, 1000])
def test_each_value_is_as_light_as_its_place_between_dark_and_light(high: int, most_shades: int) -> None:
    values = np.arange(high + 1)[:7][None, None] if high < 14 else np.array([[[0, high // 3, high]]])
    for columns in (1, 2, 3, 4, 5):  # rows that end within a byte
        tiles = np.repeat(values, columns, axis=0)
        pixels = _read(mosaic(tiles, 0, high, columns, most_shades), "RGBA")
        assert pixels.shape == (1, columns * (values.shape[2] + 1) - 1, 4)
        for i, value in enumerate(values[0, 0]):
            steps = min(high, most_shades - 1)
            share = (int(value) * steps // high) / steps
            dark, light = np.array([18, 46, 92]), np.array([226, 236, 250])
            assert np.abs(pixels[0, i, :3] - (dark + share * (light - dark))).max() <= 1
            assert pixels[0, i, 3] == 255


def test_many_large_maps_share_a_bound_and_small_ones_stay_whole(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    large = _network_of_maps(tmp_path, random, 30, (64, 40, 40))
    assert sum(len(one.picture.png) for one in large.pictures[1:]) <= MOST_BYTES
    assert any(one.shown_channels < 64 for one in large.pictures[1:])
    small = _network_of_maps(tmp_path, random, 4, (8, 12, 12))
    assert all((one.shown_channels, one.step) == (8, 1) for one in small.pictures[1:])


def test_what_of_a_map_is_left_out_is_told(tmp_path: Path) -> None:
    maps = _network_of_maps(tmp_path, np.random.default_rng(6), 90, (2, 80, 80))
    steps = {one.step for one in maps.pictures[1:]}
    assert 1 not in steps
    html = activations_figure(maps).body
    assert any(f"first 1 shown, every {word} row and column" in html for word in ("second", "third"))


def _network_of_maps(
    folder: Path, random: np.random.Generator, count: int, shape: tuple[int, int, int]
) -> ActivationsInfo:
    layers = "".join(
        f"  - {{name: add{i}, op: add, inputs: [{f'add{i - 1}' if i else 'input'}, input]}}\n"
        for i in range(count)
    )
    text = f"name: maps\ninput: {{shape: {list(shape)}, type: int8}}\nlayers:\n{layers}"
    (folder / "maps.yaml").write_text(text)
    network = resolve_network(load_workload(folder / "maps.yaml"))
    outputs = {f"add{i}": random.integers(-100, 100, (1, *shape)) for i in range(count)}
    return activations_info(network, random.integers(-9, 9, (1, *shape)), outputs, (), None)
