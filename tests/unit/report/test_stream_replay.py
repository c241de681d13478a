"""Handshakes rebuilt from a FIFO's history."""

from __future__ import annotations

from bnnsim.report.streaming.unit_states import State
from bnnsim.report.waveform.stream_signals import NEVER, StreamReplay

IDLE, INPUT, OUTPUT = State.IDLE, State.STALLED_ON_INPUT, State.STALLED_ON_OUTPUT


def test_a_word_passes_in_where_valid_and_ready_and_out_a_cycle_later() -> None:
    replay = StreamReplay(2, iter([(3, 7)]), iter([4]))
    assert replay.next_cycle() == 3
    wires, passed = replay.at(3, IDLE, IDLE)
    assert (wires.in_valid, wires.in_ready, wires.in_data, passed) == (True, True, 7, True)
    assert (wires.out_valid, wires.level_words) == (False, 0)
    wires, passed = replay.at(4, IDLE, IDLE)
    assert (wires.out_valid, wires.out_ready, wires.out_data, passed) == (True, True, 7, True)
    assert wires.level_words == 1
    assert replay.next_cycle() == NEVER


def test_a_blocked_writer_offers_the_word_that_it_will_write() -> None:
    replay = StreamReplay(1, iter([(0, 5), (9, 6)]), iter([8]))
    replay.at(0, IDLE, IDLE)
    wires, passed = replay.at(1, OUTPUT, IDLE)
    assert (wires.in_valid, wires.in_ready, wires.in_data, passed) == (True, False, 6, False)


def test_a_starved_reader_is_ready_while_nothing_is_valid() -> None:
    replay = StreamReplay(1, iter([(5, 1)]), iter([6]))
    wires, _ = replay.at(0, IDLE, INPUT)
    assert (wires.out_valid, wires.out_ready) == (False, True)


def test_a_writer_held_up_by_another_port_offers_nothing_here() -> None:
    replay = StreamReplay(2, iter([(5, 1)]), iter([6]))
    wires, _ = replay.at(0, OUTPUT, IDLE)
    assert (wires.in_valid, wires.in_ready) == (False, True)
