"""The compiled executor against SimPy and a clock loop, and how time and memory grow."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.spec import load_architecture, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.bottleneck import find_bottleneck
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.steady_state.api import steady_state
from tests.property.clockwork import run_clockwork

from .resnet18 import resnet18
from .row import Row, best_seconds

ROOT = Path(__file__).resolve().parents[2]


def measure() -> list[Row]:
    """Everything."""
    cnv = build_timing(_shipped("pynq-cnv", "cnv").graph)
    rows = [_against_simpy(cnv, frames) for frames in (1, 3)]
    rows.append(_against_clock_loop())
    rows += _many_frames(cnv)
    rows += _analyses(cnv)
    rows += _resnet()
    rows += _growth(cnv)
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    rows.append(Row("load of the machine when done", os.getloadavg()[0], "", note=load))
    return rows


def _shipped(arch: str, workload: str) -> Design:
    return build_streaming_design(load_architecture(arch), load_workload(workload))


def _best(run: Callable[[], object], rounds: int = 5) -> float:
    return best_seconds({"run": run}, rounds)["run"]


# ---- peers ----------------------------------------------------------------------------------


def _against_simpy(graph: TimingGraph, frames: int) -> Row:
    compiled, simpy = _raced(
        lambda: run_compiled(graph, frames, extrapolate=False), lambda: run_simpy(graph, frames)
    )
    title = f"pynq-cnv, {frames} frame(s), every word"
    return Row(title, compiled * 1e3, "ms", simpy / compiled, "SimPy", f"SimPy {simpy:.2f} s")


def _against_clock_loop() -> Row:
    graph = build_timing(_shipped("digits-7z020", "digits").graph)
    frames = 20
    reference = run_clockwork(graph, frames).result
    assert run_compiled(graph, frames, extrapolate=False).result == reference
    compiled, clockwork = _raced(
        lambda: run_compiled(graph, frames, extrapolate=False), lambda: run_clockwork(graph, frames)
    )
    return Row(
        f"digits-7z020, {frames} frames, every word",
        compiled * 1e3,
        "ms",
        clockwork / compiled,
        "clock loop in Python",
        f"clock loop {clockwork:.2f} s; equal in every count",
    )


def _raced(run: Callable[[], object], peer: Callable[[], object]) -> tuple[float, float]:
    """The shortest of three runs of both, in turn."""
    seconds = best_seconds({"run": run, "peer": peer}, rounds=3)
    return seconds["run"], seconds["peer"]


def _many_frames(graph: TimingGraph) -> list[Row]:
    rows = []
    for frames, cycles in ((1_330, 43_770_314), (10_000, 327_868_874)):
        run = run_compiled(graph, frames)
        assert run.result.cycles_total == cycles
        seconds = _best(lambda frames=frames: run_compiled(graph, frames))  # type: ignore[misc]
        note = f"{cycles:,} cycles; {run.argument}, {run.frames_simulated} frames simulated"
        rows.append(Row(f"pynq-cnv, {frames:,} frames", seconds * 1e3, "ms", note=note))
    return rows


def _analyses(graph: TimingGraph) -> list[Row]:
    steady = steady_state(graph)
    interval = f"interval {steady.initiation_interval_cycles:,}, latency {steady.latency_cycles:,}"
    bottleneck = find_bottleneck(graph, run_compiled(graph, 1, with_steady_state=True))
    assert bottleneck is not None
    seconds = _best(lambda: steady_state(graph))
    return [
        Row("pynq-cnv, steady state", seconds * 1e3, "ms", note=interval),
        Row(
            "pynq-cnv, steady state and bottleneck",
            _best(lambda: find_bottleneck(graph, run_compiled(graph, 1, with_steady_state=True))) * 1e3,
            "ms",
            note=f"{bottleneck.unit} limits",
        ),
    ]


# ---- a large network ------------------------------------------------------------------------


def _resnet() -> list[Row]:
    """In processes of their own, for the peak of memory. All is compiled by now."""
    rows = []
    for pipeline in ("flushing", "freezing"):
        command = [sys.executable, "-m", "tests.benchmarks.timing", pipeline]
        child = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        found = json.loads(child.stdout)
        title = f"ResNet-18 at 224x224, {pipeline}, {found['units']} units: steady state"
        note = f"{found['macs'] / 1e9:.2f} G MACs, {found['proof']}"
        rows.append(Row(title, found["seconds"], "s", note=note))
        rows.append(Row(f"the same: peak memory of the process ({pipeline})", found["peak_mb"], "MB"))
    return rows


def _resnet_alone(pipeline: str) -> dict[str, Any]:
    design = resnet18(pipeline=pipeline)
    graph = build_timing(design.graph)
    steady_state(build_timing(_shipped("digits-7z020", "digits").graph))  # numba's cache is loaded
    start = time.perf_counter()
    steady = steady_state(graph)
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "macs": sum(node.macs for node in design.network.nodes.values()),
        "units": len(design.graph.units),
        "proof": f"{steady.initiation_interval_cycles} cycles a frame: {steady.argument}, "
        f"{steady.frames_simulated} frames simulated",
    }


# ---- growth ---------------------------------------------------------------------------------


def _growth(cnv: TimingGraph) -> list[Row]:
    shallow, deep = (
        cnv.with_depths({c.name: depth for c in cnv.channels if not c.falls_through})
        for depth in (2, 1024)
    )
    return [
        _grown("frames, each simulated", 10, 100, lambda n: _simulated(cnv, n)),
        _grown("frames, extrapolated", 10**3, 10**9, lambda n: lambda: run_compiled(cnv, n), False),
        _grown("layers", 8, 32, lambda n: _analysed(_chain(n, 32))),
        _grown("channels", 32, 128, lambda n: _analysed(_chain(8, n))),
        _grown(
            "FIFO depth in words",
            2,
            1024,
            lambda n: _simulated(deep if n > 2 else shallow, 10),
            False,
        ),
    ]


def _simulated(graph: TimingGraph, frames: int) -> Callable[[], object]:
    return lambda: run_compiled(graph, frames, extrapolate=False)


def _analysed(graph: TimingGraph) -> Callable[[], object]:
    return lambda: steady_state(graph)


def _chain(layers: int, channels: int) -> TimingGraph:
    """Equal 3x3 convolutions, one behind the other, that take a word of 8 channels a cycle."""
    names = [f"conv{i}" for i in range(layers)]
    conv = {"op": "conv", "out": channels, "kernel": 3, "pad": 1, "activation": "bipolar"}
    workload = Workload(
        name="chain",
        source="made for this benchmark",
        input={"shape": [channels, 16, 16], "type": "bipolar"},  # type: ignore[arg-type]
        layers=[{"name": name, **conv} for name in names],  # type: ignore[misc]
    )
    architecture = StreamingArchitecture(
        name="chain",
        source="made for this benchmark",
        style="streaming",
        device="xczu9eg",
        clock_mhz=200,
        defaults={"fifo_words": 32},  # type: ignore[arg-type]
        layers={name: {"pe": 8, "simd": 8} for name in names},  # type: ignore[misc]
    )
    return build_timing(build_streaming_design(architecture, workload).graph)


def _grown(
    what: str,
    small: int,
    large: int,
    run: Callable[[int], Callable[[], object]],
    is_work: bool = True,
) -> Row:
    """The time at a large size against that at a small one, by size where more of it is more work."""
    runs = {"small": run(small), "large": run(large)}
    seconds = best_seconds(runs, rounds=3)
    ratio = seconds["small"] / seconds["large"] * (large / small if is_work else 1)
    memory = [_peak_bytes(runs[name]) / 1e6 for name in ("small", "large")]
    meaning = "1 x: time in proportion" if is_work else "1 x: the same time"
    return Row(
        f"{what}: {small:,} to {large:,}",
        seconds["large"] * 1e3,
        "ms",
        ratio,
        f"{small:,} ({seconds['small'] * 1e3:.1f} ms)",
        f"memory {memory[0]:.2f} to {memory[1]:.2f} MB; {meaning}",
    )


def _peak_bytes(run: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    print(json.dumps(_resnet_alone(sys.argv[1])))
