"""Random engine programs for hypothesis."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from bnnsim.design.engine.program import (
    Beside,
    EngineProgram,
    LayerProgram,
    Op,
    Repeat,
    ResolvedLoop,
    Transfer,
    Work,
)

PORTS = ("ddr", "dma")
DOUBLE = {"w": True, "a": True, "s": False, "o": True}
WHATS = ("weights", "activations", "image", "shortcut")

works = st.builds(
    Work,
    unit=st.sampled_from(["array", "stage"]),
    kind=st.sampled_from(["compute", "stage", "overhead"]),
    cycles=st.integers(0, 12),
)


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    buffer = draw(st.sampled_from(sorted(DOUBLE)))
    direction = draw(st.sampled_from(["load", "store"]))
    what = draw(st.sampled_from(WHATS))
    return Transfer(
        payload=what if direction == "load" else "results",
        direction=direction,  # type: ignore[arg-type]
        buffer=buffer,
        port=draw(st.sampled_from(PORTS)),
        words=draw(st.integers(1, 12)),
        burst_words=draw(st.integers(1, 6)),
        latency_cycles=draw(st.integers(0, 4)),
        interval=draw(st.integers(1, 2)),
        double=DOUBLE[buffer],
    )


def _branch(unit: str) -> st.SearchStrategy[tuple[Op, ...]]:
    return st.lists(works, min_size=1, max_size=3).map(
        lambda branch: tuple(replace(work, unit=unit) for work in branch)
    )


besides = st.tuples(_branch("array"), _branch("stage"), _branch("")).map(Beside)


def _repeat(children: st.SearchStrategy[tuple[Op, ...]]) -> st.SearchStrategy[tuple[Op, ...]]:
    repeats = st.builds(
        lambda trips, body: Repeat((ResolvedLoop("", trips, 0, trips),), body),
        st.integers(0, 3),
        children,
    )
    return st.lists(works | transfers() | besides | repeats, min_size=1, max_size=5).map(tuple)


op_lists = st.recursive(
    st.lists(works | transfers() | besides, min_size=1, max_size=6).map(tuple),
    _repeat,
    max_leaves=6,
)


@st.composite
def engine_programs(draw: st.DrawFn) -> EngineProgram:
    bodies = draw(st.lists(op_lists, min_size=1, max_size=4))
    parts = tuple(
        LayerProgram(f"layer{i}", (f"layer{i}",), "array", ops, {}) for i, ops in enumerate(bodies)
    )
    return EngineProgram(parts, ("array",), ("stage",), tuple(sorted(DOUBLE)), PORTS, False)
