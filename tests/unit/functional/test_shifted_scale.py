"""An affine with formats of its own for scale and bias: multiply, shift right, add, in plain integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bnnsim.datapath.engine.stages import stage_layer
from bnnsim.datapath.streaming.units import ScaleDatapath
from bnnsim.datapath.words import pack_rows, unpack_word
from bnnsim.design.network.network import resolve_network
from bnnsim.design.streaming.units import Scale
from bnnsim.functional.executor import execute
from bnnsim.functional.layers.fixed_point import shifted_product
from bnnsim.functional.parameters.parameters import check_parameters, random_parameters
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import read_workload
from bnnsim.spec.value_type import parse_value_type
from bnnsim.spec.workload import AffineLayer, InputSpec, LinearLayer, Workload


def _affine(to: str, multiplier_bits: int, shift_bits: int, bias_bits: int) -> AffineLayer:
    return AffineLayer(
        name="map",
        op="affine",
        type=parse_value_type(to),
        multiplier_bits=multiplier_bits,
        shift_bits=shift_bits,
        bias_bits=bias_bits,
    )


def _expected(x: int, scale: int, bias: int, shift_bits: int, low: int, high: int) -> int:
    numerator = 2 * x * scale + (1 << shift_bits)
    return min(max(numerator // (2 << shift_bits) + bias, low), high)


_signed = st.integers(-(2**61), 2**61 - 1)
_factor = st.integers(-(2**31), 2**31 - 1)


@settings(max_examples=300)
@given(_signed, _factor, st.integers(31, 93))
@example(-(2**61), -(2**31), 31)
@example(2**61 - 1, 2**31 - 1, 93)
@example(-1, 1, 93)
def test_shifted_product_is_exact_although_it_is_wider_than_an_int64(x, factor, shift_bits):
    found = shifted_product(np.array([x]), np.array([factor]), shift_bits)
    assert int(found[0]) == (2 * x * factor + (1 << shift_bits)) // (2 << shift_bits)


@settings(max_examples=300)
@given(st.integers(-(2**29), 2**29 - 1), _factor, st.integers(0, 31))
def test_shifted_product_rounds_half_up_by_short_shifts(x, factor, shift_bits):
    found = shifted_product(np.array([x]), np.array([factor]), shift_bits)
    assert int(found[0]) == (2 * x * factor + (1 << shift_bits)) // (2 << shift_bits)


@settings(max_examples=60)
@given(
    st.sampled_from([("int6", 9, 3), ("fixed32.20", 32, 45), ("bipolar", 5, 0), ("uint8", 17, 9)]),
    st.sampled_from(["fixed16.7", "fixed32.31", "fixed8.0"]),
    st.integers(2, 32),
    st.integers(0, 2**32),
)
def test_executor_streaming_unit_and_engine_multiply_shift_add_and_saturate(numbers, to, bias_bits, seed):
    given_type, multiplier_bits, shift_bits = parse_value_type(numbers[0]), *numbers[1:]
    layer = _affine(to, multiplier_bits, shift_bits, bias_bits)
    frame = InputSpec(shape=[6], type=given_type)
    network = resolve_network(Workload(name="one", input=frame, layers=[layer]))
    rng = np.random.default_rng(seed)
    reach, most = 1 << (multiplier_bits - 1), 1 << (bias_bits - 1)
    scale, bias = rng.integers(-reach, reach, 6), rng.integers(-most, most, 6)
    parameters = check_parameters(network, {"map.scale": scale, "map.bias": bias}, "here")
    lowest = 0 if given_type.is_bipolar else given_type.minimum
    elements = rng.integers(lowest, given_type.maximum + 1, (5, 6))
    values = elements * 2 - 1 if given_type.is_bipolar else elements
    low, high = layer.type.minimum, layer.type.maximum
    expected = [
        [_expected(int(x), int(scale[c]), int(bias[c]), shift_bits, low, high) for c, x in enumerate(row)]
        for row in values
    ]
    found = execute(network, parameters, elements[:, :, None, None]).outputs["map"]
    assert found.reshape(5, 6).tolist() == expected
    bits = given_type.bits
    unit = Scale(
        "affine", 3, 6, 2, given_type, bits, layer.type, layer.scale_type, layer.bias_type, shift_bits
    )
    datapath = ScaleDatapath(unit, parameters.values["map"])
    for row, right in zip(elements, expected, strict=True):
        words = []
        for word in pack_rows(row.reshape(2, 3), bits):
            datapath.push((word,))
            words += unpack_word(datapath.pop(), 3, layer.type.bits, True).tolist()
        assert words == right
    node = network.nodes["map"]
    for row, right in zip(values, expected, strict=True):
        staged = stage_layer(node, parameters.values["map"], [row.reshape(6, 1, 1)])
        assert staged.reshape(-1).tolist() == right


def test_sums_wider_than_an_input_keep_every_bit_of_the_product():
    layers = [
        LinearLayer(name="sum", op="linear", out=3, weight=parse_value_type("int8")),
        _affine("fixed32.16", 32, 48, 8),
    ]
    frame = InputSpec(shape=[64], type=parse_value_type("fixed32.20"))
    network = resolve_network(Workload(name="two", input=frame, layers=layers))
    assert network.nodes["sum"].output.type.bits == 46  # 64 x 2**31 x 2**7 = 2**44, and its sign
    rng = np.random.default_rng(4)
    weights, frames = rng.integers(-128, 128, (3, 64)), rng.integers(-(2**31), 2**31, (8, 64))
    scale, bias = rng.integers(-(2**31), 2**31, 3), rng.integers(-128, 128, 3)
    arrays = {"sum.weights": weights, "map.scale": scale, "map.bias": bias}
    found = execute(network, check_parameters(network, arrays, "here"), frames[:, :, None, None])
    for f in range(8):
        for c in range(3):
            total = sum(int(x) * int(w) for x, w in zip(frames[f], weights[c], strict=True))
            right = _expected(total, int(scale[c]), int(bias[c]), 48, -(2**31), 2**31 - 1)
            assert found.outputs["map"][f, c, 0, 0] == right


def test_one_format_is_exact_where_its_products_leave_an_int64():
    layer = AffineLayer(
        name="map",
        op="affine",
        type=parse_value_type("fixed32.20"),
        parameters=parse_value_type("fixed32.31"),
    )
    sums = LinearLayer(name="sum", op="linear", out=2, weight=parse_value_type("int8"))
    frame = InputSpec(shape=[8], type=parse_value_type("fixed32.20"))
    network = resolve_network(Workload(name="two", input=frame, layers=[sums, layer]))
    top = 2**31 - 1
    arrays = {
        "sum.weights": np.full((2, 8), 127),
        "map.scale": np.array([top, -top]),
        "map.bias": np.array([top, 0]),
    }
    frames = np.full((1, 8, 1, 1), top)
    found = execute(network, check_parameters(network, arrays, "here"), frames).outputs["map"]
    assert found.reshape(-1).tolist() == [top, -(2**31)]  # saturated, not wrapped round


def test_drawn_parameters_are_of_their_types():
    layers = [_affine("fixed16.7", 6, 20, 4)]
    frame = InputSpec(shape=[40], type=parse_value_type("int6"))
    network = resolve_network(Workload(name="one", input=frame, layers=layers))
    values = random_parameters(network, seed=1).values["map"]
    assert values["scale"].min() >= -32 and values["scale"].max() <= 31
    assert values["bias"].min() >= -8 and values["bias"].max() <= 7


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("multiplier_bits: 8", "either parameters or all of multiplier_bits, shift_bits, bias_bits"),
        (
            "multiplier_bits: 8, shift_bits: 4, bias_bits: 8, parameters: fixed12.8",
            "either parameters or all of multiplier_bits, shift_bits, bias_bits",
        ),
        ("multiplier_bits: 40, shift_bits: 4, bias_bits: 8", "multiplier_bits"),
        ("multiplier_bits: 32, shift_bits: 0, bias_bits: 8", "shifted products of at most 62 bits"),
    ],
)
def test_formats_that_do_not_fit_together_are_named(keys, message, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: net\ninput: {shape: [4], type: fixed32.20}\nlayers:\n"
        f"  - {{name: map, op: affine, type: fixed32.20, {keys}}}\n"
    )
    with pytest.raises(SpecError, match=message):
        resolve_network(read_workload(path))
