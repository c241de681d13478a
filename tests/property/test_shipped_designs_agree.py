"""The compiled executor is SimPy's equal on every shipped pipeline."""

from __future__ import annotations

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.spec.library import shipped_names
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from tests.designs import SHIPPED_STREAMING

FRAMES = {
    "pynq-cnv": 2,
    "pynq-tfc": 4,
    "digits-7z020": 4,
    "finn-sfc-max": 6,
    "finn-lfc-max": 4,
    "finn-cnv-max": 2,
    "redkar": 3,
    "rebnet-m2": 1,
    "li-vx690t": 1,
    "fo-bnn": 1,
}


def test_every_shipped_streaming_design_is_in_the_list() -> None:
    streaming = {
        name
        for name in shipped_names("architecture")
        if load_architecture(name).spec.style == "streaming"
    }
    listed = {name for name, _ in SHIPPED_STREAMING}
    left_out = {"rebnet-m1", "rebnet-m3"}  # rebnet-m2 stands for all levels
    left_out |= {"birealnet-18-u250"}  # on a smaller map, among the designs for ImageNet
    assert streaming - listed <= left_out


@pytest.mark.parametrize(("arch", "workload"), SHIPPED_STREAMING)
def test_compiled_equals_simpy_on_shipped_designs(arch: str, workload: str) -> None:
    design = build_streaming_design(load_architecture(arch), load_workload(workload))
    graph = build_timing(design.graph)
    frames = FRAMES[arch]
    assert run_compiled(graph, frames, extrapolate=False).result == run_simpy(graph, frames)
