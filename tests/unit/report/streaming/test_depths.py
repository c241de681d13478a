"""Suggested FIFO depths keep the pace that they claim, by the SimPy executor; long networks fold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bnnsim.design.design import Design
from bnnsim.report.streaming.depths import DepthsInfo, depths_figure, depths_info
from bnnsim.report.streaming.layer_groups import MOST_UNFOLDED, layer_groups
from bnnsim.report.streaming.occupancy import occupancy_info
from bnnsim.report.streaming.pipeline import pipeline_figure, pipeline_info
from bnnsim.report.streaming.recording import record
from bnnsim.simulation import load_streaming_design, simulate
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from tests.unit.report.small_design import ARCH, write_specs


def _info(design: Design, arch: str, workload: str) -> DepthsInfo:
    simulation = simulate(arch, workload, timing_only=True)
    return depths_info(design, simulation, occupancy_info(record(design, 3)))


def _interval(design: Design, depths: dict[str, int], frames: int) -> int:
    """Cycles between the last two frames, by SimPy."""
    ends = run_simpy(build_timing(design.graph).with_depths(depths), frames).frame_end_cycles
    return ends[-1] - ends[-2]


@pytest.mark.parametrize("words", [2, 40])
def test_suggested_depths_keep_the_best_pace_by_simpy(tmp_path: Path, words: int) -> None:
    arch, workload = write_specs(tmp_path, ARCH.replace("40", str(words)))
    design, _ = load_streaming_design(arch, workload)
    info = _info(design, arch, workload)
    suggested = {row.stream: row.suggested_words for row in info.rows}
    assert info.suggested_cycles == info.unlimited_cycles == _interval(design, suggested, 12)
    own = {stream.name: stream.depth_words for stream in design.graph.streams}
    assert info.interval_cycles == _interval(design, own, 12)
    deep = dict.fromkeys(own, 10000)
    assert info.unlimited_cycles == _interval(design, deep, 12)
    if words == 40:
        assert info.suggested_bits < info.bits


def test_a_run_of_one_frame_says_what_the_frames_shown_filled() -> None:
    """A source runs ahead only once a second frame follows; the page shows three of a run of one."""
    design, _ = load_streaming_design("pynq-tfc", "tfc")
    simulation = simulate("pynq-tfc", "tfc", timing_only=True, frames=1)
    occupancy = occupancy_info(record(design, 3))
    rows = depths_info(design, simulation, occupancy).rows
    graph = build_timing(design.graph)
    held = run_simpy(graph, 3).max_occupancy_words
    named = {channel.name: words for channel, words in zip(graph.channels, held, strict=True)}
    assert [row.highest_words for row in rows] == [named[row.stream] for row in rows]
    assert all(row.highest_words == row.depth_words for row in rows if row.full_share)


def test_shipped_depths_that_cost_time_are_suggested_deeper() -> None:
    design, _ = load_streaming_design("digits-7z020", "digits")
    shallow = {stream.name: 2 for stream in design.graph.streams}
    streams = tuple(replace(stream, depth_words=2) for stream in design.graph.streams)
    design = replace(design, graph=replace(design.graph, streams=streams))
    info = _info(design, "digits-7z020", "digits")
    assert info.interval_cycles == _interval(design, shallow, 12)
    assert info.interval_cycles == 514 and info.unlimited_cycles == 356
    assert info.rows[0].added_bits > 0  # what is too shallow stands first
    assert "FIFOs cost 30.7% of the time" in depths_figure(info).note


def test_figure_says_bits_and_command() -> None:
    design, _ = load_streaming_design("digits-7z020", "digits")
    figure = depths_figure(_info(design, "digits-7z020", "digits"))
    assert "as without any limit" in figure.note
    assert "<code>bnnsim fifos digits-7z020 digits" in figure.note
    assert len(figure.csv.splitlines()) == 1 + len(design.graph.streams)


def _deep(layers: int) -> str:
    head = "name: deep\ninput: {shape: [4, 8, 8], type: bipolar}\nlayers:\n"
    convs = [
        f"  - {{name: c{n}, op: conv, out: 4, kernel: 3, pad: 1, activation: bipolar}}"
        for n in range(layers - 2)
    ]
    return "\n".join([head.rstrip(), *convs, "  - {name: pool, op: max_pool, kernel: 2}",
                      "  - {name: fc, op: linear, out: 10}"]) + "\n"  # fmt: skip


@pytest.mark.parametrize("layers", [10, 40])
def test_long_networks_fold_in_groups_open_where_the_pace_is_set(tmp_path: Path, layers: int) -> None:
    arch = "name: a\nsource: x\nstyle: streaming\ndevice: xczu9eg\nclock_mhz: 100\nlayers:\n"
    arch += "".join(f"  c{n}: {{pe: 1, simd: 4}}\n" for n in range(layers - 2))
    arch += "  fc: {pe: 1, simd: 1}\n"
    paths = write_specs(tmp_path, arch, _deep(layers))
    design, _ = load_streaming_design(*paths)
    simulation = simulate(*paths, timing_only=True)
    info = pipeline_info(design, simulation, (simulation.units[5].name,))
    named = [layer for group in info.groups for layer in group.layers]
    assert named == list(dict.fromkeys(unit.layer for unit in info.units))
    html = pipeline_figure(info).body
    if layers <= MOST_UNFOLDED:
        assert len(info.groups) == 1 and "<details" not in html
        return
    assert [group.title.split(":")[0] for group in info.groups] == ["8 × 8"] * 3 + ["4 × 4", "vectors"]
    assert html.count("<details") == 5 and html.count("<details class=\"group\" open") == 1
    assert "Unfold all" in html
    assert html.count('class="layer"') == len(named)


def test_network_of_few_layers_is_one_group() -> None:
    design, _ = load_streaming_design("pynq-cnv", "cnv")
    layers = tuple(design.network.nodes)
    assert [group.layers for group in layer_groups(design.network, layers)] == [layers]


