"""Affine and PReLU layers in fixed point, against integer arithmetic written out element by element."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.datapath.streaming.units import ScaleDatapath
from bnnsim.datapath.words import pack_rows, unpack_word
from bnnsim.design.network.network import resolve_network
from bnnsim.design.streaming.units import Scale
from bnnsim.functional.executor import execute
from bnnsim.functional.parameters.parameters import check_parameters, random_parameters
from bnnsim.spec.faults import SpecError
from bnnsim.spec.value_type import ValueType, parse_value_type
from bnnsim.spec.workload import AffineLayer, InputSpec, PreluLayer, Workload

_IN = "int6"


def _network(op: str, given: str, to: str, parameters: str, channels: int):
    kinds = {"affine": AffineLayer, "prelu": PreluLayer}
    layer = kinds[op](
        name="map", op=op, type=parse_value_type(to), parameters=parse_value_type(parameters)
    )
    frame = InputSpec(shape=[channels], type=parse_value_type(given))
    return resolve_network(Workload(name="one", input=frame, layers=[layer]))


def _real(op: str, x: Fraction, numbers: dict[str, Fraction]) -> Fraction:
    if op == "affine":
        return numbers["scale"] * x + numbers["bias"]
    return x if x >= 0 else numbers["slope"] * x


def _rounded(value: Fraction, to: ValueType) -> int:
    integer = (value * (1 << to.fraction_bits) + Fraction(1, 2)).__floor__()
    return min(max(integer, to.minimum), to.maximum)


_formats = st.tuples(
    st.sampled_from(["int6", "fixed8.3", "uint4", "fixed12.11"]),
    st.sampled_from(["fixed8.7", "fixed16.7", "fixed24.12", "fixed6.0"]),
    st.sampled_from(["fixed8.4", "fixed12.8", "fixed20.19", "fixed9.0"]),
)


@settings(max_examples=80)
@given(st.sampled_from(["affine", "prelu"]), _formats, st.integers(0, 2**32))
def test_scale_layer_rounds_half_up_and_saturates_as_exact_arithmetic_says(op, formats, seed):
    given_type, to, parameters = (parse_value_type(text) for text in formats)
    rng = np.random.default_rng(seed)
    network = _network(op, *formats, channels=5)
    names = ("scale", "bias") if op == "affine" else ("slope",)
    arrays = {
        f"map.{name}": rng.integers(parameters.minimum, parameters.maximum + 1, 5) for name in names
    }
    frames = rng.integers(given_type.minimum, given_type.maximum + 1, (7, 5, 1, 1))
    found = execute(network, check_parameters(network, arrays, "here"), frames).outputs["map"]
    for f in range(7):
        for c in range(5):
            x = Fraction(int(frames[f, c, 0, 0]), 1 << given_type.fraction_bits)
            unit = 1 << parameters.fraction_bits
            numbers = {name: Fraction(int(arrays[f"map.{name}"][c]), unit) for name in names}
            assert found[f, c, 0, 0] == _rounded(_real(op, x, numbers), to)


@pytest.mark.parametrize("op", ["affine", "prelu"])
@pytest.mark.parametrize("pe", [1, 2, 6])
def test_simulated_unit_computes_what_the_executor_computes_whatever_its_pe(op, pe):
    network = _network(op, _IN, "fixed10.4", "fixed12.8", channels=6)
    parameters = random_parameters(network, seed=3)
    frames = np.random.default_rng(1).integers(-32, 32, (9, 6, 1, 1))
    expected = execute(network, parameters, frames).outputs["map"].reshape(9, 6)
    to, given_type = parse_value_type("fixed10.4"), parse_value_type(_IN)
    numbers = parse_value_type("fixed12.8")
    unit = Scale(op, pe, 6, 6 // pe, given_type, 6, to, numbers, numbers)
    datapath = ScaleDatapath(unit, parameters.values["map"])
    for frame, values in zip(frames.reshape(9, 6 // pe, pe), expected, strict=True):
        words = []
        for row in pack_rows(frame, 6):
            datapath.push((row,))
            words.append(unpack_word(datapath.pop(), pe, 10, True))
        assert np.concatenate(words).tolist() == values.tolist()


def test_parameters_out_of_their_type_are_named():
    network = _network("affine", _IN, "fixed10.4", "fixed12.8", channels=2)
    arrays = {"map.scale": np.array([0, 2048]), "map.bias": np.array([0, 0])}
    with pytest.raises(SpecError, match=r"map.scale: expected fixed12.8 values, -2048 .. 2047, got 2048"):
        check_parameters(network, arrays, "net.npz")
    with pytest.raises(SpecError, match=r"map.bias: expected this key, got none"):
        check_parameters(network, {"map.scale": np.array([0, 1])}, "net.npz")
