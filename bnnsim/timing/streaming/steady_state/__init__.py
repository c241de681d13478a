"""The steady state: the interval between frames, proven and not guessed (docs/steady-state.md).

``api`` is the way in, ``record`` what comes out. ``search`` solves a graph frame by frame, takes a
``snapshot`` after each, and looks by ``comparison`` with earlier ones for a ``proof``; ``watch`` looks at
what waits then.
"""
