"""Loops that are left to the tool: the fastest way that fits, which the spec then says in full."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise, permutations, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.design.build import build_design
from bnnsim.design.design import EngineDesign
from bnnsim.simulation import RunOptions, simulate_design, stimulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import read_architecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.write import architecture_text
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.mapped import mapped_design

WEIGHTS = ("out_channels", "in_channels", "kernel_rows", "kernel_columns")
WALK = ("rows", "columns", "out_channels", "kernel_rows", "kernel_columns", "in_channels")
LOAD = {"op": "load", "payload": "weights", "port": "ddr", "buffer": "weights", "bits": 1}
COMPUTE = {"op": "compute", "depth": 12, "source": "drawn"}
FINISH = {"op": "stage", "unit": "finish", "depth": 6, "source": "drawn"}
ENGINE: dict[str, Any] = {
    "name": "small",
    "source": "made for this test",
    "style": "engine",
    "device": "xc7z020",
    "clock_mhz": 100,
    "arrays": {
        "pes": {
            "supported_ops": ["conv", "linear", "gated_conv"],
            "spatial_unrolling": {"out_channels": 4, "in_channels": 8},
            "accumulator_bits": 16,
        }
    },
    "stages": {"finish": {"spatial_unrolling": {"out_channels": 4}}},
    "buffers": {
        "weights": {
            "holds": "weights", "words": 72, "width_bits": 32, "double": True, "residency": "tile"
        },
        "sums": {"holds": "partial_sums", "banks": 4, "words": 64, "width_bits": 16},
        "maps": {"holds": "activations", "words": 1024, "width_bits": 64},
    },
    "ports": {"ddr": {"width_bits": 64, "latency_cycles": 20, "max_burst_words": 64, "source": "drawn"}},
    "programs": {
        "matrix": {
            "array": "pes", "buffers": ["weights", "sums", "maps"], "steps": [LOAD, COMPUTE, FINISH]
        }
    },
    "frame": {
        "before": [
            {"op": "load", "payload": "image", "port": "ddr", "buffer": "maps", "words": 128}
        ],
        "after": [{"op": "store", "payload": "results", "port": "ddr", "buffer": "maps", "words": 64}],
    },
    "layers": {"*": {"program": "matrix", "mapping": "auto"}},
}  # fmt: skip


def conv(name: str, out: int, kernel: int = 3, **more: Any) -> dict[str, Any]:
    layer = {"name": name, "op": "conv", "out": out, "kernel": kernel, "pad": kernel // 2}
    return {**layer, "activation": "bipolar", **more}


def network(*layers: dict[str, Any], shape: tuple[int, int, int] = (16, 8, 8)) -> Workload:
    data = {"name": "drawn", "input": {"shape": list(shape)}, "layers": list(layers)}
    return Workload.model_validate(data)


def engine(**changes: Any) -> dict[str, Any]:
    """The engine with entries at dotted paths changed; None takes one away."""
    data = copy.deepcopy(ENGINE)
    for path, value in changes.items():
        *parents, last = path.split("__")
        here = data
        for part in parents:
            here = here[part]
        here[last] = value
    return data


def mapped(data: dict[str, Any], workload: Workload) -> EngineDesign:
    design = mapped_design(EngineArchitecture.model_validate(data), workload)
    assert isinstance(design, EngineDesign)
    return design


def gap(design: EngineDesign) -> int:
    """The interval by SimPy."""
    ends = (0, *run_engine_simpy(design.program, 5).frame_end_cycles)
    return [later - earlier for earlier, later in pairwise(ends)][-2]


def loops(*names: str, **tiles: int) -> list[dict[str, Any]]:
    return [{"dimension": n, **({"tile": tiles[n]} if n in tiles else {})} for n in names]


def every_nest(extents: dict[str, int]) -> Iterator[list[dict[str, Any]]]:
    """By hand: all orders of tiles of output channels, rows and input channels, the load at any depth."""
    load = {**LOAD, "loops": loops(*WEIGHTS)}
    compute = {**COMPUTE, "loops": loops(*WALK)}
    sizes = {
        "out_channels": [4, 8, 16, 32], "in_channels": [8, 16, 32], "rows": [1, 2, 4, 8]
    }  # fmt: skip
    for count in range(4):
        for order in permutations(sizes, count):
            every = [[t for t in sizes[name] if t < extents[name]] for name in order]
            for tiles in product(*every):
                for depth in range(count + 1):
                    is_split = "in_channels" in order
                    at = order.index("in_channels") if is_split else count
                    stage = {**FINISH, "loops": loops("rows", "columns", "out_channels")}
                    body = [compute] if is_split else [compute, FINISH]
                    for k in range(count, -1, -1):
                        if k < count:
                            outside = loops(order[k], **{order[k]: tiles[k]})
                            body = [{"op": "repeat", "loops": outside, "steps": body}]
                        if k == depth:
                            body = [load, *body]
                        if is_split and k == at:
                            body = [*body, stage]
                    yield body


@pytest.mark.parametrize(
    ("out", "kernel", "words", "sums", "latency"),
    [(16, 3, 72, 64, 20), (16, 3, 36, 16, 3), (32, 1, 16, 64, 40), (8, 3, 144, 8, 0)],
)
def test_no_order_of_loops_that_fits_is_faster(
    out: int, kernel: int, words: int, sums: int, latency: int
) -> None:
    workload = network(conv("conv0", out, kernel))
    sized: dict[str, Any] = {
        "buffers__weights__words": words,
        "buffers__sums__words": sums,
        "ports__ddr__latency_cycles": latency,
    }
    found = gap(mapped(engine(**sized), workload))
    others = []
    for steps in every_nest({"out_channels": out, "in_channels": 16, "rows": 8}):
        data = engine(**sized, layers={"*": {"program": "matrix"}}, programs__matrix__steps=steps)
        try:
            design = build_design(EngineArchitecture.model_validate(data), workload)
        except SpecError:
            continue
        assert isinstance(design, EngineDesign)
        others.append(gap(design))
    assert len(others) > 3 and found <= min(others)


def test_the_fewest_bursts_that_fit_are_chosen_and_counted_by_hand() -> None:
    """64 outputs of 16 x 1 bits: 1,024 bits, 16 words. All at once are a burst of 20 + 16 cycles, which a
    linear layer's 16 x 2 trips and 12 cycles hide; in four tiles each would pay 12 and 7 again."""
    workload = network({"name": "fc", "op": "linear", "out": 64}, shape=(16, 1, 1))
    data = engine(
        buffers__weights__words=64,
        frame={
            "before": [{**ENGINE["frame"]["before"][0], "words": 1}],
            "after": [{**ENGINE["frame"]["after"][0], "words": 6}],
        },
    )
    # image 20 + 1, work 32 + 12, finish 1 + 6, results 20 + 6; the weights come beside the work
    assert gap(mapped(data, workload)) == 21 + 44 + 7 + 26


def test_what_is_written_has_the_loops_and_is_the_same_engine(tmp_path: Path) -> None:
    workload = network(conv("conv0", 16), conv("conv1", 8), {"name": "fc", "op": "linear", "out": 10})
    design = mapped(engine(buffers__weights__words=200), workload)
    text = architecture_text(design.architecture, with_defaults=True)
    assert "auto" not in text
    file = tmp_path / "mapped.yaml"
    file.write_text(text, encoding="utf-8")
    again = build_design(read_architecture(file), workload)  # which chooses nothing
    assert isinstance(again, EngineDesign) and again.program == design.program
    assert set(design.architecture.layers) == {"conv0", "conv1", "fc"}
    used = {entry.program for entry in design.architecture.layers.values()}
    assert used == set(design.architecture.programs)


def test_layers_keep_their_loops_unless_they_leave_them_to_the_tool() -> None:
    written = [
        {"op": "repeat", "loops": loops("out_channels"),
         "steps": [{**LOAD, "loops": loops(*WEIGHTS)}, {**COMPUTE, "loops": loops(*WALK)}, FINISH]}
    ]  # fmt: skip
    workload = network(conv("conv0", 16), conv("conv1", 16))
    layers = {"conv0": {"program": "matrix"}, "conv1": {"program": "matrix", "mapping": "auto"}}
    data = engine(layers=layers, programs__matrix__steps=written)
    kept = build_design(
        EngineArchitecture.model_validate({**data, "layers": {"*": {"program": "matrix"}}}), workload
    )
    assert isinstance(kept, EngineDesign)
    found = mapped(data, workload)
    assert found.architecture.layers["conv0"].program == "matrix"
    assert found.architecture.layers["conv1"].program == "matrix_conv1"
    steps = kept.architecture.programs["matrix"].steps
    assert found.architecture.programs["matrix"].steps == steps
    assert gap(found) < gap(kept)


@st.composite
def drawn(draw: st.DrawFn) -> tuple[dict[str, Any], Workload]:
    """Arrays of other sizes, little memory, networks of other kinds of layers."""
    unrolled = {
        "out_channels": draw(st.sampled_from([1, 3, 4])),
        "in_channels": draw(st.sampled_from([2, 8])),
    }
    kind = draw(st.sampled_from(["plain", "kernel", "rows", "pixels", "groups"]))
    unrolled |= {
        "plain": {}, "kernel": {"kernel_rows": 3, "kernel_columns": 3}, "rows": {"rows": 4},
        "pixels": {"pixels": 5}, "groups": {"groups": 2},
    }[kind]  # fmt: skip
    groups = draw(st.sampled_from([1, 2])) if kind in ("plain", "groups") else 1
    first = conv("conv0", draw(st.sampled_from([6, 16])), draw(st.sampled_from([1, 3])), groups=groups)
    first["stride"] = draw(st.sampled_from([1, 2]))
    layers = [first]
    if draw(st.booleans()):
        layers.append({"name": "pool", "op": "max_pool", "kernel": 2})
    layers.append(conv("conv1", 8, pad_value=draw(st.sampled_from([0, -1]))))
    layers.append({"name": "fc", "op": "linear", "out": draw(st.integers(1, 12))})
    data = engine(
        arrays__pes__spatial_unrolling=unrolled,
        arrays__pes__iteration_space=draw(st.sampled_from(["outputs", "every_pixel"])),
        buffers__weights__words=draw(st.sampled_from([12, 40, 160])),
        buffers__weights__double=draw(st.booleans()),
        buffers__sums__words=draw(st.sampled_from([16, 64])),
        stages__finish__spatial_unrolling=draw(st.sampled_from([{}, {"out_channels": 2}])),
        layers={"pool": {"within": "conv0"}, "*": {"program": "matrix", "mapping": "auto"}},
    )
    if len(layers) == 3:
        del data["layers"]["pool"]
    return data, network(*layers)


@settings(max_examples=15)
@given(drawn())
def test_engines_with_chosen_loops_compute_every_bit(given_: tuple[dict[str, Any], Workload]) -> None:
    data, workload = given_
    try:
        design = mapped(data, workload)
    except SpecError:  # too little memory for any
        return
    options = RunOptions(frames=1, weights_seed=3)
    found = simulate_design(design, stimulate(design, None, options), options)
    assert found.bit_exact


# ---- refusals ---------------------------------------------------------------------------------


def refusal(tmp_path: Path, data: dict[str, Any]) -> str:
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    with pytest.raises(SpecError, match="expected") as caught:
        mapped_design(read_architecture(file), network(conv("conv0", 16)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{**LOAD, "bits": 2}, COMPUTE], "a load of weights of bits: 1 each"),
        ([COMPUTE, LOAD], "one load of weights, before the compute step"),
        ([LOAD, COMPUTE, COMPUTE], "one compute step"),
        ([LOAD, {**COMPUTE, "loops": [{"dimension": "rows", "extra": 1}]}], "nothing else"),
        ([LOAD, FINISH, COMPUTE], "stage here"),
    ],
)
def test_programs_that_leave_no_choice_are_refused(
    tmp_path: Path, steps: list[dict[str, Any]], said: str
) -> None:
    text = refusal(tmp_path, engine(programs__matrix__steps=steps))
    assert said in text and "conv0, whose mapping is auto" in text and "small.yaml" in text


def test_a_layer_that_no_way_fits_says_what_is_too_small(tmp_path: Path) -> None:
    text = refusal(tmp_path, engine(buffers__weights__words=1))
    assert "layers.conv0.mapping: expected a way to run conv0 that fits, got none" in text
    assert "at least 320 bits (what one load moves)" in text and text.count("expected") == 1


def test_within_has_no_mapping_of_its_own(tmp_path: Path) -> None:
    text = refusal(tmp_path, engine(layers={"conv0": {"within": "above", "mapping": "auto"}}))
    assert "'mapping: auto' with 'program'" in text


def test_where_nothing_chooses_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"layers.conv0.mapping: expected no such key"):
        build_design(EngineArchitecture.model_validate(ENGINE), network(conv("conv0", 16)))
