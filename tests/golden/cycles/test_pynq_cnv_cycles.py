"""The shipped ``pynq-cnv`` x ``cnv`` design against the cycles of BNN-PYNQ's CNV W1A1 on its boards.

Boards: the notebooks that Xilinx/BNN-PYNQ ships print, for one CIFAR-10 frame, 1581 us on PYNQ-Z1
(100 MHz: 158,100 cycles, timer +/- 100) and 527 us on Ultra96 (300 MHz), and for three frames 2742 us
on PYNQ-Z1 (274,200 cycles). The exact numbers were computed for the same design (folding and FIFO
depths from its config.h and top.cpp) by two clock-by-clock programs, independently of this package.
"""

from __future__ import annotations

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import TimingResult

CYCLES = {1: 157_971, 3: 274_187}
BOARD_CYCLES = {1: 158_100, 3: 274_200}


@pytest.fixture(scope="module")
def graph() -> TimingGraph:
    design = build_streaming_design(load_architecture("pynq-cnv"), load_workload("cnv"))
    return build_timing(design.graph)


@pytest.fixture(scope="module")
def runs(graph: TimingGraph) -> dict[int, TimingResult]:
    return {frames: run_simpy(graph, frames) for frames in CYCLES}


@pytest.mark.parametrize("frames", CYCLES)
def test_frames_take_the_cycles_that_the_rules_give(runs: dict[int, TimingResult], frames: int) -> None:
    assert runs[frames].cycles_total == CYCLES[frames]


@pytest.mark.parametrize("frames", CYCLES)
def test_frames_take_the_cycles_measured_on_the_board_to_a_thousandth(
    runs: dict[int, TimingResult], frames: int
) -> None:
    """129 cycles below the board for one frame, 13 for three; its timer is good to about 100."""
    assert runs[frames].cycles_total == pytest.approx(BOARD_CYCLES[frames], rel=1e-3)


def test_frames_follow_each_other_in_the_cycles_of_the_slowest_fold(
    runs: dict[int, TimingResult],
) -> None:
    """fc1: 64 synapse folds x 512 neuron folds; the first frame meets an empty pipeline."""
    first, second, third = runs[3].frame_end_cycles
    assert third == CYCLES[3] - 1
    assert second - first == 64 * 512
