"""Memory or compute: what is named helps by what was promised, what is not helps by less than 1 %.

Twice as fast is said once more here, on programs that SimPy runs, and for ports on specs.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from bnnsim.design.build import build_engine_design
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import (
    Beside,
    EngineProgram,
    LayerProgram,
    Op,
    Repeat,
    Transfer,
    Work,
    leaves,
)
from bnnsim.design.network.network import check_network
from bnnsim.search.template.choice import spills
from bnnsim.search.template.spec import KINDS, Sizes, engine_data
from bnnsim.simulation import load_design
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import from_spec, load_device
from bnnsim.spec.workload import Workload
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.engine.spending import CLASSES, Spending, find_spending
from bnnsim.timing.engine.steady_state import steady_interval
from bnnsim.timing.prefix import whole_program
from tests.designs import SHIPPED_ENGINES
from tests.property.engine.specs import engines, networks

PARTS = ("xc7z020", "xczu3eg")
SINGLE_FRAMES = {"fracbnn-imagenet", "acce-bnn"}  # nothing overlaps: a frame is a frame


def gap(program: EngineProgram, frames: int = 5) -> int:
    """The interval by SimPy: the last of the gaps between frames behind which another one comes."""
    ends = (0, *run_engine_simpy(program, frames).frame_end_cycles)
    return [later - earlier for earlier, later in pairwise(ends)][-2 if frames > 1 else -1]


def faster(ops: tuple[Op, ...], name: str, kind: str) -> tuple[Op, ...]:
    """The same operations, where one resource does its work in half the time."""
    found: list[Op] = []
    for op in ops:
        match op:
            case Repeat():
                found.append(replace(op, body=faster(op.body, name, kind)))
            case Beside():
                branches = tuple(faster(branch, name, kind) for branch in op.branches)
                found.append(replace(op, branches=branches))
            case Work():
                mine = name == (op.unit or op.kind)
                found.append(replace(op, cycles=(op.cycles + 1) // 2) if mine else op)
            case Transfer() if kind == "port" and name == f"port {op.port}":
                found.append(replace(op, words=(op.words + 1) // 2))
            case Transfer() if kind == "latency" and name == f"latency of port {op.port}":
                found.append(replace(op, latency_cycles=(op.latency_cycles + 1) // 2))
            case _:
                found.append(op)
    return tuple(found)


def check_promises(program: EngineProgram, spending: Spending, frames: int = 5) -> None:
    for one in spending.resources:
        parts = tuple(replace(part, ops=faster(part.ops, one.name, one.kind)) for part in program.parts)
        then = gap(replace(program, parts=parts), frames)
        assert then == pytest.approx(one.interval_cycles, rel=0.01), one.name
        gained = spending.interval_cycles / max(1, then)
        assert (gained >= 1.01) == one.counts, one.name


def hurried(ops: tuple[Op, ...], name: str) -> tuple[Op, ...]:
    """The same operations with all of a class twice as fast: arrays and stages, ports with their latency,
    the host, or the overhead."""
    kinds = {"compute": ("compute", "stage"), "host": ("host",), "overhead": ("overhead",)}
    every = tuple(leaves(ops))
    works = (op for op in every if isinstance(op, Work) and op.kind in kinds.get(name, ()))
    for unit in {op.unit or op.kind for op in works}:
        ops = faster(ops, unit, "work")
    for port in {op.port for op in every if isinstance(op, Transfer) and name == "memory"}:
        ops = faster(faster(ops, f"port {port}", "port"), f"latency of port {port}", "latency")
    return ops


def check_classes(program: EngineProgram, spending: Spending) -> None:
    """Verdicts over a frame, and over each turn by itself."""
    for name in CLASSES:
        parts = tuple(replace(part, ops=hurried(part.ops, name)) for part in program.parts)
        then = gap(replace(program, parts=parts))
        assert then == pytest.approx(spending.interval_cycles / spending.speedups[name], rel=0.01), name
    for position, layer in enumerate(spending.layers):
        saved = {}
        for name in CLASSES:
            turn = program.parts[position]
            turns = list(program.parts)
            turns[position] = replace(turn, ops=hurried(turn.ops, name))
            saved[name] = spending.interval_cycles - gap(replace(program, parts=tuple(turns)))
        assert layer.saved_cycles == max(0, *saved.values()), layer.name
        assert layer.bound is None or saved[layer.bound] == layer.saved_cycles, layer.name


def spending_of(design: EngineDesign) -> Spending | None:
    program = whole_program(design)
    return find_spending(design, program, steady_interval(program)[0])


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", SHIPPED_ENGINES)
def test_what_is_named_of_a_shipped_engine_helps_by_what_was_promised(name: str, whole: bool) -> None:
    design, _ = load_design(name, SHIPPED_ENGINES[name])
    assert isinstance(design, EngineDesign)
    spending = spending_of(design)
    assert spending is not None
    if not whole and name in SINGLE_FRAMES:  # many events a run: what counts most, and the least
        spending = replace(spending, resources=(spending.resources[0], spending.resources[-1]))
    check_promises(whole_program(design), spending, 1 if name in SINGLE_FRAMES else 5)
    if whole and name not in SINGLE_FRAMES:
        check_classes(whole_program(design), spending)


@st.composite
def specs(draw: st.DrawFn) -> EngineDesign:
    workload = draw(networks())
    spec = draw(engines(workload))
    data: dict[str, Any] = spec.model_dump(mode="json", exclude_unset=True)
    data["ports"]["ddr"]["width_bits"] = draw(st.sampled_from([8, 16, 32]))
    data["ports"]["ddr"]["latency_cycles"] = draw(st.sampled_from([0, 3, 40]))
    data["ports"]["ddr"]["max_burst_words"] = draw(st.sampled_from([4, 64, 1024]))
    return build_engine_design(EngineArchitecture.model_validate(data), workload)


@settings(max_examples=50)
@given(specs())
def test_verdicts_of_random_engines_hold_where_the_change_is_made(design: EngineDesign) -> None:
    spending = spending_of(design)
    if spending is None:
        return
    check_promises(whole_program(design), spending)
    assert sum(layer.total_cycles for layer in spending.layers) == spending.interval_cycles
    data = design.architecture.model_dump(mode="json", exclude_unset=True)
    data["ports"]["ddr"]["width_bits"] *= 2
    wider = build_engine_design(EngineArchitecture.model_validate(data), design.network.workload)
    port = next(one for one in spending.resources if one.kind == "port")
    assert gap(whole_program(wider)) == port.interval_cycles
    moved = sum(layer.moved_bytes for layer in spending.layers)
    assert moved == sum(port.loaded_bytes + port.stored_bytes for port in spending.ports)
    if spending.bound != "both":
        assert spending.speedups[spending.bound] == max(spending.speedups[name] for name in CLASSES)


@st.composite
def templates(draw: st.DrawFn) -> EngineDesign:
    """Engines of the templates, with ports of other widths: double buffers, stages, sums that wait, maps
    that wait in DRAM, the image and the results."""
    layers: list[dict[str, Any]] = []
    for i in range(draw(st.integers(1, 3))):
        outs, kernel = draw(st.sampled_from([4, 8, 20, 32])), draw(st.sampled_from([1, 3]))
        conv = {"name": f"conv{i}", "op": "conv", "out": outs, "kernel": kernel, "pad": 1}
        layers.append({**conv, "activation": "bipolar"})
        if draw(st.booleans()):
            layers.append({"name": f"pool{i}", "op": "max_pool", "kernel": 2})
    layers.append(
        {"name": "fc0", "op": "linear", "out": draw(st.integers(2, 40)), "activation": "bipolar"}
    )
    layers.append({"name": "fc1", "op": "linear", "out": 10})
    size = draw(st.sampled_from([6, 8]))
    image = {
        "shape": [draw(st.integers(1, 5)), size, size],
        "type": draw(st.sampled_from(["bipolar", "uint8"])),
    }
    loaded = from_spec(Workload.model_validate({"name": "drawn", "input": image, "layers": layers}))
    network, _ = check_network(loaded)
    if network is None:  # pools that leave nothing
        reject()
    sizes = Sizes(draw(st.sampled_from([4, 8, 16])), draw(st.sampled_from([8, 16, 64])))
    part = load_device(draw(st.sampled_from(PARTS))).spec
    spill = draw(st.sampled_from(spills(network)))
    data = engine_data(network, part, draw(st.sampled_from(KINDS)), sizes, 200.0, "drawn", spill)
    for step in (*data["frame"]["before"], *data["frame"]["after"]):
        step["bits"] = step.pop("words") * data["ports"]["ddr"]["width_bits"]
    data["ports"]["ddr"]["width_bits"] = draw(st.sampled_from([8, 16, 64]))
    data["ports"]["ddr"]["latency_cycles"] = draw(st.sampled_from([0, 4, 30]))
    data["ports"]["ddr"]["max_burst_words"] = draw(st.sampled_from([4, 16, 256]))
    try:
        return build_engine_design(EngineArchitecture.model_validate(data), loaded)
    except SpecError:  # a map of a few bits comes back in whole words of a port that is now another
        reject()


@settings(max_examples=6)
@given(templates())
def test_verdicts_of_template_engines_hold_over_a_frame_and_over_each_turn(design: EngineDesign) -> None:
    check_template(design)


@pytest.mark.long
@settings(max_examples=30)
@given(templates())
def test_verdicts_of_many_template_engines_hold(design: EngineDesign) -> None:
    check_template(design)


def check_template(design: EngineDesign) -> None:
    spending = spending_of(design)
    if spending is not None:
        check_promises(whole_program(design), spending)
        check_classes(whole_program(design), spending)


def test_the_end_of_a_run_is_no_part_of_the_steady_state() -> None:
    """The last frame has the port to itself, for nothing is loaded for a frame to come."""
    load = Transfer("weights", "load", "w", "ddr", 4, 4, 2, 1, True)
    store = Transfer("results", "store", "o", "ddr", 3, 3, 2, 1, False)
    parts = (
        LayerProgram("a", ("a",), "array", (load, Work("array", "compute", 7)), {}),
        LayerProgram("b", ("b",), "array", (load, Work("array", "compute", 1), store), {}),
    )
    program = EngineProgram(parts, ("array",), (), ("w", "o"), ("ddr",), False)
    ends = run_engine_simpy(program, 8).frame_end_cycles
    gaps = [later - earlier for earlier, later in pairwise(ends)]
    assert len(set(gaps[1:-1])) == 1 and gaps[-1] < gaps[-2]
    assert steady_interval(program)[0] == gaps[-2]


def test_a_layer_that_waits_for_weights_alone_is_bound_by_memory_and_the_text_says_so() -> None:
    design, _ = load_design("acce-bnn", "binarynet")
    assert isinstance(design, EngineDesign)
    spending = spending_of(design)
    assert spending is not None
    layers = {layer.name: layer for layer in spending.layers}
    # 32 calls of 4,752 words each; 1,024 outputs of 16 trips and 14 cycles
    assert layers["fc1"].weight_cycles == 32 * 4752
    assert layers["fc1"].array_cycles == 1024 * (8192 // 512 + 14)
    assert layers["fc1"].bound == "memory" and layers["conv2"].bound == "compute"
    (dma,) = spending.ports
    # 54 calls and 1,024 words of the image, 8 bytes each, at 142.857 MHz
    assert dma.loaded_bytes == 8 * (54 * 4752 + 1024)
    assert dma.peak_gb_s == pytest.approx(8 * 0.142857)
    assert dma.asked_gb_s == pytest.approx(dma.loaded_bytes / (827_776 - 54 * 4752 - 1024) * 0.142857)
    assert spending.text.startswith("compute-bound (64% of a frame's cycles are work, 31% waiting")
