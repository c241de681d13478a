"""Products, repeated maps and tables, against loops over every element."""

from __future__ import annotations

import numpy as np
import pytest

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.spec.faults import SpecError
from bnnsim.spec.workload import Workload


def _run(
    layers: list[dict], shape: list[int], kind: str, frames: np.ndarray, **values: np.ndarray
) -> np.ndarray:
    workload = Workload.model_validate(
        {"name": "one", "input": {"shape": shape, "type": kind}, "layers": layers}
    )
    network = resolve_network(workload)
    parameters = Parameters({}, {}, {layers[-1]["name"]: values})
    found = execute(network, parameters, frames).outputs[layers[-1]["name"]]
    return np.asarray(found).astype(np.int64)


@pytest.mark.parametrize("kind", ["bipolar", "int4"])
@pytest.mark.parametrize(
    "keys",
    [
        {"factor": 2},
        {"factor": [3, 1], "border": [1, 0, 2, 3]},
        {"factor": [2, 3], "fill": "zero"},
        {"factor": [1, 4], "channels": 5},
    ],
)
def test_every_place_shows_its_pixel(kind: str, keys: dict):
    channels = 1 if "channels" in keys else 3
    shape = [channels, 3, 2]
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 2, (2, *shape)) if kind == "bipolar" else rng.integers(-8, 8, (2, *shape))
    found = _run([{"name": "large", "op": "repeat", **keys}], shape, kind, frames)
    values = frames * 2 - 1 if kind == "bipolar" else frames
    if kind == "bipolar" and keys.get("fill") != "zero":
        found = found * 2 - 1
    factor = keys["factor"] if isinstance(keys["factor"], list) else [keys["factor"]] * 2
    top, left, bottom, right = keys.get("border", [0] * 4)
    zeros = keys.get("fill") == "zero"
    rows = (3 - 1) * factor[0] + 1 if zeros else 3 * factor[0] + top + bottom
    columns = (2 - 1) * factor[1] + 1 if zeros else 2 * factor[1] + left + right
    assert found.shape == (2, channels * keys.get("channels", 1), rows, columns)
    for n, c, r, k in np.ndindex(*found.shape):
        row, column = min(max((r - top) // factor[0], 0), 2), min(max((k - left) // factor[1], 0), 1)
        wanted = values[n, 0 if "channels" in keys else c, row, column]
        if zeros and (r % factor[0] or k % factor[1]):
            wanted = 0
        assert found[n, c, r, k] == wanted


@pytest.mark.parametrize("kind", ["bipolar", "uint3", "fixed6.2"])
def test_every_product_is_exact(kind: str):
    shape, rng = [3, 2, 2], np.random.default_rng(2)
    low, high = {"bipolar": (0, 2), "uint3": (0, 8), "fixed6.2": (-32, 32)}[kind]
    frames = rng.integers(low, high, (2, *shape))
    layers = [
        {"name": "sum", "op": "sum_pool", "kernel": 1, "inputs": ["input"]},
        {"name": "square", "op": "multiply", "inputs": ["sum", "input"]},
    ]
    found = _run(layers, shape, kind, frames)
    values = frames * 2 - 1 if kind == "bipolar" else frames
    for place in np.ndindex(*found.shape):
        assert found[place] == int(values[place]) * int(values[place])


def test_points_of_factors_add_up_and_shapes_must_agree():
    layers = [
        {"name": "mean", "op": "sum_pool", "kernel": 2, "inputs": ["input"]},
        {"name": "product", "op": "multiply", "inputs": ["input", "mean"]},
    ]
    frame = {"shape": [2, 4, 4], "type": "fixed8.5"}
    with pytest.raises(SpecError, match=r"the shape \[2, 4, 4\] of input \(a repeat layer brings"):
        resolve_network(Workload.model_validate({"name": "n", "input": frame, "layers": layers}))
    layers.insert(1, {"name": "large", "op": "repeat", "factor": 2})
    layers[-1]["inputs"] = ["input", "large"]
    network = resolve_network(Workload.model_validate({"name": "n", "input": frame, "layers": layers}))
    # 8 and 10 bits, 5 behind the point each: -128 x -512 is 2**16, which takes 18 bits
    assert str(network.tensor("product").type) == "fixed18.10"


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"op": "repeat", "channels": 2}, r"channels: expected 1 \(the map has 2 channels\), got 2"),
        ({"op": "repeat", "factor": 2, "fill": "zero", "border": 1}, "zeros without channels or border"),
        ({"op": "multiply", "inputs": ["input"]}, "inputs: expected two or more layers"),
    ],
)
def test_what_no_layer_is(layer: dict, message: str):
    data = {
        "name": "n",
        "input": {"shape": [2, 2, 2], "type": "int4"},
        "layers": [{"name": "one", **layer}],
    }
    with pytest.raises((SpecError, ValueError), match=message):
        resolve_network(Workload.model_validate(data))


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_every_value_lies_on_the_straight_line_of_its_piece(shift: int):
    table = np.array([-20, 5, 4, 31, -3])
    frames = np.arange(-32, 32).reshape(1, 4, 4, 4)
    keys = {"low": -6, "shift_bits": shift, "segments": 4, "type": "int7"}
    layers = [{"name": "table", "op": "lookup", **keys}]
    found = _run(layers, [4, 4, 4], "int6", frames, values=table).reshape(-1)
    for x, got in zip(range(-32, 32), found, strict=True):
        held = min(max(x, -6), -6 + 4 * 2**shift - 1)
        line = np.interp(held, -6 + 2**shift * np.arange(5), table)
        assert got == np.floor(line + 0.5)


@pytest.mark.parametrize(("kind", "k"), [("bipolar", 1), ("int4", 3), ("uint2", 5)])
def test_positions_of_the_largest_come_in_order_and_the_lower_one_of_equals_first(kind: str, k: int):
    shape = [5, 2, 3]
    low, high = {"bipolar": (0, 2), "int4": (-8, 8), "uint2": (0, 4)}[kind]
    frames = np.random.default_rng(4).integers(low, high, (3, *shape))
    found = _run([{"name": "best", "op": "top_k", "k": k}], shape, kind, frames)
    assert found.shape == (3, k, 2, 3)
    for n, row, column in np.ndindex(3, 2, 3):
        scores = [(-frames[n, c, row, column], c) for c in range(5)]
        assert found[n, :, row, column].tolist() == [c for _, c in sorted(scores)[:k]]


def test_more_positions_than_channels_are_refused():
    with pytest.raises(SpecError, match=r"k: expected at most 5 \(the map's channels\), got 6"):
        _run([{"name": "best", "op": "top_k", "k": 6}], [5, 1, 1], "int4", np.zeros((1, 5, 1, 1), int))
