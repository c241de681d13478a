"""Everything of a frame has a place: no two things share a bit at once; what has none is refused."""

from __future__ import annotations

import copy
import random
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.design.build import build_engine_design
from bnnsim.design.engine.memory_map import memory_map
from bnnsim.design.memory_map import DRAM, MemoryMap
from bnnsim.design.placement import Piece, Resident, Room, place
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_architecture, load_workload, read_architecture
from bnnsim.spec.workload import Workload
from tests.unit.design.test_engine_keeps import CONV, ENGINE, IMAGE, STORE, network

ENGINES = {
    "acce-bnn": "binarynet",
    "fc-bnn": "vgg11ave",
    "fp-bnn": "binarynet",
    "fbna": "binarynet-24",
    "fracbnn": "fracbnn-cifar10",
    "fracbnn-burst": "fracbnn-cifar10",
    "fracbnn-imagenet": "fracbnn-imagenet",
}


def _map_of(arch: str, workload: str) -> MemoryMap:
    design = build_engine_design(load_architecture(arch), load_workload(workload))
    return memory_map(design.architecture, design.network, design.program)


@pytest.mark.parametrize("arch", ENGINES)
def test_nothing_of_a_shipped_engine_lies_where_something_else_is_still_read(arch: str) -> None:
    found = _map_of(arch, ENGINES[arch])
    position = {turn: i for i, turn in enumerate(found.turns)}
    laid = [one for one in found.places if one.first_bit is not None]
    assert laid
    rooms = {memory.name: memory.capacity_bits for memory in found.memories}
    for one in laid:
        room = rooms[one.memory]
        assert room is None or (one.first_bit or 0) + one.bits <= room
    for one, other in combinations(laid, 2):
        if one.memory != other.memory or one.way == "in place" or other.way == "in place":
            continue
        starts, ends = (
            (position[p.from_turn] for p in (one, other)),
            (position[p.to_turn] for p in (one, other)),
        )
        apart_in_time = max(starts) > min(ends)
        a, b = one.first_bit or 0, other.first_bit or 0
        assert apart_in_time or a + one.bits <= b or b + other.bits <= a, (one, other)


def test_acce_bnns_maps_lie_as_its_source_has_them() -> None:
    """dmem: two copies of 128 maps of 32 x 32 (Accel.h); conv1's 128 maps of 32 x 32 are 131,072 bits,
    its input 3 x 32 x 32 pixels of 20 bits 61,440."""
    found = _map_of("acce-bnn", "binarynet")
    maps = {one.name: one for one in found.places if one.memory == "dmem"}
    copy = 128 * 32 * 32
    assert (maps["image"].bits, maps["conv1"].bits) == (3 * 32 * 32 * 20, copy)
    assert maps["pool2"].bits == 128 * 16 * 16 and maps["conv3"].bits == 256 * 16 * 16
    chain = ["image", "conv1", "pool2", "conv3", "pool4", "conv5", "pool6", "fc1", "fc2"]
    sides = [(maps[name].first_bit or 0) // copy for name in chain]
    assert sides == [1, 0, 1, 0, 1, 0, 1, 0, 1]  # a layer reads one copy, writes the other
    assert {maps[name].way for name in chain[1:]} == {"ping-pong"}
    (dmem,) = (memory for memory in found.memories if memory.name == "dmem")
    assert dmem.capacity_bits == 2 * copy and dmem.highest_bits == 61_440 + copy
    weights = sum(
        one.bits for one in found.places if one.memory == DRAM and one.content == "weights"
    )
    assert weights == 9 * (3 * 128 + 128 * 128 + 128 * 256 + 256**2 + 256 * 512 + 512**2) + (
        8192 * 1024 + 1024 * 1024 + 1024 * 10
    )


def test_a_map_that_is_stored_and_loaded_is_in_dram() -> None:
    """FracBNN's ImageNet engine keeps binary planes and stores whole maps for its shortcuts."""
    found = _map_of("fracbnn-imagenet", "fracbnn-imagenet")
    spilled = [one for one in found.places if one.way == "spilled"]
    assert spilled and {one.memory for one in spilled} == {DRAM}
    stored = {c.turn for c in found.crossings if c.direction == "store"}
    assert {one.from_turn for one in spilled} <= stored


# ---- the placement alone ---------------------------------------------------------------------


def _together(one: Resident, other: Resident) -> bool:
    return one.made <= other.last and other.made <= one.last


def _most_at_once(residents: list[Resident]) -> int:
    turns = range(min(one.made for one in residents), max(one.last for one in residents) + 1)
    return max(sum(one.bits for one in residents if one.made <= t <= one.last) for t in turns)


@pytest.mark.parametrize("seed", range(40))
def test_what_fits_by_its_sum_has_a_place_and_none_overlap(seed: int) -> None:
    draw = random.Random(seed)
    residents = []
    for i in range(draw.randrange(1, 14)):
        made = draw.randrange(0, 10)
        last = made + draw.randrange(1, 5)
        residents.append(Resident(f"map{i}", draw.randrange(1, 200), ("maps",), made, last))
    need = _most_at_once(residents)
    rooms = {"maps": Room(need, draw.choice([1, 8]), draw.choice([0, need // 2]))}
    places = place(residents, rooms)
    assert set(places) == {one.name for one in residents}
    for one in residents:
        assert sum(piece.bits for piece in places[one.name]) == one.bits
        assert all(p.first_bit >= 0 and p.first_bit + p.bits <= need for p in places[one.name])
    for one, other in combinations(residents, 2):
        if _together(one, other):
            taken = {
                name: {
                    bit for p in places[name] for bit in range(p.first_bit, p.first_bit + p.bits)
                }
                for name in (one.name, other.name)
            }
            assert not taken[one.name] & taken[other.name]
    if need > 1:
        fewer = place(residents, {"maps": Room(need - 1)})
        assert len(fewer) < len(residents)


def test_a_chain_that_fills_its_memory_alternates_between_its_ends() -> None:
    sizes = [60, 40, 50, 30, 70]
    chain = [Resident(f"m{i}", bits, ("a",), i, i + 1) for i, bits in enumerate(sizes)]
    places = place(chain, {"a": Room(100)})
    assert [len(places[one.name]) for one in chain] == [1] * 5
    assert places["m0"] == (Piece("a", 0, 60),) and places["m1"] == (Piece("a", 60, 40),)


def test_what_may_be_overwritten_is_only_where_nothing_else_is_free() -> None:
    first = Resident("in", 60, ("a",), 0, 1)
    second = Resident("out", 60, ("a",), 1, 2, over=frozenset({"in"}))
    assert set(place([first, second], {"a": Room(64)})) == {"in", "out"}
    apart = place([first, second], {"a": Room(120)})
    assert {p.first_bit for pieces in apart.values() for p in pieces} == {0, 60}
    plain = Resident("out", 60, ("a",), 1, 2)
    assert set(place([first, plain], {"a": Room(64)})) == {"in"}


# ---- what is nowhere -------------------------------------------------------------------------


def workload(layers: list[dict[str, Any]]) -> Workload:
    data = {"name": "few", "input": {"shape": [4, 8, 8]}, "layers": layers}
    return Workload.model_validate(data)


def refused(data: dict[str, Any], on: Workload, folder: Path) -> str:
    (folder / "a.yaml").write_text(yaml.safe_dump(data))
    try:
        build_engine_design(read_architecture(folder / "a.yaml"), on)
    except SpecError as error:
        return str(error)
    return ""


def test_a_map_must_have_its_place_where_its_readers_look(tmp_path: Path) -> None:
    """Both buffers together hold two maps of 256 bits, the one in which conv1 looks holds one."""
    data = copy.deepcopy(ENGINE)
    data["buffers"]["maps"] |= {"words": 12}  # two copies of 384 bits
    data["buffers"]["few"] = {"holds": "activations", "words": 8, "width_bits": 32}
    data["programs"]["first"] = {**data["programs"]["conv"], "buffers": ["weights", "few", "maps"]}
    data["programs"]["last"] = {**data["programs"]["conv"], "buffers": ["weights", "few"]}
    data["layers"] = {
        "conv0": {"program": "first"},
        "conv1": {"program": "last"},
        "conv2": {"program": "last"},
    }
    data["outside"] = [{"payload": "results", "source": "not what this is about"}]
    refusal = refused(data, network(*({"name": f"conv{i}"} for i in range(3))), tmp_path)
    assert "buffers.few.words: expected room for 512 bits, the maps of conv0, conv1" in refusal
    assert "got 256 bits in few" in refusal


SHORTCUT = (
    {"name": "conv0"},
    {"name": "conv1"},
    {"name": "conv2", "inputs": ["conv1"]},
    {"name": "sum", "op": "concat", "inputs": ["conv0", "conv2"]},
)


def test_a_map_that_is_loaded_as_a_whole_needs_room_beside_those_that_stay(tmp_path: Path) -> None:
    """conv1 is stored and loaded again for conv2: 256 bits beside conv0's, which the sum still reads, and
    those of conv2: 768 of the 512 that there are."""
    data = copy.deepcopy(ENGINE)
    out = {**STORE, "payload": "activations"}
    again = {**IMAGE, "payload": "activations"}
    conv = data["programs"]["conv"]
    data["programs"]["out"] = {**conv, "steps": [*conv["steps"], out]}
    data["frame"]["after"] = [STORE, STORE]
    data["programs"]["again"] = {**conv, "steps": [again, *conv["steps"]]}
    data["layers"] = {
        "conv0": {"program": "conv"},
        "conv1": {"program": "out"},
        "conv2": {"program": "again"},
        "sum": {"program": "add"},
    }
    layers = [{**CONV, **layer} if "op" not in layer else layer for layer in SHORTCUT]
    refusal = refused(data, workload(layers), tmp_path)
    assert "buffers.maps.words: expected room for 768 bits" in refusal and "conv2" in refusal
    data["buffers"]["maps"]["words"] = 16
    assert refused(data, workload(layers), tmp_path) == ""


def test_two_maps_that_one_turn_stores_are_both_stored_as_a_whole(tmp_path: Path) -> None:
    """conv0's 256 bits and those of a threshold behind it, both loaded later: 512 bits, not 256."""
    data = copy.deepcopy(ENGINE)
    conv = data["programs"]["conv"]
    data["buffers"]["tile"] = {
        "holds": "activations",
        "words": 8,
        "width_bits": 64,
        "residency": "tile",
    }
    out = {**STORE, "payload": "activations", "buffer": "tile"}
    again = {**IMAGE, "payload": "activations", "words": 8, "buffer": "tile"}
    data["programs"]["out"] = {**conv, "steps": [*conv["steps"], out]}
    data["programs"]["again"] = {
        **conv, "buffers": ["weights"], "steps": [again, *conv["steps"], {**STORE, "buffer": "tile"}]
    }  # fmt: skip
    data["frame"]["after"] = []
    data["layers"] = {
        "conv0": {"program": "out"},
        "again": {"within": "conv0"},
        "conv1": {"program": "again"},
        "sum": {"within": "conv1"},
    }
    layers = [
        {**CONV, "name": "conv0"},
        {"name": "again", "op": "max_pool", "kernel": 1},
        {**CONV, "name": "conv1", "inputs": ["conv0"]},
        {"name": "sum", "op": "add", "inputs": ["conv1", "again"]},
    ]
    refusal = refused(data, workload(layers), tmp_path)
    assert "stores of the whole maps of conv0 and again, 512 bits" in refusal
