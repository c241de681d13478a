"""The steady state: the interval between frames, proven and not guessed (docs/steady-state.md).

``api`` is the way in, ``record`` what comes out. ``search`` runs a machine frame by frame, takes a
``snapshot`` after each, and looks by ``comparison`` with earlier ones for a ``proof``. ``retiming`` makes
a graph whose steady state shows sooner.
"""
