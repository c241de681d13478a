"""A first folding: legal, fast enough, within the budget, or a sentence that says what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bnnsim import evaluate
from bnnsim.cli.app import run
from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_streaming_design
from bnnsim.search.fifos import sizing, trials
from bnnsim.search.fifos.bound import bound_depths
from bnnsim.search.fold.fold import fold, rate_text
from bnnsim.search.fold.request import FoldObjective
from bnnsim.simulation import simulate
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.library import find_spec
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.steady_state.api import steady_state
from bnnsim.timing.streaming.steady_state.record import SteadyState

MLP = """\
name: mlp
input: {shape: [784], type: bipolar}
layers:
  - {name: fc0, op: linear, out: 64, activation: bipolar}
  - {name: fc1, op: linear, out: 64, activation: bipolar}
  - {name: fc2, op: linear, out: 64, activation: bipolar}
  - {name: fc3, op: linear, out: 10}
"""
TINY = """\
name: tiny
input: {shape: [3], type: bipolar}
layers:
  - {name: fc0, op: linear, out: 4, activation: bipolar}
"""


def _written(text: str, name: str, folder: Path) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("fps", [500, 20_000, 200_000])
def test_folded_network_loads_and_reaches_its_rate(fps, tmp_path):
    path = _written(fold("tfc", "xc7z020", fps).text(), "tfc", tmp_path)
    design = build_streaming_design(load_architecture(path), load_workload("tfc"))
    ends = run_simpy(build_timing(design.graph), 8).frame_end_cycles
    assert ends[-1] - ends[-2] <= 100e6 / fps
    assert estimate_resources(design).fits


@pytest.mark.parametrize("fps", [50, pytest.param(300, marks=pytest.mark.by_hand), 3000])
def test_slow_rates_of_a_large_network_fit_since_faster_designs_do(fps):
    found = fold("cnv", "xc7z020", fps).folded
    assert found.fps >= fps
    assert found.resources.fits


_WIDE_ROWS = """\
name: wide
input: {shape: [3, 64, 64], type: uint8}
layers:
  - {name: conv, op: conv, out: 2, kernel: 3, pad: 1, activation: bipolar}
  - {name: scores, op: linear, out: 10}
"""


def test_a_low_rate_does_not_take_a_multiple_of_what_the_fastest_design_takes(tmp_path):
    """FINN's estimate likes one lane best, ours not: a row of 8,192 words is multiplexed."""
    path = _written(_WIDE_ROWS, "wide", tmp_path)
    fastest = fold(path, "xc7z020").folded.resources.total
    for fps in (50, 500, 1500):
        assert fold(path, "xc7z020", fps).folded.resources.total.lut <= 1.5 * fastest.lut


def test_fastest_design_is_no_slower_and_no_larger_than_one_at_its_rate(tmp_path):
    path = _written(MLP, "mlp", tmp_path)
    fastest = fold(path, "xc7z020").folded
    again = fold(path, "xc7z020", 4_700_000).folded
    assert fastest.interval_cycles == again.interval_cycles == 21  # a word of 784 bits, 20 steps between
    assert fastest.resources.total.lut == again.resources.total.lut <= 23_352


@pytest.mark.parametrize("fps", [None, 4_761_000, 4_761_904.7])
def test_a_rate_that_is_reached_without_it_is_reached_with_it(fps, tmp_path):
    assert fold(_written(TINY, "tiny", tmp_path), "xc7z020", fps).folded.interval_cycles == 21


def test_network_is_not_unrolled_beyond_its_source(tmp_path):
    text = MLP.replace("[784]", "[1, 28, 28]")  # one bit a word: 784 words and 20 steps between frames
    fastest = fold(_written(text, "map", tmp_path), "xc7z020").folded
    assert (fastest.interval_cycles, fastest.slowest) == (804, "source")
    around = (fastest.resources.by_name[name].lut for name in ("platform", "source", "sink"))
    assert fastest.resources.total.lut - sum(around) <= 7630 - 6255
    at_rate = fold(tmp_path / "map.yaml", "xc7z020", 124_000).folded
    assert at_rate.resources.total == fastest.resources.total


ODD = """\
name: odd
input: {shape: [1, 12, 12], type: uint8}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, activation: bipolar}
  - {name: pool0, op: max_pool, kernel: 2}
  - {name: conv1, op: conv, out: 4, kernel: 3, activation: bipolar}
  - {name: pool1, op: max_pool, kernel: 2, stride: 2}
  - {name: fc0, op: linear, out: 3}
"""


def test_an_odd_map_in_front_of_a_pool_loses_its_last_row(tmp_path):
    odd = _written(ODD.replace("[1, 12, 12]", "[1, 11, 12]"), "odd", tmp_path)  # 9 x 10, pooled 4 x 5
    found = fold(odd, "xc7z020", 1000).folded
    pool = found.design.graph.unit_by_name["pool0.pool"].parameters
    assert (pool.words_out, pool.channel_fold) == (20 * pool.channel_fold, 4 // pool.lanes)
    assert found.resources.fits


@pytest.mark.parametrize(("workload", "fps"), [("mlp-1024", 400_000), ("cnv", 12_255), ("tfc", 1e9)])
def test_a_refusal_names_a_rate_that_then_works(workload, fps):
    with pytest.raises(InputError, match=r"\(nearest: [0-9.]+ FPS fits\)") as refused:
        fold(workload, "xc7z020", fps)
    found = re.search(r"nearest: ([0-9.]+) FPS", str(refused.value))
    assert found is not None
    nearest = float(found[1])
    assert nearest < fps
    assert fold(workload, "xc7z020", nearest).folded.fps >= nearest


@pytest.mark.parametrize("clock_mhz", [100.0, 133.3, 0.7, 2000.0])
@pytest.mark.parametrize("cycles", [1, 21, 804, 8160, 16_384, 1_234_567])
def test_a_rate_in_words_means_the_same_cycles_when_it_is_read(clock_mhz, cycles):
    text = rate_text(clock_mhz, cycles)
    assert int(clock_mhz * 1e6 / float(text)) == cycles
    assert float(text) <= clock_mhz * 1e6 / cycles * (1 + 1e-12)


def test_rate_beyond_every_folding_is_refused_with_what_bars_it():
    match = r"^--fps: expected at most 4,761,900 FPS .*\(the frame source takes 21 cycles .*1,000,000,000"
    with pytest.raises(InputError, match=match):
        fold("tfc", "xc7z020", 1e9)


def test_network_too_fast_for_the_device_names_the_resource_and_what_fits():
    match = r"within the device's budget, got lut: .* too many at least .*FPS fit"
    with pytest.raises(InputError, match=match):
        fold("mlp-1024", "xc7z020", 400_000, units="own")


def test_words_that_hls_cannot_build_bar_a_rate_and_are_named():
    """1,024 x 1,024 weights of a bit, at most 4,096 a cycle where a word has at most 8,191 bits."""
    match = r"at most 390,625 FPS at 100 MHz \(fc1 takes 256 cycles .*; HLS builds .* 8,191 bits"
    with pytest.raises(InputError, match=match):
        fold("mlp-1024", "xc7z020", 400_000)


def test_what_does_not_fit_is_written_anyway_with_the_reason(tmp_path, capsys):
    out = tmp_path / "a.yaml"
    options = ["--device", "xc7z020", "--fps", "400000", "--units", "own", "--out", str(out)]
    assert run(["fold", "mlp-1024", *options]) == 2
    assert not out.exists()
    assert run(["fold", "mlp-1024", *options, "--anyway"]) == 0
    printed = capsys.readouterr().out
    assert "written anyway: 400,000 FPS on xc7z020: expected a folding within the device's" in printed
    design = build_streaming_design(load_architecture(out), load_workload("mlp-1024"))
    assert not estimate_resources(design).fits


def test_objectives_make_small_what_they_name():
    names: tuple[FoldObjective, ...] = ("lut", "bram18", "power")
    lut, bram, power = (fold("tfc", "xczu3eg", 20_000, objective=name) for name in names)
    assert lut.folded.resources.total.lut < bram.folded.resources.total.lut
    assert bram.folded.resources.total.bram18 < lut.folded.resources.total.bram18
    assert power.power_w <= min(lut.power_w, bram.power_w)


def test_which_part_is_a_table_and_the_smallest_is_written(tmp_path, capsys):
    out = tmp_path / "a.yaml"
    names = "xczu9eg,xc7z020,5sgsd8"
    assert run(["fold", "tfc", "--devices", names, "--fps", "1000", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert load_architecture(out).spec.device == "xc7z020"
    assert re.search(r"^smallest +xc7z020$", printed, re.M)
    assert re.search(r"^cheapest +not said: no prices with a source", printed, re.M)
    assert "ALM" in printed
    assert run(["fold", "cnv", "--devices", "xc7z020", "--fps", "1e6"]) == 2
    assert "a part that holds the network at that rate, got xc7z020" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--out", "a.yaml"], "--device: expected one of --device and --devices, got neither"),
        (["--device", "xc7z020", "--devices", "all"], "got both"),
        (["--device", "xc7z020"], "--out: expected the file to write, got none"),
    ],
)
def test_options_that_do_not_go_together(options, match, capsys):
    assert run(["fold", "tfc", *options]) == 2
    assert match in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fps", "clock", "match"),
    [
        (0, 100, "^--fps: expected a number above 0, got 0"),
        (float("inf"), 100, "^--fps: expected a number above 0, got inf"),
        (10, 0, "^--clock-mhz: expected above 0, to 2000 MHz, got 0"),
        (10, float("nan"), "^--clock-mhz: "),
    ],
)
def test_rates_and_clocks_that_are_none(fps, clock, match):
    with pytest.raises(InputError, match=match):
        fold("tfc", "xc7z020", fps, clock_mhz=clock)


def test_unknown_device_is_refused_with_its_near_miss():
    with pytest.raises(SpecError, match="xc7z020"):
        fold("tfc", "xc7z02", 1000)


_FIXED = """\
name: net
input: {shape: [3, 8, 8], type: bipolar}
layers:
  - {name: conv, op: conv, out: 8, kernel: 3, activation: bipolar}
  - {name: conv.pool, op: average_pool, kernel: global}
  - {name: conv.scores, op: fixed_linear, out: 4}
"""


@pytest.mark.parametrize("fps", [None, 1000])
def test_layer_that_has_no_streaming_unit_is_named_in_the_user_s_file(fps, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(_FIXED)
    match = r"net\.yaml:6: layers\.conv\.scores: expected a layer that a streaming unit runs"
    with pytest.raises(SpecError, match=match) as caught:
        fold(path, "xc7z020", fps)
    assert "<" not in str(caught.value)


def test_a_device_file_is_the_device_that_is_folded_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may be a shipped one's, which is another device."""
    monkeypatch.chdir(tmp_path)
    text = find_spec("xc7z020", "device").read_text(encoding="utf-8")
    Path("small.yaml").write_text(text.replace("lut: 53200", "lut: 5000"), encoding="utf-8")
    with pytest.raises(InputError, match="lut"):
        fold("tfc", "small.yaml", fps=300_000)
    assert "device: xc7z020\n" in fold("tfc", "xc7z020", fps=300_000).text()
    with pytest.raises(InputError, match="--device: expected a shipped device, or the name of a file in"):
        fold("tfc", str(tmp_path / "small.yaml"), fps=1000)


_SHORTCUT = """\
name: shortcut
input: {shape: [16, 32, 32], type: bipolar}
layers:
  - {name: conv1, op: conv, out: 16, kernel: 3, pad: 1}
  - {name: sum1, op: add, inputs: [conv1, input]}
  - {name: sign1, op: threshold, activation: bipolar}
  - {name: conv2, op: conv, out: 16, kernel: 3, pad: 1}
  - {name: sum2, op: add, inputs: [conv2, sum1]}
  - {name: scores, op: linear, out: 10}
"""


def test_a_shortcut_waits_for_the_reach_of_the_window_beside_it_and_not_for_a_frame(tmp_path):
    """A 3 x 3 window on rows of 34 shows its first pixel after 2 x 34 + 3; two rows more are slack."""
    found = fold(_written(_SHORTCUT, "shortcut", tmp_path), "xc7z020", 10_000).folded
    streams = found.design.graph.stream_by_name
    waiting = {name: s for name, s in streams.items() if name.endswith(("->sum1.add", "->sum2.add"))}
    pixels = {name: s.depth_words * s.lanes / 16 for name, s in waiting.items()}
    assert sum(s.depth_words == 2 for s in waiting.values()) == 2  # the main branches
    assert all(reach <= 4 * 34 + 3 for reach in pixels.values()), pixels
    fifos = [unit for unit in found.resources.units if unit.kind == "fifo"]
    assert sum(fifo.amounts.bram18 for fifo in fifos) <= 6


@pytest.mark.long
@pytest.mark.parametrize("workload", ["birealnet-18", "reactnet-a", "binarydensenet-28"])
def test_a_network_of_imagenet_s_size_is_sized_once_and_keeps_what_it_says(
    workload: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paced: list[int] = []
    timed: list[int | None] = []

    def run_at_pace(graph: TimingGraph, interval_cycles: int, frames: int) -> dict[str, int]:
        paced.append(interval_cycles)
        return bound_depths(graph, interval_cycles, frames)

    def timing_of(*given: Any, **options: Any) -> SteadyState:
        found = steady_state(*given, **options)
        timed.append(found.initiation_interval_cycles)
        return found

    monkeypatch.setattr(sizing, "bound_depths", run_at_pace)
    monkeypatch.setattr(trials, "steady_state", timing_of)
    answer = fold(workload, "xcu250")
    assert not answer.folded.resources.exceeded
    assert len(paced) == 1 and timed[0] == answer.rate_cycles and len(timed) <= 3
    saved = answer.save(tmp_path / "arch.yaml")
    evaluated = evaluate(saved, workload, timing_only=True)
    assert evaluated.initiation_interval_cycles == answer.folded.interval_cycles
    assert evaluated.feasible


ATTENTION = """\
name: attention
input: {shape: [8, 12, 1], type: bipolar}
layers:
  - {name: queries, op: conv, out: 8, kernel: 1, activation: bipolar}
  - {name: keys, op: conv, out: 8, kernel: 1, activation: bipolar, inputs: [input]}
  - {name: values, op: conv, out: 8, kernel: 1, activation: bipolar, inputs: [input]}
  - {name: scores, op: matmul, transposed: true, heads: 2, inputs: [queries, keys]}
  - {name: chosen, op: threshold, activation: uint1}
  - {name: mixed, op: matmul, heads: 2, inputs: [chosen, values]}
"""


@pytest.mark.parametrize("units", ["hls", "rtl", "own"])
@pytest.mark.parametrize("cycles", [100, 1200])
def test_an_attention_block_is_folded_and_bit_exact(units, cycles, tmp_path):
    """12 tokens, 2 heads of 4 features: 12 x 12 x 4 x 2 products, twice."""
    workload = _written(ATTENTION, "attention", tmp_path)
    answer = fold(workload, "xc7z020", 1e8 / cycles, units=units)
    found = simulate(answer.architecture, load_workload(workload).spec, frames=3, weights_seed=2)
    assert found.bit_exact
    assert found.initiation_interval_cycles <= cycles
    lanes = [answer.architecture.layers[name] for name in ("scores", "mixed")]
    assert all(one.pe * one.simd * cycles >= 12 * 12 * 4 * 2 for one in lanes)
