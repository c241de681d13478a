"""What is proven of a pipeline: that all later periods are like one that was simulated, and why.

Why it holds for ever is in docs/steady-state.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state.record import Argument
from bnnsim.timing.streaming.steady_state.snapshot import Snapshot


@dataclass(frozen=True)
class Repetition:
    """What frames ``first`` to ``last``, as many as the period, did in ``cycles`` cycles will go on so.

    ``is_complete`` where the snapshot repeats as a whole; else ``others`` are the positions of the units
    outside the even set, and ``unproven`` those of them that are not monotone.
    """

    first: int
    last: int
    cycles: int
    is_complete: bool
    others: tuple[int, ...]
    unproven: tuple[int, ...]

    @property
    def period_frames(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class Proof:
    """A repetition that goes on for ever, and the snapshots that it lies between.

    Where it took bounds for flushing pipelines, ``bounded`` is the solver that has them, and the
    snapshots are its own; it has them from window ``since`` on.
    """

    repetition: Repetition
    before: Snapshot
    now: Snapshot
    bounded: Solver | None = None
    since: int | None = None

    @property
    def argument(self) -> Argument:
        """What it rests on."""
        return "bottleneck saturated" if self.repetition.others else "state repeats"

    def reason(self, graph: TimingGraph) -> str:
        """The proof in a sentence."""
        found = self.repetition
        frames = "frame" if found.period_frames == 1 else f"{found.period_frames} frames"
        if not found.others:
            return f"the state repeats with every {frames} after frame {found.first}"
        names = [graph.units[number].name for number in found.others]
        named = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        return (
            f"saturated after frame {found.first}: what still changes "
            f"({len(names)} {'unit' if len(names) == 1 else 'units'}: {named}) can never hold it up again"
        )
