"""The front once more, by the reference: every word of a frame in SimPy, bits and cycles compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bnnsim.datapath.mismatch import BitMismatchError
from bnnsim.design.design import EngineDesign
from bnnsim.search.front.evaluator import the_evaluator
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.study.pool import Pool
from bnnsim.simulation import simulate
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.result import DeadlockError

VERIFY_WORDS = 3_000_000
"""Stream words, of all designs together, that are simulated unless more is asked for: seconds to half
a minute. The designs with the fewest words go first; the slowest are those left out. Where all have as
many, as engines for one network do, the best in each objective go first."""
MACS_A_WORD = 8_192
"""An engine's arrays execute about as many in the time that a word of a streaming design takes."""


@dataclass(frozen=True)
class Verification:
    """How far one design of the front was checked.

    ``is_exact`` is None where it was not simulated, False where bits or cycles differ; ``note`` says
    so in words. ``words`` is what a frame moves through all streams, or costs as much to
    execute on an engine.
    """

    id: str
    is_exact: bool | None
    note: str
    words: int


def verify(
    exploration: Exploration,
    pool: Pool,
    weights_seed: int,
    words: int | None = VERIFY_WORDS,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Verification, ...]:
    """Re-simulate the front bit by bit with one frame, the cheapest first, up to ``words`` in all.

    ``words`` None is no limit. Parameters are the workload's own, or drawn from ``weights_seed`` where
    it has none. Ctrl-C leaves the rest out.
    """
    if words is not None and words <= 0:
        return tuple(Verification(t.id, None, "not asked for", 0) for t in exploration.shown)
    front = list(exploration.shown)
    sizes = dict(zip([t.id for t in front], pool.map(_size, front), strict=True))
    found: dict[str, Verification] = {}
    chosen: list[TrialRecord] = []
    used = 0
    best: set[str] = set()
    if len(set(sizes.values())) == 1:
        losses = exploration.losses(front)
        best = {front[int(place)].id for place in losses.argmin(axis=0)}
    for trial in sorted(front, key=lambda t: (sizes[t.id], t.id not in best, t.number)):
        used += sizes[trial.id]
        if words is None or used <= words:
            chosen.append(trial)
        note = f"not re-simulated ({sizes[trial.id]:,} words a frame)"
        found[trial.id] = Verification(trial.id, None, note, sizes[trial.id])
    try:
        results = pool.map(_check, [(trial, weights_seed) for trial in chosen])
        for count, result in enumerate(results):
            found[result.id] = replace(result, words=sizes[result.id])
            if progress is not None:
                progress(count + 1, len(chosen))
    except KeyboardInterrupt:
        pass
    return tuple(found[trial.id] for trial in exploration.shown)


def _size(trial: TrialRecord) -> int:
    design = the_evaluator().design(trial.knobs)
    if isinstance(design, EngineDesign):
        return max(1, design.network.macs // MACS_A_WORD)
    return sum(stream.words for stream in design.graph.streams)


def _check(arguments: tuple[TrialRecord, int]) -> Verification:
    trial, seed = arguments
    evaluator = the_evaluator()
    workload = evaluator.space.member(trial.knobs).workload
    weights_seed = seed if needs_drawn_weights(workload.spec) else None
    figures = trial.result.figures
    try:
        architecture = evaluator.loaded(trial.knobs)
        run = simulate(architecture, workload, frames=1, weights_seed=weights_seed)
    except (BitMismatchError, DeadlockError) as error:
        return Verification(trial.id, False, str(error), 0)
    if run.cycles_total != figures["latency_cycles"]:
        counter = "SimPy" if run.executor == "simpy" else "a simulation"
        note = f"{run.cycles_total} cycles in {counter}, {figures['latency_cycles']:.0f} compiled"
        return Verification(trial.id, False, note, 0)
    # The search found the interval by a shorter way than a simulation takes.
    interval, searched = run.initiation_interval_cycles, figures["initiation_interval_cycles"]
    if interval is not None and interval != searched:
        note = f"{interval} cycles a frame in a simulation, {searched:.0f} in the search"
        return Verification(trial.id, False, note, 0)
    if not run.bit_exact:
        return Verification(trial.id, None, run.bit_exact_basis, 0)
    basis = "the workload's weights" if weights_seed is None else f"weights of seed {weights_seed}"
    if run.executor == "simpy":
        note = f"one frame bit-exact in SimPy ({basis}), {run.cycles_total:,} cycles in both executors"
    else:
        note = f"one frame bit-exact ({basis}), too large for SimPy: cycles by the compiled executor"
    return Verification(trial.id, True, note, 0)


def needs_drawn_weights(workload: Workload) -> bool:
    """Whether a workload comes without parameters or without frames."""
    return workload.weights is None or workload.images is None
