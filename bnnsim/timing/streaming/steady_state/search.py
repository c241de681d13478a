"""The search for a repetition, frame by frame."""

from __future__ import annotations

from bnnsim.timing.streaming.solver.bounded import with_bounds
from bnnsim.timing.streaming.solver.solver import Solver, UnsettledError
from bnnsim.timing.streaming.steady_state.comparison import Comparison
from bnnsim.timing.streaming.steady_state.proof import Proof, Repetition
from bnnsim.timing.streaming.steady_state.snapshot import take_snapshot

BOUND_PERIODS = 8
"""Periods after which a bound is given up, or earlier where that is half of what was solved before."""

LEAST_BOUND_WORK, LAST_BOUND_WORK = 1 << 20, 1 << 29
"""What a bound may take, in words, beyond what frames have taken so far, and where no more frames are to
come. Bounds that turn often take some thirty times as long as the pipelines that they stand for; frames
may settle sooner by themselves."""


class Search:
    """Looks for a repetition, frame by frame.

    Each snapshot is compared with the one before, and with one kept for longer, which is replaced
    whenever as many frames again have gone by: that finds any period, at the latest in twice the time.
    """

    def __init__(self, solver: Solver) -> None:
        """Solves the first frame."""
        self.solver = solver
        solver.next_window(1)
        self.comparison = Comparison(solver)
        self._now = self._before = self._kept = take_snapshot(solver)
        self._next_bound = 0
        self._outside: tuple[int, ...] = ()  # of the repetition that no bound bore out
        self._bound_work = 0

    def next_frame(self) -> bool:
        """Solve a frame more of the sources; False where nothing moves any more."""
        if not self.solver.next_window(self.solver.source_frames + 1):
            return False
        self._before = self._now
        self._now = take_snapshot(self.solver)
        if self._before.frames >= 2 * self._kept.frames:
            self._kept = self._before
        return True

    def proof(self, complete: bool = False, is_last: bool = False) -> Proof | None:
        """A proof that ends with the latest frame, or None where there is none yet.

        If ``complete``, only one of the whole snapshot. ``is_last``: no more frames are to come.
        """
        for state in (self._before, self._kept)[: 1 + (self._kept is not self._before)]:
            found = self.comparison.repetition(self.solver, state, self._now)
            if found is None or (complete and not found.is_complete):
                continue
            if not found.unproven:
                return Proof(found, state, self._now)
            is_other = found.others != self._outside and self._bound_work <= self.solver.work
            if self._now.frames >= self._next_bound or is_other or is_last:
                proof = self._bounded_proof(found, is_last)
                if proof is not None:
                    return proof
                self._next_bound, self._outside = 2 * self._now.frames, found.others
        return None

    def _bounded_proof(self, found: Repetition, is_last: bool) -> Proof | None:
        """A proof with bounds in place of flushing pipelines, or None where they do not bear it out.

        A bound is some cycles later than its pipeline from the start, so that it may take several periods
        until it is no later than the period says.
        """
        bounded = with_bounds(self.solver, found.unproven)
        bounded.work = 0
        bounded.most_work = LEAST_BOUND_WORK + max(0, self.solver.work - self._bound_work)
        if is_last:
            bounded.most_work = max(bounded.most_work, LAST_BOUND_WORK)
        try:
            return self._borne_out(found, bounded)
        except UnsettledError:
            return None
        finally:
            self._bound_work += bounded.work

    def _borne_out(self, found: Repetition, bounded: Solver) -> Proof | None:
        now = self._now
        for periods in range(1, 1 + BOUND_PERIODS):
            end = self._now.frames + periods * found.period_frames
            if end > bounded.most_frames or (periods > 1 and 2 * end > 3 * self._now.frames):
                return None
            if not bounded.advance(end):
                return None
            before, now = now, take_snapshot(bounded)
            proof = Proof(found, before, now, bounded, self._now.window)
            if self._holds_bounded(proof, bounded):
                return proof
        return None

    def _holds_bounded(self, proof: Proof, bounded: Solver) -> bool:
        again = self.comparison.repetition(bounded, proof.before, proof.now, proof.since)
        return again is not None and not again.unproven and again.cycles == proof.repetition.cycles

    def holds(self, proof: Proof, ended: Solver) -> bool:
        """Whether a proof holds for the run that ended as this copy of its solver did."""
        if proof.bounded is not None:
            return self._holds_bounded(proof, ended)
        again = self.comparison.repetition(ended, proof.before, proof.now)
        return again is not None and not again.unproven
