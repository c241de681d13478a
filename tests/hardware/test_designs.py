"""Whole designs as Verilog: every word, the cycle of its writing and the cycle of its reading."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bnnsim.cli.app import run as command
from bnnsim.importers.bnn_pynq.network import import_bnn_pynq
from bnnsim.rtl.simulators import Simulator, build_bench, run_bench
from bnnsim.simulation import RunOptions, load_streaming_design
from tests.golden.networks import trained
from tests.hardware.benches import assert_equal, needs, run, write_benched
from tests.unit.importers.bnn_pynq.parameter_folders import write_trained

DEER_SCORES = [234, 231, 265, 248, 410, 257, 224, 262, 226, 233]
"""Printed by the notebooks of Xilinx/BNN-PYNQ on a PYNQ-Z1."""


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_digits_in_hardware_equal_the_simulation(simulator: Simulator, tmp_path: Path) -> None:
    needs(simulator)
    design, data = load_streaming_design("digits-7z020", "digits")
    simulation = write_benched(design, data, RunOptions(frames=8), tmp_path)
    result = run(tmp_path, simulator)
    assert_equal(result)
    assert (result.cycles, result.words) == (simulation.cycles_total, 5872)


def test_words_stay_right_when_both_ends_pause_at_random(tmp_path: Path) -> None:
    needs("icarus")
    design, data = load_streaming_design("digits-7z020", "digits")
    simulation = write_benched(design, data, RunOptions(frames=4), tmp_path)
    build_bench(tmp_path, "icarus")
    for seed in (1, 2, 3):
        result = run_bench(tmp_path, "icarus", ("+gaps", "+pressure", f"+seed={seed}"))
        assert result.is_equal
        assert not result.checks_cycles
        assert result.cycles > simulation.cycles_total


def test_a_fault_in_the_library_is_told_with_stream_word_and_cycle(tmp_path: Path) -> None:
    needs("icarus")
    design, data = load_streaming_design("digits-7z020", "digits")
    write_benched(design, data, RunOptions(frames=1), tmp_path)
    file = tmp_path / "rtl" / "threshold_levels.v"
    file.write_text(file.read_text().replace("a >= b", "a > b"))
    result = run(tmp_path, "icarus")
    assert not result.is_equal
    first = "stream conv1.mvau->pool1.widen, word 2 written in cycle 279: expected 91d0, got 9180"
    assert result.differences[0] == first


@pytest.mark.long
def test_cnv_in_hardware_gives_the_scores_of_the_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The third column of the published table: 274,187 cycles for three frames."""
    needs("verilator")
    golden = np.load(trained("cnvW1A1_cifar10.npz"))
    folder = write_trained(tmp_path / "cnvW1A1", trained("cnvW1A1_cifar10.npz"))
    imported = import_bnn_pynq(folder, "cnv", tmp_path / "network")
    deer = [str(name) for name in golden["image_names"]].index("deer.jpg")
    images, out = tmp_path / "deer.npz", tmp_path / "out"
    np.savez(images, images_u8=golden["images_u8"][[deer] * 3])
    asked = ["rtl", "pynq-cnv", str(imported.workload_path), "--images", str(images), "--frames", "3"]
    assert command([*asked, "--out", str(out)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    counts = "37 units, 36 streams, 135,249 words, 274,187 cycles"
    assert re.search(rf"verified Verilog: {counts}, Verilator \S+: 0 differences; words equal", said)
    results = (out / "sim" / "streams" / "fc2_mvau_to_sink.hex").read_text().split()
    lanes = [int(word, 16) >> 16 * lane & 0xFFFF for word in results for lane in range(4)]
    assert [lanes[64 * frame :][:10] for frame in range(3)] == [DEER_SCORES] * 3
