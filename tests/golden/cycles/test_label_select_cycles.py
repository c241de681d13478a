"""A label select of FINN's HLS library against its RTL in simulation.

LabelSelect_Batch<27, 1, 1> as Vitis HLS 2024.1 writes it (UCdasec/RadioFINN, LabelSelect_hls_0.v, 16-bit
scores), in Icarus Verilog 11, input always valid; columns as in ``rtl_cycles.csv``.
"""

from __future__ import annotations

import itertools

import pytest

from bnnsim.design.streaming.units import LabelSelect, Unit
from bnnsim.spec.value_type import ValueType
from bnnsim.timing.streaming.programs.graph import build_bench
from tests.golden.cycles.test_rtl_cycles import by_clock_loop, by_simpy, position

LABELS = 27


def label_select() -> Unit:
    kind = ValueType("int", 16)
    parameters = LabelSelect(1, LABELS, 1, 1, kind, kind.bits, ValueType("uint", 5))
    return Unit("unit", "unit", parameters, "hls", False, ("in",), ("out",))


@pytest.mark.parametrize("simulate", [by_simpy, by_clock_loop])
@pytest.mark.parametrize(("ready_every", "frame0", "period"), [(1, 30, 31), (4, 33, 32)])
def test_a_label_select_answers_and_begins_anew_as_its_rtl_does(
    simulate, ready_every: int, frame0: int, period: int
) -> None:
    bench = build_bench(label_select(), ready_every)
    ends, reads, writes = simulate(bench)
    assert reads[position(bench, "in")][0] == 0
    assert writes[position(bench, "out")][0] == frame0 - 1
    assert ends[0] + 1 == frame0
    assert {b - a for a, b in itertools.pairwise(ends)} == {period}
