"""What an engine loads must be all there is, and must fit where it goes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.design.small_engine import (
    COMPUTE,
    LAYERS_WEIGHTS,
    LOAD,
    built,
    changed,
    messages,
)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            [{**LOAD, "words": 4}, COMPUTE],
            r"programs.conv.steps: expected loads of all weights of conv0, 288 bits, got 256 bits",
        ),
        (
            # the same word again for every row is not more weights
            [
                {"op": "repeat", "loops": [{"dimension": "rows"}], "steps": [{**LOAD, "words": 1}]},
                COMPUTE,
            ],
            r"expected loads of all weights of conv0, 288 bits, got 64 bits",
        ),
        (
            [{**LOAD, "loops": [{"dimension": "rows", "tile": 4}], "words": 4}, COMPUTE],
            r"expected loads of all weights of conv0, 288 bits, got 256 bits",
        ),
        (
            # a loop of a load that runs past its dimension brings nothing more
            [
                {**LOAD, "words": 1, "loops": [{"dimension": "in_channels", "tile": 4, "extra": 9}]},
                COMPUTE,
            ],
            r"expected loads of all weights of conv0, 288 bits, got 64 bits",
        ),
        (
            [{**LOAD, "loops": [{"dimension": "out_channels", "extra": -7}]}, COMPUTE],
            None,
        ),
        ([{**LOAD, "words": 5}, COMPUTE], None),
    ],
)
def test_load_of_fewer_bits_than_the_weights_is_refused(
    tmp_path: Path, steps: list[Any], message: str | None
) -> None:
    data = changed(("buffers", "weights"), LAYERS_WEIGHTS)
    data["programs"]["conv"]["steps"] = steps
    if message is None:
        built(tmp_path, data)
    else:
        assert re.search(message, messages(tmp_path, data))


IMAGE = {"op": "load", "payload": "image", "port": "ddr", "buffer": "maps", "words": 4}


def test_image_that_comes_in_part_is_refused(tmp_path: Path) -> None:
    # 4 x 8 x 8 pixels of one bit are 4 words of 64
    data = changed(("frame",), {"before": [{**IMAGE, "words": 1, "loops": [{"trips": 3}]}]})
    text = messages(tmp_path, data)
    assert "frame.before: expected loads of the whole image, 256 bits, got 192 bits" in text
    data["frame"]["before"][0]["loops"] = [{"trips": 4}]
    built(tmp_path, data)


def test_buffer_that_only_a_step_names_must_hold_the_layer_too(tmp_path: Path) -> None:
    data = changed(("buffers", "weights"), {**LAYERS_WEIGHTS, "words": 7})
    data["programs"]["conv"] |= {"buffers": [], "steps": [{**LOAD, "words": 3}, {**LOAD, "words": 2}]}
    data["programs"]["conv"]["steps"].append(COMPUTE)
    expected = r"buffers.weights.words: expected at least 8 \(the weights of conv0\), got 7"
    assert re.search(expected, messages(tmp_path, data))


def test_transfer_goes_to_a_buffer_that_holds_such_data(tmp_path: Path) -> None:
    steps = [{**LOAD, "buffer": "maps"}, COMPUTE]
    assert re.search(
        r"steps\[0\].buffer: expected a buffer that holds weights, got maps, which holds activations",
        messages(tmp_path, changed(("programs", "conv", "steps"), steps)),
    )


def test_words_of_an_image_must_fit_their_buffer(tmp_path: Path) -> None:
    data = changed(("frame",), {"before": [{**IMAGE, "words": 32}]})
    expected = r"frame.before\[0\].buffer: expected a buffer of at least 2048 bits .*got maps of 512 bits"
    assert re.search(expected, messages(tmp_path, data))
