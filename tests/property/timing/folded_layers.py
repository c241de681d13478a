"""Random chains of folded layers: a vector is read in the first fold, and a word written in each.

Convolutions among them have a sliding window in front, which holds some rows of the map.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Run


@st.composite
def folded_layers(draw: st.DrawFn) -> TimingGraph:
    """Two to four layers, most with a flushing pipeline shorter or longer than a fold, converters where
    one writes more or fewer words than the next reads, shallow FIFOs."""
    vectors = draw(st.integers(1, 3))
    counts = draw(st.lists(st.integers(1, 8), min_size=2, max_size=4))
    source = Run(vectors * counts[0], writes=True)
    programs: list[Program] = [Lockstep((Block(1, (source,)),), 0, True)]
    words = counts[0]
    for reads in counts:
        if reads != words:
            programs += [_converter(draw, words, 1, vectors), _converter(draw, 1, reads, vectors)]
        words = draw(st.integers(1, 8))
        programs.append(_layer(draw, reads, words, vectors))
    programs.append(Lockstep((Block(1, (Run(vectors * words, reads=True),)),), 0, True))
    return _chained(draw, programs)


@st.composite
def convolutions(draw: st.DrawFn) -> TimingGraph:
    """One convolution to three with their windows, most with a flushing pipeline, shallow FIFOs."""
    rows, words = draw(st.integers(4, 8)), draw(st.integers(1, 2))
    programs: list[Program] = [Lockstep((Block(1, (Run(rows * rows * words, writes=True),)),), 0, True)]
    for _ in range(draw(st.integers(1, 3))):
        kernel = draw(st.integers(1, min(3, rows)))
        programs.append(_window(draw, rows, kernel, words))
        rows -= kernel - 1
        reads, words = kernel * kernel * words, draw(st.integers(1, 4))
        programs.append(_layer(draw, reads, words, rows * rows))
    programs.append(Lockstep((Block(1, (Run(rows * rows * words, reads=True),)),), 0, True))
    return _chained(draw, programs)


def _window(draw: st.DrawFn, rows: int, kernel: int, words: int) -> Elastic:
    """Every word of a pixel for each place in the kernel, over a square map of which so many rows, and
    perhaps one more, are held."""
    outs, held = rows - kernel + 1, min(rows, kernel + draw(st.integers(0, 1)))
    word = np.arange(words)
    y, x, ky, kx = (a[..., None] for a in np.indices((outs, outs, kernel, kernel)))
    dependence = (((y + ky) * rows + x + kx) * words + word).reshape(-1)
    last = np.zeros(rows * rows * words, np.int64)
    np.maximum.at(last, dependence, np.arange(len(dependence)))
    before = np.arange(len(last)) - held * rows * words  # whose place a word takes
    release = last[before] - (before < 0) * len(dependence)
    return Elastic(dependence, release, draw(st.integers(1, 3)))


def _chained(draw: st.DrawFn, programs: list[Program]) -> TimingGraph:
    last = len(programs) - 1
    units = tuple(
        TimingUnit(f"u{n}", program, (n - 1,) if n else (), (n,) if n < last else ())
        for n, program in enumerate(programs)
    )
    depths = [draw(st.sampled_from((1, 2, 2, 3, 8))) for _ in range(last)]
    channels = tuple(Channel(f"c{n}", depth) for n, depth in enumerate(depths))
    return TimingGraph(units, channels, (last,))


def _layer(draw: st.DrawFn, reads: int, writes: int, vectors: int) -> Lockstep:
    fold = (Run(reads - 1),) if reads > 1 else ()
    first = (Run(reads - 1, reads=True),) if reads > 1 else ()
    idle = draw(st.integers(0, 3))
    runs = (
        *first,
        Run(1, True, True),
        *((*fold, Run(1, writes=True)) * (writes - 1)),
        *((Run(idle),) if idle else ()),
    )
    return Lockstep((Block(vectors, runs),), draw(st.integers(1, 9)), draw(st.integers(0, 5)) == 0)


def _converter(draw: st.DrawFn, reads: int, writes: int, vectors: int) -> Lockstep:
    """From a word of many pieces to a word each, or back."""
    runs = (Run(1, True, True),)
    if reads > 1:
        runs = (Run(reads - 1, reads=True), *runs)
    if writes > 1:
        runs = (*runs, Run(writes - 1, writes=True))
    return Lockstep((Block(vectors, runs),), draw(st.integers(0, 2)), draw(st.booleans()))
