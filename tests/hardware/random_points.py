"""Points of shipped spaces drawn at random, each as Verilog in its bench."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Mvau
from bnnsim.rtl.simulators import BenchResult, Simulator, build_bench, found_simulator, run_bench
from bnnsim.search.points.point_design import point_design
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.space.alternatives import Alternatives, load_search_space
from bnnsim.search.space.space import Space
from bnnsim.simulation import RunOptions
from bnnsim.spec.faults import SpecError
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.result import DeadlockError
from tests.hardware.benches import write_benched

ICARUS_WORK = 400_000
"""Cycles times streams up to which Icarus, which needs no compiler, is done before Verilator is built."""
LANES_A_STREAM = 8
"""Lanes of MVAUs that are as much work as a stream."""


@dataclass(frozen=True)
class Outcome:
    """A design in its bench: undisturbed, and with pauses at both ends; None where it deadlocks."""

    what: str
    exact: BenchResult | None
    paused: BenchResult | None

    @property
    def is_equal(self) -> bool:
        both = (self.exact, self.paused)
        return all(result.is_equal for result in both if result is not None)


def random_points(space_name: str, seed: int) -> Iterator[tuple[str, Design]]:
    """Points of a shipped space of pipelines, without end; those that cannot be built are passed over."""
    draw = random.Random(seed)
    space = load_search_space(space_name)
    members: list[Space] = list(space.members.values()) if isinstance(space, Alternatives) else [space]
    while True:
        member = draw.choice(members)
        encoding = RawEncoding(member)
        place = {name: draw.randrange(size) for name, size in encoding.sizes.items()}
        knobs = encoding.describe(place)
        try:
            design = point_design(member, knobs)
        except SpecError:
            continue
        if isinstance(design, Design):
            yield f"{space_name} {knobs}", design


def bench_work(design: Design, frames: int) -> int | None:
    """Cycles times streams of ``frames`` frames; None where the design deadlocks."""
    try:
        cycles = run_compiled(build_timing(design.graph), frames).result.cycles_total
    except DeadlockError:
        return None
    mvaus = [u.parameters for u in design.graph.units if isinstance(u.parameters, Mvau)]
    return cycles * (len(design.graph.streams) + sum(p.pe * p.simd for p in mvaus) // LANES_A_STREAM)


def check_design(what: str, design: Design, frames: int, seed: int) -> Outcome:
    """``frames`` frames of ``design`` with weights of ``seed`` in a bench."""
    work = bench_work(design, frames)
    if work is None:
        return Outcome(what, None, None)
    is_short = work <= ICARUS_WORK or not found_simulator("verilator")
    simulator: Simulator = "icarus" if is_short else "verilator"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "design"
        write_benched(design, None, RunOptions(frames=frames, weights_seed=seed), folder)
        build_bench(folder, simulator)
        exact = run_bench(folder, simulator)
        paused = run_bench(folder, simulator, ("+gaps", "+pressure", f"+seed={seed + 1}"))
    return Outcome(what, exact, paused)
