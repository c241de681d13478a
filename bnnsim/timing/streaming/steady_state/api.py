"""The steady state of a timing graph."""

from __future__ import annotations

from bnnsim.timing.bottleneck import Circuit
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.solver.ended_run import deadlock, end_run, latency_cycles
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.solver.steady.certificate import certify
from bnnsim.timing.streaming.steady_state.deep_fifos import have_room
from bnnsim.timing.streaming.steady_state.proof import Proof
from bnnsim.timing.streaming.steady_state.record import SteadyState
from bnnsim.timing.streaming.steady_state.search import Search

MAX_FRAMES = 4096
"""Frames within which a proof is looked for unless said otherwise."""
RUN_AHEAD_FRAMES = 256
"""Frames that the first units may be ahead of the last besides, in FIFOs that hold many small frames."""


SWEPT_WORDS = 1 << 22
"""Words a frame beyond which frames are solved: a schedule takes dozens of sweeps over all of them."""
FIRST_FRAMES, FIRST_WORDS = 3, 1 << 21
"""Frames that are solved before a schedule is looked for, and words a frame from which on: these few
take half as long as a schedule (ResNet-18 at 224 x 224), and foldings whose slowest unit is fed at its
pace repeat from the first frame on. Of smaller frames a schedule is found sooner."""


def steady_state(graph: TimingGraph, *, fast: bool = False, max_frames: int = MAX_FRAMES) -> SteadyState:
    """The steady state of ``graph``, looked for within ``max_frames`` frames at the sinks.

    ``fast`` looks for a schedule that repeats too: the same interval and latency from a frame or two,
    but no warm-up, and the period may be another with the same interval. Where frames are large a few
    of them are solved sooner.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where the pipeline gets stuck.
    """
    words = frame_words(graph)
    is_swept = fast and words <= SWEPT_WORDS
    if is_swept and words < FIRST_WORDS:
        circuit = certify(graph)
        if circuit is not None:
            return _certified(circuit, latency_cycles(graph))
        is_swept = False
    most_frames = most_frames_to_run(max_frames)
    is_large = words >= FIRST_WORDS and max_frames >= FIRST_FRAMES
    # The first frames take less memory where FIFOs are so deep that only later ones could fill them.
    solver = Solver(graph, FIRST_FRAMES + 1 if is_large else most_frames)
    is_all = solver.take_on(most_frames)
    search = Search(solver)
    latency = end_run(solver, 1).cycles_total
    if is_large:
        proof = _proof_within(search, max_frames, FIRST_FRAMES, is_all)
        if proof is not None and (is_all or _holds_later(search, proof)):
            return proven(search, proof, latency)
        circuit = certify(graph) if is_swept else None
        if circuit is not None:
            return _certified(circuit, latency)
    return settle(search if is_all else Search(Solver(graph, most_frames)), latency, max_frames)


def _holds_later(search: Search, proof: Proof) -> bool:
    """Whether no FIFO that is full only later makes another pace of one that frames seem to have."""
    found = proof.repetition
    return found.period_frames == 1 and have_room(search.solver, found.cycles, found.first)


def frame_words(graph: TimingGraph) -> int:
    """Reads and writes of a frame in all units."""
    return sum(unit.program.words_in + unit.program.words_out for unit in graph.units)


def _certified(circuit: Circuit, latency_cycles: int) -> SteadyState:
    """The record of a schedule that no other can beat, as ``circuit`` takes as long."""
    interval = circuit.ratio
    frames = "frame" if interval.denominator == 1 else f"{interval.denominator} frames"
    return SteadyState(
        period_frames=interval.denominator,
        period_cycles=interval.numerator,
        latency_cycles=latency_cycles,
        argument="schedule repeats",
        warm_up_frames=None,
        frames_simulated=1,
        reason=f"a schedule repeats with every {frames}, and {circuit.short_way} takes as long",
    )


def most_frames_to_run(max_frames: int) -> int:
    """Frames that a search within ``max_frames`` may begin: the first units run ahead of the last."""
    return 2 * max_frames + RUN_AHEAD_FRAMES


def settle(search: Search, latency_cycles: int, max_frames: int) -> SteadyState:
    """Go on with a search from wherever it is, until there is a proof or ``max_frames`` have ended.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where the pipeline gets stuck.
    """
    solver = search.solver
    proof = _proof_within(search, max_frames)
    if proof is not None:
        return proven(search, proof, latency_cycles)
    reason = search.comparison.obstacle or (
        f"within {max_frames} frames no state came again and no bottleneck was saturated"
    )
    return SteadyState(None, None, latency_cycles, "not proven", None, solver.source_frames, reason)


def _proof_within(
    search: Search, max_frames: int, most_begun: int | None = None, may_saturate: bool = True
) -> Proof | None:
    """The proof that is found until ``max_frames`` have ended, or ``most_begun`` were begun, from where a
    search is. It is one of the whole state unless it ``may_saturate``."""
    solver = search.solver
    most_frames = min(solver.most_frames, most_begun or solver.most_frames)
    while True:
        proof = search.proof(complete=not may_saturate)
        if proof is not None:
            return proof
        if solver.ended_frames >= max_frames or solver.source_frames >= most_frames:
            return search.proof(is_last=True) if most_begun is None else None
        if not search.next_frame():
            raise deadlock(solver)


def proven(search: Search, proof: Proof, latency_cycles: int) -> SteadyState:
    """The record of a proof that ends with the frames that ``search`` has come to."""
    found, solver = proof.repetition, search.solver
    return SteadyState(
        period_frames=found.period_frames,
        period_cycles=found.cycles,
        latency_cycles=latency_cycles,
        argument=proof.argument,
        warm_up_frames=found.first,
        frames_simulated=(proof.bounded or solver).source_frames,
        reason=proof.reason(solver.graph),
    )
