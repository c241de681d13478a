"""The knapsack over foldings held against every folding, built and costed one by one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pytest

from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import resolve_network
from bnnsim.search.fold.cheapest import cheapest_folding
from bnnsim.search.fold.fold import Folder, NotFolded
from bnnsim.search.fold.folded_design import build_choice
from bnnsim.search.fold.options import OptionTable
from bnnsim.search.fold.request import FoldRequest
from bnnsim.spec.faults import SpecError, divisors_of
from bnnsim.spec.load import from_spec, load_device
from bnnsim.spec.streaming.hardware import LayerHardware
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.programs.graph import build_timing

MLP: dict[str, Any] = {
    "input": {"shape": [6], "type": "bipolar"},
    "layers": [
        {"name": "a", "op": "linear", "out": 4, "activation": "bipolar"},
        {"name": "b", "op": "linear", "out": 3},
    ],
}
CNN: dict[str, Any] = {
    "input": {"shape": [2, 4, 4], "type": "uint8"},
    "layers": [
        {"name": "a", "op": "conv", "out": 2, "kernel": 3, "pad": 1, "activation": "bipolar"},
        {"name": "p", "op": "max_pool", "kernel": 2},
        {"name": "b", "op": "linear", "out": 2},
    ],
}
BRANCH: dict[str, Any] = {
    "input": {"shape": [2, 4, 4], "type": "bipolar"},
    "layers": [
        {"name": "a", "op": "conv", "out": 2, "kernel": 3, "pad": 1},
        {"name": "s", "op": "add", "inputs": ["a", "input"]},
        {"name": "t", "op": "threshold", "activation": "bipolar"},
    ],
}
TWO_OUTPUTS: dict[str, Any] = {
    "input": {"shape": [4], "type": "bipolar"},
    "outputs": ["b", "c"],
    "layers": [
        {"name": "a", "op": "linear", "out": 2, "activation": "bipolar"},
        {"name": "b", "op": "linear", "out": 2, "inputs": ["a"]},
        {"name": "c", "op": "linear", "out": 2, "inputs": ["a"]},
    ],
}
LANES = {  # PE and SIMD by hand: divisors of rows and columns
    "mlp": {"a": (4, 6), "b": (3, 4)},
    "cnn": {"a": (2, 18), "b": (2, 8)},
    "branch": {"a": (2, 18), "s": (2, None), "t": (2, None)},
    "two outputs": {"a": (2, 4), "b": (2, 2), "c": (2, 2)},
}
NETWORKS = {"mlp": MLP, "cnn": CNN, "branch": BRANCH, "two outputs": TWO_OUTPUTS}


def _hardware(lanes: Mapping[str, tuple[int, int | None]]) -> Iterator[dict[str, LayerHardware]]:
    ways = [
        [
            LayerHardware(pe=pe, simd=simd, weights=style)
            for pe in divisors_of(rows)
            for simd, style in (
                [(None, None)]
                if columns is None
                else itertools.product(divisors_of(columns), ("bram", "lutram"))
            )
        ]
        for rows, columns in lanes.values()
    ]
    for combination in itertools.product(*ways):
        yield dict(zip(lanes, combination, strict=True))


def _every(request: FoldRequest, name: str) -> list[tuple[Fraction, Mapping[str, int]]]:
    """Each folding that can be built, FIFOs of two words: its slowest unit's cycles, what it takes."""
    every: list[tuple[Fraction, Mapping[str, int]]] = []
    for layers in _hardware(LANES[name]):
        try:
            design = build_streaming_design(request.architecture(layers), request.loaded)
        except SpecError:
            continue  # streams that do not join
        total = estimate_resources(design).total
        amounts = {resource: getattr(total, resource) for resource in RESOURCES}
        every.append((unlimited_interval(build_timing(design.graph)), amounts))
    return every


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_that_can_be_built_is_cheaper_and_what_is_refused_cannot_be_built(name: str) -> None:
    loaded = from_spec(Workload.model_validate({"name": "n", **NETWORKS[name]}))
    request = FoldRequest(loaded, resolve_network(loaded), load_device("xc7z020").spec, 100.0, "n")
    every = _every(request, name)
    table = OptionTable(request)
    intervals = sorted({interval for interval, _ in every})
    assert cheapest_folding(table, int(intervals[0]) - 1, {}, "lut").choice is None
    for interval in intervals:
        able = [amounts for needed, amounts in every if needed <= interval]
        for wanted, other in (("lut", "bram18"), ("bram18", "lut")):
            rooms = sorted({amounts[other] for amounts in able})
            for room in {rooms[0], rooms[len(rooms) // 3], rooms[-1]}:
                least = min(amounts[wanted] for amounts in able if amounts[other] <= room)
                found = cheapest_folding(table, int(interval), {other: float(room)}, wanted)
                assert found.is_exact
                assert found.choice is not None
                assert found.choice.amounts[wanted] == least
                built = estimate_resources(build_choice(request, found.choice, {})).total
                assert found.choice.amounts == {n: getattr(built, n) for n in (wanted, other)}
            nothing = {other: float(rooms[0] - 1)}
            assert cheapest_folding(table, int(interval), nothing, wanted).choice is None


@pytest.mark.parametrize("name", NETWORKS)
def test_a_rate_is_refused_only_where_no_folding_keeps_it_on_a_part_without_room(name: str) -> None:
    loaded = from_spec(Workload.model_validate({"name": "n", **NETWORKS[name]}))
    network, part = resolve_network(loaded), load_device("xc7z020").spec
    every = _every(FoldRequest(loaded, network, part, 100.0, "n"), name)
    used = sorted({amounts["lut"] for _, amounts in every})
    blocks = sorted({amounts["bram18"] for _, amounts in every})
    answered = refused = 0
    for lut, bram18 in itertools.product(
        {used[0], used[len(used) // 4], used[-1]}, {blocks[0], blocks[-1]}
    ):
        small = part.model_copy(update={"lut": lut, "bram18": bram18})
        folder = Folder(FoldRequest(loaded, network, small, 100.0, "n"))
        for cycles in sorted({int(-(-interval // 1)) for interval, _ in every}):
            fits = any(
                needed <= cycles and amounts["lut"] <= lut and amounts["bram18"] <= bram18
                for needed, amounts in every
            )
            try:
                found = folder.answer(100e6 / (cycles + 0.5), anyway=False)
            except NotFolded as refusal:
                refused += 1
                assert not fits, (cycles, lut, bram18)
                near = re.search(r"nearest: ([0-9.]+) FPS fits", str(refusal))
                if near is not None:
                    slower = folder.answer(float(near[1]), anyway=False)
                    assert slower.throughput_fps >= float(near[1])
                continue
            answered += 1
            assert fits
            assert found.folded.interval_cycles <= cycles
            assert found.folded.resources.fits
    assert answered and refused
