"""The engine executors agree with each other on random programs, and keep the laws of time."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.design.engine.program import EngineProgram, LayerProgram, Op, Repeat, Transfer
from bnnsim.timing.engine.account import frame_cycles
from bnnsim.timing.engine.compiled import run_engine_compiled
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.engine.steady_state import (
    interval_below,
    least_interval,
    longest_interval,
    steady_interval,
)
from bnnsim.timing.engine.tables import TableBuilder
from tests.property.engine.programs import engine_programs


@settings(max_examples=300)
@given(engine_programs(), st.integers(1, 3))
def test_compiled_and_simpy_executors_agree_in_every_number(program: EngineProgram, frames: int) -> None:
    assert run_engine_compiled(program, frames) == run_engine_simpy(program, frames)


def test_any_number_of_transfers_in_sequence_has_its_own_account() -> None:
    """A hundred buffers, one of them double."""
    ops: list[Op] = [Transfer("weights", "load", "ahead", "ddr", 900, 16, 3, 1, True)]
    for number in range(100):
        ops.append(Transfer("weights", "load", f"b{number}", "ddr", 5 + number, 16, 3, 1, False))
    parts = (LayerProgram("one", ("one",), "", tuple(ops), {}),)
    program = EngineProgram(parts, (), (), tuple(op.buffer for op in ops), ("ddr",), False)
    assert run_engine_compiled(program, 3) == run_engine_simpy(program, 3)


@settings(max_examples=100)
@given(engine_programs())
def test_latency_is_that_of_a_frame_that_no_other_follows(program: EngineProgram) -> None:
    assert steady_interval(program)[1] == run_engine_simpy(program, 1).cycles_total


@settings(max_examples=60)
@given(engine_programs(), st.integers(0, 100))
def test_order_of_process_creation_changes_nothing(program: EngineProgram, seed: int) -> None:
    def shuffled(agents: list[int]) -> list[int]:
        return random.Random(seed).sample(agents, len(agents))

    assert run_engine_simpy(program, 2, shuffled) == run_engine_simpy(program, 2)


@settings(max_examples=100)
@given(engine_programs())
def test_parts_add_up_to_the_run_and_units_account_for_every_cycle(program: EngineProgram) -> None:
    timing = run_engine_simpy(program, 2)
    assert sum(part.cycles for part in timing.parts) == timing.cycles_total
    for unit in timing.units:
        assert unit.busy + unit.stalled + unit.idle == timing.cycles_total


@settings(max_examples=100)
@given(engine_programs())
def test_double_buffers_never_make_a_frame_slower(program: EngineProgram) -> None:
    assert run_engine_compiled(program, 1).cycles_total <= frame_cycles(program)


@settings(max_examples=100)
@given(engine_programs(), st.integers(1, 3))
def test_without_double_buffers_a_run_is_the_sum_of_its_loop_nest(
    program: EngineProgram, frames: int
) -> None:
    single = replace(program, parts=tuple(_single(part) for part in program.parts))
    assert run_engine_simpy(single, frames).cycles_total == frames * frame_cycles(program)


def _single(part: LayerProgram) -> LayerProgram:
    def ops(given_ops: tuple[Op, ...]) -> tuple[Op, ...]:
        return tuple(
            replace(op, double=False)
            if isinstance(op, Transfer)
            else replace(op, body=ops(op.body))
            if isinstance(op, Repeat)
            else op
            for op in given_ops
        )

    return replace(part, ops=ops(part.ops))


@settings(max_examples=200)
@given(engine_programs(), st.integers(0, 400))
def test_no_gap_is_shorter_than_what_one_resource_does_and_limits_only_end_a_run_sooner(
    program: EngineProgram, limit: int
) -> None:
    longest = longest_interval(program)
    assert least_interval(program) <= longest
    below = interval_below(program, limit, TableBuilder())
    assert below == (longest if longest < limit else None)
    assert interval_below(program, longest + 1, TableBuilder()) == longest
