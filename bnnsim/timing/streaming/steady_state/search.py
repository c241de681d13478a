"""The search for a repetition, frame by frame."""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.steady_state.comparison import Comparison
from bnnsim.timing.streaming.steady_state.proof import Proof, Repetition
from bnnsim.timing.streaming.steady_state.snapshot import Snapshot, restore_snapshot

BOUND_PERIODS = (1, 2, 4, 8)
"""Periods after which a bound is looked at, as far as that is half of what was simulated before."""
BOUND_AHEAD_FRAMES = 64
"""Frames that a bound may need more than the machine to have one frame done everywhere."""


class Search:
    """Looks for a repetition, frame by frame.

    Each snapshot is compared with the one before, and with one kept for longer, which is replaced
    whenever as many frames again have gone by: that finds any period, at the latest in twice the time.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.comparison = Comparison(machine)
        self.frames = 0
        self._now = self._before = self._kept = Snapshot(0, machine.snapshot(0))
        self._next_bound = 0
        self._outside: tuple[int, ...] = ()  # of the repetition that no bound bore out

    def next_frame(self, most_frames: int) -> bool:
        """Run until every unit has done one frame more, starting none behind ``most_frames``.

        False where that cannot be.
        """
        if self.frames >= most_frames or not _complete(self.machine, self.frames + 1, most_frames):
            return False
        self.frames += 1
        self._before = self._now
        self._now = Snapshot(self.frames, self.machine.snapshot(self.frames))
        if self._before.frames >= 2 * self._kept.frames:
            self._kept = self._before
        return True

    def proof(self, complete: bool = False) -> Proof | None:
        """A proof that ends with the latest frame, or None where there is none yet.

        If ``complete``, only one of the whole snapshot.
        """
        for state in (self._before, self._kept)[: 1 + (self._kept is not self._before)]:
            found = self.comparison.repetition(self.machine, state, self._now)
            if found is None or (complete and not found.is_complete):
                continue
            if not found.unproven:
                return Proof(found, state, self._now)
            if self.frames >= self._next_bound or found.others != self._outside:
                proof = self._bounded_proof(found, state)
                if proof is not None:
                    return proof
                self._next_bound, self._outside = 2 * self.frames, found.others
        return None

    def _bounded_proof(self, found: Repetition, before: Snapshot) -> Proof | None:
        """A proof with bounds in place of flushing pipelines, or None where they do not bear it out.

        A bound is some cycles later than its pipeline from the start, so that it may take several periods
        until it is no later than the period says.
        """
        bounded = restore_snapshot(self.machine, self._now, found.unproven)
        for periods in BOUND_PERIODS:
            end = self._now.frames + periods * found.period_frames
            if periods > 1 and 2 * end > 3 * self._now.frames:
                return None
            if not _complete(bounded, end, end + BOUND_AHEAD_FRAMES):
                return None
            proof = Proof(found, before, self._now, bounded, Snapshot(end, bounded.snapshot(end)))
            if self._holds_bounded(proof, bounded):
                return proof
        return None

    def _holds_bounded(self, proof: Proof, bounded: Machine) -> bool:
        assert proof.bounded_end is not None
        unproven = proof.repetition.unproven
        again = self.comparison.repetition(bounded, proof.now, proof.bounded_end, unproven)
        return again is not None and not again.unproven and again.cycles == proof.stride.cycles

    def holds(self, proof: Proof, machine: Machine, bounded: Machine | None) -> bool:
        """Whether a proof holds for the run that ended as these copies of its machines did."""
        if bounded is not None:
            return self._holds_bounded(proof, bounded)
        again = self.comparison.repetition(machine, proof.before, proof.now)
        return again is not None and not again.unproven


def _complete(machine: Machine, frames: int, most_frames: int) -> bool:
    """Run until every unit has done ``frames`` frames, starting none behind ``most_frames``.

    Units run ahead of each other no further than it takes. False where they are stuck.
    """
    machine.run_to(max(machine.frame_limit, frames))
    while min(machine.frames_done, machine.ended_frames) < frames:
        if machine.frame_limit >= most_frames:
            return False
        if machine.frame_limit - frames + 2 > machine.snapshots:
            machine.keep_more_snapshots()
        reached = machine.progress
        machine.run_to(machine.frame_limit + 1)
        if machine.progress == reached:
            return False  # no unit waits for a frame to begin
    return True
