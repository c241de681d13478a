"""FIFOs so deep that the first frames cannot fill them."""

from __future__ import annotations

import numpy as np

from bnnsim.timing.streaming.solver.solver import Solver


def have_room(solver: Solver, period_cycles: int, warm_up_frames: int) -> bool:
    """Whether FIFOs that a solver takes for endless hold all that comes if frames go on as its last one
    did, every ``period_cycles``, as they have done since ``warm_up_frames``.

    A word is read so many cycles after the same word of the frame before, and later than that if this
    frame was one of the warm-up. So where a FIFO holds k more frames than these, the word whose place a
    word takes had been read by k periods before that word is read itself; that must be before it is
    written.
    """
    channels = solver.state.channel
    for c in solver.endless_fifos.tolist():
        written, read = solver.written(c), solver.read(c)
        words = solver.graph.units[int(channels["writer"][c])].program.words_out
        if not len(written) == len(read) == words:
            return False
        place = np.arange(words) - int(channels["held"][c])  # of the words read, among those written
        came = written[place % words] + place // words * period_cycles
        frames = int(channels["depth"][c]) // words - warm_up_frames
        if not (read - frames * period_cycles < came).all():
            return False
    return True
