"""Pages of runs that leave something open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bnnsim.evaluation import assess
from bnnsim.report.streaming import page, recording
from bnnsim.report.streaming.page import gather, streaming_page
from bnnsim.simulation import simulate

from .small_design import small_design, write_specs


def test_an_unknown_interval_is_said_with_its_reason(tmp_path: Path) -> None:
    design = small_design(tmp_path)
    simulation = simulate(*write_specs(tmp_path), timing_only=True, executor="simpy")
    unknown = replace(
        simulation,
        initiation_interval_cycles=None,
        period_frames=None,
        period_cycles=None,
        initiation_interval_basis="not steady after 9 frames <yet>",
    )
    text = streaming_page(gather(design, assess(design, unknown)))
    answer = text[text.index('<section id="answer">') : text.index('<section class="figure"')]
    assert "not steady after 9 frames &lt;yet&gt;" in answer
    assert '<span class="big">– <small>frames/s</small>' in answer
    assert "NaN" not in text


def test_a_recording_cut_short_says_so_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = small_design(tmp_path)
    simulation = simulate(*write_specs(tmp_path), timing_only=True, executor="simpy")

    def short(design: object, frames: int) -> recording.Recording:
        return recording.record(design, frames, max_events=300)  # type: ignore[arg-type]

    monkeypatch.setattr(page, "record", short)
    text = streaming_page(gather(design, assess(design, simulation)))
    assert "cycles; there the recording ended" in text
    assert "not recorded" in text


def test_names_from_files_are_text_in_the_page(tmp_path: Path) -> None:
    design = small_design(tmp_path)
    simulation = simulate(*write_specs(tmp_path), timing_only=True, executor="simpy")
    named = replace(simulation, arch="<script>alert(1)</script>")
    text = streaming_page(gather(design, assess(design, named)))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; × small" in text
