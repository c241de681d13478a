"""What an engine must bring and keep; every wrong number here is counted by hand."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.design.build import build_engine_design
from bnnsim.evaluation import figures_of
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_workload, read_architecture
from bnnsim.spec.workload import Workload

LOOPS = [{"dimension": d} for d in ("out_channels", "in_channels", "rows", "columns")]
WEIGHTS = [{"dimension": d} for d in ("out_channels", "in_channels", "kernel_rows", "kernel_columns")]
COMPUTE = {"op": "compute", "loops": LOOPS}
DDR = {"port": "ddr", "buffer": "maps"}
LOAD = {**DDR, "op": "load", "payload": "weights", "buffer": "weights", "bits": 1, "loops": WEIGHTS}
IMAGE = {**DDR, "op": "load", "payload": "image", "words": 4}
STORE = {**DDR, "op": "store", "payload": "results", "words": 4}
ADD = {"op": "stage", "unit": "adder", "loops": [{"trips": 9}]}
ENGINE: dict[str, Any] = {
    "name": "whole",
    "source": "made for this test",
    "style": "engine",
    "device": "xc7z020",
    "clock_mhz": 100,
    "arrays": {
        "pes": {
            "supported_ops": ["conv"],
            "spatial_unrolling": {"in_channels": 4, "kernel_rows": 3, "kernel_columns": 3},
        }
    },
    "stages": {"adder": {}},
    "buffers": {
        "weights": {"holds": "weights", "words": 3, "width_bits": 64, "residency": "tile"},
        # a map of 4 x 8 x 8 bits is 256 bits: each copy holds one
        "maps": {"holds": "activations", "words": 8, "width_bits": 32, "copies": 2},
    },
    "ports": {"ddr": {"width_bits": 64, "latency_cycles": 10, "source": "made up"}},
    "programs": {
        "conv": {"array": "pes", "buffers": ["weights", "maps"], "steps": [LOAD, COMPUTE]},
        "add": {"buffers": ["maps"], "steps": [ADD]},
    },
    "frame": {"before": [IMAGE], "after": [STORE]},
}
CONV = {"op": "conv", "out": 4, "kernel": 3, "pad": 1, "activation": "bipolar"}


def network(*layers: dict[str, Any]) -> Workload:
    return Workload.model_validate(
        {"name": "few", "input": {"shape": [4, 8, 8]}, "layers": [{**CONV, **layer} for layer in layers]}
    )


CHAIN = network({"name": "a"}, {"name": "b"}, {"name": "c"})


def engine(**changes: Any) -> dict[str, Any]:
    data = copy.deepcopy(ENGINE) | {"layers": {name: {"program": "conv"} for name in "abc"}}
    for path, value in changes.items():
        here, *rest = path.split("__")[::-1]
        place = data
        for part in reversed(rest):
            place = place[part]
        place[here] = value
    return data


def faults(folder: Path, data: dict[str, Any], workload: Any = CHAIN) -> list[str]:
    file = folder / "whole.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    try:
        build_engine_design(read_architecture(file), workload)
    except SpecError as error:
        return str(error).splitlines()
    return []


def test_engine_that_brings_and_keeps_everything_is_accepted(tmp_path: Path) -> None:
    assert faults(tmp_path, engine()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame": {"after": [STORE]}},
         r"before: expected a load of the image for a, or an entry of outside \(payload image\)"),
        ({"frame": {"before": [], "after": [IMAGE, STORE]}}, r"expected a load of the image for a"),
        ({"frame__before": [{**IMAGE, "words": 3}]},
         r"frame.before: expected loads of the whole image, 256 bits, got 192 bits"),
        ({"frame": {"before": [IMAGE]}},
         r"frame.after: expected a store of the results of c, or an entry of outside"),
        ({"frame__after": [{**STORE, "words": 3}]},
         r"frame.after: expected stores of all results of c, 256 bits, got 192 bits"),
        ({"programs__conv__buffers": ["maps"], "programs__conv__steps": [COMPUTE]},
         r"programs.conv.buffers: expected a buffer that holds the weights of a, 144 bits, or"),
        ({"programs__conv__buffers": ["weights"]},
         r"programs.conv.buffers: expected a buffer that holds activations and keeps the map of a for b"
         r".*"
         r"and so for 1 more\), got weights"),
        ({"buffers__maps__residency": "tile"}, r"conv.buffers: expected .* keeps the map of a for b"),
        ({"buffers__maps__copies": 1},
         r"buffers.maps.words: expected room for 512 bits, the maps of input, a that are needed at a "
         r"\(words or copies, or in_place\).*, got 256 bits in maps"),
        # all tiles are loaded before the first is used: 144 bits through a buffer of 64
        ({"buffers__weights__words": 1,
          "programs__conv__steps": [{"op": "repeat", "loops": WEIGHTS[:1],
                                     "steps": [{**LOAD, "loops": WEIGHTS[1:]}]}, COMPUTE]},
         r"buffers.weights.words: expected at least 144 bits"),
        ({"layers": {"a": {"program": "conv"}, "c": {"program": "conv"}}},
         r"layers.b: expected a program \(conv, add\) for layer b \(conv\), got none"),
        ({"outside": [{"payload": "weights", "layers": ["d"], "source": "elsewhere"}]},
         r"outside\[0\].layers\[0\]: expected a layer of workload few, got 'd'"),
        ({"outside": [{"payload": "weights"}]}, r"outside\[0\].source: expected"),
        ({"programs__conv__steps": [COMPUTE, LOAD]},
         r"conv.steps: expected a load of weights before a is computed .*, got one after it"),
        ({"programs__conv__steps": [STORE, LOAD, COMPUTE], "frame__after": []},
         r"conv.steps: expected a store after a is computed .*, got one before it"),
        ({"frame": {"after": [STORE]}, "programs__conv__steps": [LOAD, COMPUTE, IMAGE]},
         r"conv.steps: expected a load of image before a is computed"),
        # a double buffer's other half has the next frame's image while this one's maps are in use
        ({"buffers__maps__copies": 1, "buffers__maps__double": True},
         r"buffers.maps.words: expected room for 512 bits, the maps of input, a .*, got 256 bits"),
        ({"buffers__spare": {"holds": "activations", "words": 8, "width_bits": 32},
          "frame__after": [{**STORE, "buffer": "spare"}]},
         r"frame.after: expected a store from a buffer with the results of c \(weights, maps\), got"),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_fault_that_names_layer_and_key(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    found = faults(tmp_path, engine(**changes))
    assert any(re.search(message, fault) for fault in found), found
    assert len(found) <= 3


def test_what_stands_outside_is_not_asked_for(tmp_path: Path) -> None:
    names = ("image", "weights", "activations", "results")
    bare = engine(
        frame={}, programs__conv__buffers=[], programs__conv__steps=[COMPUTE],
        outside=[{"payload": name, "source": "elsewhere"} for name in names],
    )  # fmt: skip
    assert faults(tmp_path, bare) == []
    bare["outside"].pop(0)
    assert re.search("load of the image", faults(tmp_path, bare)[0])


def test_a_shortcut_that_two_maps_push_out_is_refused(tmp_path: Path) -> None:
    """a is read by b and by the add after c: at c's turn a, b and c want a place, and there are two."""
    layers = {**{name: {"program": "conv"} for name in "abc"}, "sum": {"program": "add"}}
    residual = Workload.model_validate(
        {
            "name": "residual",
            "input": {"shape": [4, 8, 8]},
            "layers": [
                {**CONV, "name": "a"},
                {**CONV, "name": "b"},
                {**CONV, "name": "c", "inputs": ["b"]},
                {"name": "sum", "op": "add", "inputs": ["a", "c"]},
            ],
        }
    )
    data = engine(layers=layers, outside=[{"payload": "results", "source": "elsewhere"}])
    found = "\n".join(faults(tmp_path, data, residual))
    assert re.search(r"room for 768 bits, the maps of a, b, c that are needed at c .*got 512", found)
    data["buffers"]["maps"]["words"] = 24  # the sum has three bits an element
    assert faults(tmp_path, data, residual) == []


def test_a_turn_that_only_passes_time_does_no_layer(tmp_path: Path) -> None:
    pool = {"name": "p", "op": "max_pool", "kernel": 2}
    workload = Workload.model_validate(
        {"name": "pooled", "input": {"shape": [4, 8, 8]}, "layers": [{**CONV, "name": "a"}, pool]}
    )
    idle = [{"op": "overhead", "cycles": 3, "cause": "none", "source": "made up"}]
    data = engine(layers={"a": {"program": "conv"}, "p": {"program": "add"}}, programs__add__steps=idle)
    (fault,) = faults(tmp_path, data, workload)
    assert "programs.add.steps: expected a stage that does p (max_pool)" in fault


def test_a_layer_is_not_done_within_a_turn_before_what_it_reads(tmp_path: Path) -> None:
    pool = {"name": "p", "op": "max_pool", "kernel": 2}
    workload = Workload.model_validate(
        {
            "name": "pooled",
            "input": {"shape": [4, 8, 8]},
            "layers": [{**CONV, "name": "a"}, {**CONV, "name": "b"}, pool],
        }
    )
    layers = {"a": {"program": "conv"}, "b": {"program": "conv"}, "p": {"within": "a"}}
    (fault,) = faults(tmp_path, engine(layers=layers), workload)
    assert "layers.p.within: expected b or a later layer, for p reads b, got 'a'" in fault


def test_a_map_is_kept_with_all_its_bits(tmp_path: Path) -> None:
    """A sum of two bipolar maps has three bits an element; its reader gets no more than were kept."""
    layers = {**{name: {"program": "conv"} for name in "ab"}, "sum": {"program": "add"},
              "t": {"program": "add"}}  # fmt: skip
    workload = Workload.model_validate(
        {
            "name": "summed",
            "input": {"shape": [4, 8, 8]},
            "layers": [
                {**CONV, "name": "a"},
                {**CONV, "name": "b"},
                {"name": "sum", "op": "add", "inputs": ["a", "b"]},
                {"name": "t", "op": "threshold", "activation": "bipolar"},
            ],
        }
    )
    data = engine(layers=layers, buffers__maps__words=32, buffers__maps__element_bits=1)
    (fault,) = faults(tmp_path, data, workload)
    assert "buffers.maps.element_bits: expected at least 3 (the map of sum), got 1" in fault


def test_in_place_is_for_arrays_that_read_on_ahead(tmp_path: Path) -> None:
    """With output channels outermost, the first output would overwrite what the second still reads."""
    data = engine(buffers__maps__copies=1, buffers__maps__in_place=True)
    (fault,) = faults(tmp_path, data)
    assert "written in place it would lose input that later outputs read" in fault
    data["programs"]["conv"]["steps"][1] = {"op": "compute", "loops": [*LOOPS[2:], *LOOPS[:2]]}
    data["arrays"]["pes"]["spatial_unrolling"]["out_channels"] = 4
    assert faults(tmp_path, data) == []


def test_maps_may_go_through_memory_if_all_of_them_do(tmp_path: Path) -> None:
    out = {"op": "store", "payload": "activations", "port": "ddr", "buffer": "maps", "words": 4}
    back = {**IMAGE, "payload": "activations"}
    data = engine(buffers__maps__residency="tile", buffers__maps__copies=1)
    data["programs"]["first"] = {**data["programs"]["conv"], "steps": [LOAD, COMPUTE, out]}
    data["programs"]["conv"]["steps"] = [back, LOAD, COMPUTE, out]
    data["layers"]["a"] = {"program": "first"}
    assert faults(tmp_path, data) == []
    data["programs"]["conv"]["steps"][0] = {**back, "words": 2}
    (fault,) = faults(tmp_path, data)
    assert "expected loads of the whole map of a, 256 bits (and so for 1 more), got 128 bits" in fault
    data["programs"]["conv"]["steps"][0] = back
    data["programs"]["first"]["steps"].pop()
    (fault,) = faults(tmp_path, data)
    assert "programs.first" in fault
    assert "keeps the map of a for b" in fault


def test_the_readmes_engine_runs_binarynet_once_it_says_where_everything_is(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "arch_specs" / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(style: engine.*?)^```", page, re.M | re.S)
    data = yaml.safe_load(text)
    workload = load_workload("binarynet")
    data |= {"name": "readme", "source": "the README's", "device": "xc7z020", "clock_mhz": 143}
    data["arrays"]["pes"]["supported_ops"] = ["conv", "linear"]
    layers = [layer.name for layer in workload.spec.layers]
    data["layers"] = {
        name: {"within": layers[i - 1]} if name.startswith("pool") else {"program": "conv"}
        for i, name in enumerate(layers)
    }
    file = tmp_path / "readme.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    whole = figures_of(build_engine_design(read_architecture(file), workload))
    # 2 x 2,048 words of weights and two maps of 2,048 x 64 bits: 4 x 8 blocks, and 2 of the port
    assert whole.figures["bram18"] >= 32
    del data["frame"], data["buffers"]["maps"]
    data["programs"]["conv"]["buffers"] = ["weights"]
    found = faults(tmp_path, data, workload)
    assert len(found) == 2
    assert "a load of the image for conv1" in found[0] + found[1]
    assert "keeps the map of conv1" in found[0] + found[1] or "map of pool" in found[0] + found[1]
