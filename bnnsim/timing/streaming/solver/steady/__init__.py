"""The interval between frames by a periodic schedule: a proof without simulating frames.

``certificate`` is the way in: it looks for a period with which all units can go on for ever, and for a
``circuit`` of words that wait for each other, which no schedule can beat. Where both are the same,
that is the interval. ``layout`` and ``kernels`` compute it (docs/timing-solver.md says why it is
right).
"""
