"""What an architecture may say of units' starts, windows' lanes, both ends and the platform."""

from pathlib import Path

import pytest

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_streaming_design
from bnnsim.simulation import RunOptions, TimingOnly, simulate, simulate_design
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

TFC = """
name: tfc
source: a test
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {units: hls, pipeline: flushing, fifo_words: 8, converters: rtl}
frame_source: {width_bits: 8, inter_frame_gap_steps: 0}
layers:
  fc0: {pe: 16, simd: 49}
  fc1: {pe: 8, simd: 8}
  fc2: {pe: 8, simd: 8}
  fc3: {pe: 10, simd: 8, accumulator_bits: 8}
"""


def built(tmp_path: Path, old: str = "", new: str = "", text: str = TFC, workload: str = "tfc"):
    assert old in text
    file = tmp_path / "a.yaml"
    file.write_text(text.replace(old, new, 1))
    return build_streaming_design(load_architecture(file), load_workload(workload))


def run(design, frames=1):
    return simulate_design(design, TimingOnly(), RunOptions(frames=frames, timing_only=True))


def test_a_source_of_bursts_pays_their_start_once_for_all_their_frames(tmp_path):
    """finn-examples' TFC: 98 beats a frame, bursts of 16 frames, 102.7 cycles a frame on a board.

    The 75 steps of a burst's start were chosen by this number: it shows that the words suffice to say it,
    and validates nothing.
    """
    burst = "inter_frame_gap_steps: 0, burst_frames: 16, burst_start_steps: 75"
    plain, bursts = (
        run(built(tmp_path)),
        run(built(tmp_path, "inter_frame_gap_steps: 0", burst)),
    )
    assert plain.initiation_interval_cycles == 98
    assert bursts.initiation_interval_cycles == pytest.approx(102.7, rel=0.01)
    assert bursts.cycles_total == plain.cycles_total + 75


def test_a_slow_sink_sets_the_pace(tmp_path):
    slow = "frame_sink: {steps_a_word: 150, inter_frame_gap_steps: 7}\nlayers:"
    assert run(built(tmp_path, "layers:", slow)).initiation_interval_cycles == 157


def test_units_that_start_anew_take_their_restart_with_every_frame(tmp_path):
    """fc1 folds 64 times; it restarts in 8 steps."""
    wide = TFC.replace("width_bits: 8, inter", "width_bits: 49, inter")
    assert run(built(tmp_path, text=wide)).initiation_interval_cycles == 64
    restarts = built(tmp_path, "converters: rtl", "converters: rtl, restart_steps: 8", text=wide)
    assert run(restarts).initiation_interval_cycles == 72


def test_a_platform_is_data(tmp_path):
    none = estimate_resources(built(tmp_path, "layers:", "platform: none\nlayers:"))
    own = "platform: {name: mine, source: a report, lut: 1000, lutram: 20, ff: 500, bram18: 2}\nlayers:"
    mine = estimate_resources(built(tmp_path, "layers:", own))
    assert (none.by_name["platform"].lut, none.by_name["platform"].ff) == (0, 0)
    assert mine.total.lut - none.total.lut == 1020
    assert mine.total.bram18 - none.total.bram18 == 2
    zynq = estimate_resources(built(tmp_path)).by_name["platform"]
    assert (zynq.lut, zynq.ff) == (4336, 5336)


def test_a_core_out_of_context_has_no_dmas(tmp_path):
    alone = estimate_resources(built(tmp_path, "layers:", "platform: out-of-context\nlayers:")).by_name
    with_dmas = estimate_resources(built(tmp_path, "layers:", "platform: none\nlayers:")).by_name
    assert [alone[name].lut for name in ("source", "sink", "platform")] == [0, 0, 0]
    assert min(with_dmas[name].lut for name in ("source", "sink")) > 900
    assert alone["fc1.mvau"] == with_dmas["fc1.mvau"]


def test_sums_that_are_declared_wider_than_they_must_be_are_built(tmp_path):
    """64 signs sum to -64 to 64, eight bits; each of 8 PEs keeps 24 more in a sum of 32."""
    said = ("units: hls", "units: hls, sum_bits: 32")
    plain, wide = (built(tmp_path, "units: hls", one) for one in said)
    needed, declared = (estimate_resources(one).by_name["fc1.mvau"] for one in (plain, wide))
    assert declared.ff - needed.ff >= 8 * 24
    assert declared.lut - needed.lut >= 8 * 24
    assert run(plain).initiation_interval_cycles == run(wide).initiation_interval_cycles


def test_first_layer_products_go_to_dsps_or_luts_as_asked(tmp_path):
    text = """
name: first
source: a test
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {units: hls, pipeline: flushing, fifo_words: 64, sliding_window: rtl, products: PRODUCTS}
layers:
  conv0: {pe: 1, simd: 27, simd_window: 1}
  conv1: {pe: 8, simd: 72, simd_window: 8}
  conv2: {pe: 2, simd: 72, simd_window: 2}
  conv3: {pe: 4, simd: 72, simd_window: 2}
  conv4: {pe: 1, simd: 32, simd_window: 1}
  conv5: {pe: 1, simd: 32}
  fc0: {pe: 1, simd: 4}
  fc1: {pe: 1, simd: 4}
  fc2: {pe: 1, simd: 1}
"""
    dsps = {
        choice: estimate_resources(built(tmp_path, "PRODUCTS", choice, text, "cnv")).by_name["conv0.mvau"]
        for choice in ("auto", "dsp", "lut")
    }
    assert [dsps[choice].dsp for choice in ("auto", "dsp", "lut")] == [27, 27, 0]
    assert dsps["lut"].lut > dsps["dsp"].lut
    design = built(tmp_path, "PRODUCTS", "auto", text, "cnv")
    converters = [u.name for u in design.graph.units if u.name.startswith("conv1.")]
    assert converters == ["conv1.widen", "conv1.window", "conv1.widen2", "conv1.mvau"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "fc1: {pe: 8, simd: 8}",
            "fc1: {pe: 8, simd: 8, simd_window: 2}",
            r"layers.fc1.simd_window: expected no simd_window: a linear has no sliding window, got 2",
        ),
        (
            "units: hls, pipeline: flushing, fifo_words: 8, converters: rtl",
            "units: own, fifo_words: 8, restart_steps: 8",
            r"defaults.restart_steps: expected no restart_steps: own units have their own, got 8",
        ),
        (
            "units: hls, pipeline: flushing, fifo_words: 8, converters: rtl",
            "units: own, fifo_words: 8, weight_queue_words: 8",
            r"weight_queue_words: expected no weight_queue_words: own units have their own, got 8",
        ),
        ("layers:", "platform: {name: mine}\nlayers:", r"platform.*source"),
        ("layers:", "platform: pink-2019\nlayers:", r"platform"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, old, new, message):
    with pytest.raises(SpecError, match=message):
        built(tmp_path, old, new)


PADDED = Workload.model_validate(
    {
        "name": "padded",
        "input": {"shape": [8, 5, 5], "type": "uint2"},
        "layers": [
            {"name": "a", "op": "conv", "out": 4, "kernel": 3, "pad": 1, "weight": "int2"},
            {"name": "b", "op": "conv", "out": 4, "kernel": 1, "weight": "int2"},
        ],
    }
)


def padded(**more):
    layers = {"a": {"pe": 1, "simd": 2, **more}, "b": {"pe": 1, "simd": 1}}
    head = {"name": "p", "source": "a test", "style": "streaming", "device": "xc7z020", "clock_mhz": 100}
    return StreamingArchitecture.model_validate({**head, "layers": layers})


def test_a_border_has_lanes_of_its_own():
    design = build_streaming_design(padded(simd_pad=8), PADDED)
    units = design.graph.unit_by_name
    assert (units["a.pad"].parameters.lanes, units["a.window"].parameters.lanes) == (8, 2)
    assert simulate(padded(simd_pad=8), PADDED, frames=2, weights_seed=1).bit_exact
    parts = {part.name: part.amounts for part in estimate_resources(design).by_name["a.pad"].parts}
    assert parts["border"].ff == 2 * 8 * 2  # the word that comes in and the one that goes out


def test_lanes_of_a_border_divide_its_channels_and_need_a_border():
    with pytest.raises(SpecError, match=r"layers.a.simd_pad: expected a divisor of 8, got 3"):
        build_streaming_design(padded(simd_pad=3), PADDED)
    spec = padded().model_dump(exclude_none=True, exclude_unset=True)
    spec["layers"]["b"]["simd_pad"] = 2
    with pytest.raises(SpecError, match=r"layers.b.simd_pad: expected no simd_pad: b has no border"):
        build_streaming_design(StreamingArchitecture.model_validate(spec), PADDED)
