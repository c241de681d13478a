"""Verilog against the simulation, many times: single units, whole networks. Every one must be equal."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from time import process_time

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from bnnsim.design.design import Design
from bnnsim.simulation import RunOptions
from bnnsim.timing.streaming.result import DeadlockError
from tests.benchmarks.row import Row
from tests.hardware.benches import run, write_benched
from tests.hardware.drawn.kinds import KINDS
from tests.hardware.unit_bench import make_case, run_cases
from tests.property.networks import designs
from tests.property.test_residual_designs import residual_designs

UNITS_A_KIND = 40
UNITS_A_BENCH = 20
NETWORKS, RESIDUAL_NETWORKS = 150, 50
NETWORKS_A_SEED = 10
FRAMES = 3
SEED = 7


def measure() -> list[Row]:
    """Counts of words, cycles and differences; Icarus Verilog is needed."""
    start = process_time()
    units = _units()
    networks = _networks(designs(), NETWORKS) + _networks(residual_designs(), RESIDUAL_NETWORKS)
    rows = []
    for what, count in (("units", units), ("networks", networks)):
        assert count["different"] == 0, count
        note = f"{count['words']:,} words, {count['cycles']:,} cycles, {count['locked up']} locked up"
        rows.append(Row(f"{what} equal to the simulation", count["equal"], what, note=note))
    rows.append(Row("CPU of the simulation's side", process_time() - start, "s"))
    return rows


def _units() -> Counter[str]:
    count: Counter[str] = Counter()
    for kind, draw in KINDS.items():
        for first in range(0, UNITS_A_KIND, UNITS_A_BENCH):
            cases = []
            for number in range(first, first + UNITS_A_BENCH):
                random = Random(f"{kind}.{SEED}.{number}")
                cases.append(make_case(f"{kind}{number}", draw(random), random))
            with tempfile.TemporaryDirectory() as name:
                differences = run_cases(cases, Path(name) / "bench")
            count["different"] += len(differences)
            count["equal"] += len(cases)
            count["cycles"] += sum(case.cycles for case in cases)
            count["words"] += sum(len(golden.words) for case in cases for golden in case.golden)
    return count


def _networks(drawn: SearchStrategy[Design], examples: int) -> Counter[str]:
    """``examples`` designs from several seeds: one seed's are much alike."""
    count: Counter[str] = Counter()
    for number in range(examples // NETWORKS_A_SEED):
        count += _networks_of_a_seed(drawn, SEED + number)
    return count


def _networks_of_a_seed(drawn: SearchStrategy[Design], number: int) -> Counter[str]:
    count: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=NETWORKS_A_SEED,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def compare(design: Design) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            options = RunOptions(frames=FRAMES, weights_seed=count["equal"])
            try:
                simulation = write_benched(design, None, options, folder)
            except DeadlockError:
                count["locked up"] += 1
                return
            result = run(folder, "icarus")
        is_equal = result.is_equal and result.cycles == simulation.cycles_total
        count["equal" if is_equal else "different"] += 1
        count["words"] += result.words
        count["cycles"] += result.cycles

    compare()
    return count
