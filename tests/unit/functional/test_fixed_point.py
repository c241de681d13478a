"""Rounding and saturation against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.layers.fixed_layers import mean_pool, quantised
from bnnsim.functional.layers.fixed_point import divided_towards_zero, rounded, thermometer
from bnnsim.spec.faults import SpecError
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import MeanPoolLayer, Workload

FEATURE = ValueType("fixed", 16, 7)


@given(st.integers(-(2**40), 2**40), st.integers(0, 24))
def test_rounding_is_half_up_and_saturates(value: int, fraction_bits: int) -> None:
    exact = Fraction(value, 1 << fraction_bits)
    expected = min(max(floor(exact * 128 + Fraction(1, 2)), -(2**15)), 2**15 - 1)
    assert rounded(np.array([value]), fraction_bits, FEATURE).tolist() == [expected]


@given(st.integers(-(2**15), 2**15 - 1))
def test_quantiser_rounds_one_and_a_half_times_x_plus_one(value: int) -> None:
    exact = (Fraction(value, 128) + 1) * Fraction(3, 2)
    expected = min(max(floor(exact + Fraction(1, 2)), 0), 3)
    assert quantised(np.array([value]), FEATURE).tolist() == [expected]


@given(st.integers(-(10**6), 10**6), st.integers(1, 64))
def test_division_cuts_the_fraction_off(value: int, divisor: int) -> None:
    assert divided_towards_zero(np.array([value]), divisor).tolist() == [int(Fraction(value, divisor))]


@given(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=4, max_size=4))
def test_mean_pool_truncates_or_rounds(values: list[int]) -> None:
    x = np.array(values).reshape(1, 1, 2, 2)
    cut = MeanPoolLayer(name="p", op="mean_pool", kernel=2)
    half_up = cut.model_copy(update={"rounding": "half_up"})
    mean = Fraction(sum(values), 4)
    assert mean_pool(x, FEATURE, cut).item() == int(mean)
    assert mean_pool(x, FEATURE, half_up).item() == floor(mean + Fraction(1, 2))


def test_thermometer_fills_as_many_channels_as_the_pixel_is_bright() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    filled = (thermometer(pixels, 32) > 0).sum(axis=1).reshape(-1)
    assert filled.tolist() == [round(p * 32 / 256) for p in range(256)]


def test_thermometer_needs_so_many_channels_a_colour() -> None:
    workload = Workload.model_validate(
        {
            "name": "t",
            "input": {"shape": [95, 4, 4], "thermometer": 32},
            "layers": [{"name": "a", "op": "conv", "out": 1, "kernel": 1}],
        }
    )
    expected = "input.thermometer: expected bipolar channels, so many for each colour"
    with pytest.raises(SpecError, match=expected):
        resolve_network(workload)


def test_gated_convolution_needs_a_shortcut_of_its_own_shape() -> None:
    workload = Workload.model_validate(
        {
            "name": "g",
            "input": {"shape": [4, 4, 4], "type": "fixed16.7"},
            "layers": [
                {
                    "name": "a",
                    "op": "gated_conv",
                    "out": 8,
                    "kernel": 3,
                    "pad": 1,
                    "inputs": ["input", "input"],
                }
            ],
        }
    )
    expected = r"a.inputs: expected a shortcut of \[8, 4, 4\] fixed16.7, got \[4, 4, 4\]"
    with pytest.raises(SpecError, match=expected):
        resolve_network(workload)
