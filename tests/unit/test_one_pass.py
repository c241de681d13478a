"""An evaluation reads, builds, runs and costs a design once each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import pytest

import bnnsim
from bnnsim.cost.resources import estimate_resources
from bnnsim.datapath.engine.frame import run_engine_frame
from bnnsim.design.build import build_engine_design, build_streaming_design
from bnnsim.design.engine.program import EngineProgram
from bnnsim.design.network.network import check_network
from bnnsim.functional.executor import Executor
from bnnsim.functional.parameters.parameters import load_parameters, random_parameters
from bnnsim.simulation import streaming
from bnnsim.spec import load
from bnnsim.spec.library import find_spec
from bnnsim.spec.yaml.source import read_source
from bnnsim.timing.bottleneck import Bottleneck
from bnnsim.timing.engine.compiled import frame_ends, run_engine_compiled
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.streaming.bottleneck import find_bottleneck
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.compiled_run import CompiledRun
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state.search import Search

COUNTED: dict[CodeType, str] = {
    function.__code__: name
    for name, function in {
        "pipelines built": build_streaming_design,
        "engines built": build_engine_design,
        "networks checked": check_network,
        "parameters read": load_parameters,
        "parameters drawn": random_parameters,
        "networks executed": Executor.run,
        "engine frames executed": run_engine_frame,
        "engines timed by SimPy": run_engine_simpy,
        "timing graphs built": build_timing,
        "pipelines run by SimPy": run_simpy,
        "designs costed": estimate_resources,
    }.items()
}
TIMED_COMPILED = {run_engine_compiled.__code__, frame_ends.__code__}
SMALLEST_DESIGN = 3
"""Units; a bench that times one unit by itself has one."""


class Calls:
    """Counts calls of the functions above, whatever name they are imported under, and files read."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.files: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.program: EngineProgram | None = None

    def _is_another(self, program: EngineProgram) -> bool:
        """Whether an engine's program is not the first one run, but another to find what limits that."""
        self.program = self.program or program
        return program != self.program

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code in TIMED_COMPILED:
            another = self._is_another(frame.f_locals["program"])
            self.counts["engines of other speeds" if another else "engines timed compiled"] += 1
        elif code in COUNTED:
            self.counts[COUNTED[code]] += 1
        elif code is find_spec.__code__ and isinstance(frame.f_locals["reference"], str):
            self.found[frame.f_locals["reference"]] += 1
        elif code is read_source.__code__:
            self.files[frame.f_locals["path"].name] += 1
        elif code is Search.__init__.__code__:
            units = len(frame.f_locals["solver"].graph.units)
            self.counts["pipelines searched"] += units >= SMALLEST_DESIGN
        elif code is Solver.__init__.__code__:
            units = len(frame.f_locals["graph"].units)
            self.counts["pipelines run compiled"] += units >= SMALLEST_DESIGN


@pytest.fixture
def counted() -> Iterator[Callable[..., Calls]]:
    """Runs ``bnnsim.evaluate`` and says what was called; nothing is left over from earlier runs."""

    def run(*arguments: str, **options: Any) -> Calls:
        load._device_at.cache_clear()
        calls = Calls()
        sys.setprofile(calls)
        try:
            bnnsim.evaluate(*arguments, **options)
        finally:
            sys.setprofile(None)
        return calls

    yield run
    sys.setprofile(None)


def _specs_read(calls: Calls) -> dict[str, int]:
    return dict(calls.files)


def test_a_pipeline_without_its_bits_is_read_built_searched_and_costed_once(
    counted: Callable[..., Calls],
) -> None:
    calls = counted("pynq-cnv", "cnv", timing_only=True)
    assert calls.counts == {
        "pipelines built": 1,
        "networks checked": 1,
        "timing graphs built": 1,
        "pipelines run compiled": 1,
        "pipelines searched": 1,
        "designs costed": 1,
    }
    for name in ("pynq-cnv.yaml", "cnv.yaml", "xc7z020.yaml"):
        assert _specs_read(calls)[name] == 1
    assert calls.found == {"pynq-cnv": 1, "cnv": 1, "xc7z020": 1}


def test_a_second_run_of_a_pipeline_is_counted(
    counted: Callable[..., Calls], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_again(graph: TimingGraph, run: CompiledRun) -> Bottleneck | None:
        run_compiled(graph, 1)
        return find_bottleneck(graph, run)

    monkeypatch.setattr(streaming, "find_bottleneck", find_again)
    calls = counted("pynq-cnv", "cnv", timing_only=True)
    assert calls.counts["pipelines run compiled"] == 2


def test_a_pipeline_with_its_bits_is_executed_once_in_software_and_once_in_hardware(
    counted: Callable[..., Calls],
) -> None:
    calls = counted("digits-7z020", "digits", frames=2)
    assert calls.counts == {
        "pipelines built": 1,
        "networks checked": 1,
        "parameters read": 1,
        "networks executed": 1,
        "timing graphs built": 1,
        "pipelines run by SimPy": 1,  # the frames asked for, with their bits
        "pipelines run compiled": 1,  # the interval, and what limits it
        "pipelines searched": 1,
        "designs costed": 1,
    }
    for name in ("digits-7z020.yaml", "digits.yaml", "xc7z020.yaml"):
        assert _specs_read(calls)[name] == 1
    assert calls.found == {"digits-7z020": 1, "digits": 1, "xc7z020": 1}


def test_an_engine_without_its_bits_is_timed_for_its_frames_and_for_its_interval(
    counted: Callable[..., Calls],
) -> None:
    calls = counted("fbna", "binarynet-24", timing_only=True)
    assert calls.counts == {
        "engines built": 1,
        "networks checked": 1,
        "engines timed compiled": 5,  # a run that ends prefetches nothing for a frame to come
        # two arrays, a stage and a port left out: what counts most; these and the port's latency twice
        # as fast, all compute and all memory, each in the nine layers, memory in the frame's own steps,
        # and the port left out once more: what is asked of it
        "engines of other speeds": 4 + 5 + 2 + 18 + 1 + 1,
        "designs costed": 1,
    }


def test_an_engine_in_which_nothing_overlaps_is_timed_once(counted: Callable[..., Calls]) -> None:
    calls = counted("fracbnn", "fracbnn-cifar10", timing_only=True)
    assert calls.counts == {
        "engines built": 1,
        "networks checked": 1,
        "engines timed compiled": 1,  # its interval is the sum of what it does
        "designs costed": 1,
    }


def test_an_engine_executes_each_frame_once_and_is_timed_once(
    counted: Callable[..., Calls],
) -> None:
    calls = counted("acce-bnn", "binarynet", weights_seed=1, frames=1)
    assert calls.counts == {
        "engines built": 1,
        "networks checked": 1,
        "parameters drawn": 1,
        "networks executed": 1,
        "engine frames executed": 1,
        "engines timed by SimPy": 1,  # the interval is the sum of what it does
        "designs costed": 1,
    }
    for name in ("acce-bnn.yaml", "binarynet.yaml"):
        assert _specs_read(calls)[name] == 1
    assert all(count == 1 for count in calls.found.values()), calls.found
