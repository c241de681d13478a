"""Sweeps, and what searches and sweeps over engines leave out of every figure."""

from __future__ import annotations

from pathlib import Path

import pytest

import bnnsim
from bnnsim.cli.app import run
from bnnsim.report.search.sweep import sweep_info, sweep_page
from bnnsim.search.space.alternatives import load_search_space
from bnnsim.search.sweep.knobs import Knobs, parse_knobs
from bnnsim.search.sweep.sweep import sweep
from bnnsim.spec.faults import SpecError
from tests.fuzz.pairs import PAIRS, yaml_text

LEFT_OUT = "ten scores through the 64-bit port"


def test_a_sweep_of_an_engine_says_what_is_outside_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = sweep("fbna", "binarynet-24", ["clock_mhz=100,143"])
    assert found.outside == bnnsim.simulate("fbna", "binarynet-24", timing_only=True).outside
    assert LEFT_OUT in sweep_page(sweep_info(found))
    assert run(["sweep", "fbna", "binarynet-24", "--knob", "clock_mhz=100"]) == 0
    assert LEFT_OUT in capsys.readouterr().out
    assert sweep("pynq-tfc", "tfc", ["clock_mhz=100"]).outside == ()


def test_fields_are_named_with_their_values_or_in_texts_as_the_command_has_them() -> None:
    texts = ["layers.fc1.pe=1,2", "units=hls,own"]
    named = {"layers.fc1.pe": range(1, 3), "units": ("hls", "own")}
    assert parse_knobs(named) == parse_knobs(texts)


@pytest.mark.parametrize(
    ("knobs", "got"),
    [
        ({"clock_mhz": 100}, r"'clock_mhz': 100$"),
        ({"units": "hls"}, r"'units': 'hls'$"),
        ({"clock_mhz": []}, r"'clock_mhz': \[\]$"),
        ({"clock_mhz": [100, None]}, r"'clock_mhz': \[100, None\]$"),
        ({"clock_mhz": [100, 100]}, r"each value once, got 'clock_mhz': \[100, 100\]$"),
        ({}, "one or two fields to vary, got 0"),
        ({"a": [1], "b": [1], "c": [1]}, "one or two fields to vary, got 3"),
    ],
)
def test_named_fields_without_values_are_refused(knobs: Knobs, got: str) -> None:
    with pytest.raises(SpecError, match=got):
        parse_knobs(knobs)


def test_a_space_of_engines_says_what_is_outside_of_them() -> None:
    (text,) = load_search_space("cnv-engine").outside
    assert text.startswith("results")
    both = load_search_space("cnv-streaming-or-engine")
    assert [entry.split(": ", 1)[1] for entry in both.outside] == [text]
    assert load_search_space("cnv-7z020").outside == ()


def test_a_field_with_a_long_name_cuts_no_figure(capsys: pytest.CaptureFixture[str]) -> None:
    knobs = ["arrays.array.spatial_unrolling.out_channels=8", "clock_mhz=143"]
    options = [word for knob in knobs for word in ("--knob", knob)]
    assert run(["sweep", "fbna", "binarynet-24", *options]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "428.5" in shown or "429" in shown


def test_a_sweep_whose_designs_all_lock_up_is_a_fault_of_its_knob(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The branch that is concatenated at once holds 64 words, the other needs a map's rows first."""
    arch, work = PAIRS[1]
    arch = {**arch, "defaults": {**arch["defaults"], "fifo_words": 2}}
    for name, data in (("a.yaml", arch), ("w.yaml", work)):
        (tmp_path / name).write_text(yaml_text(data))
    names = [str(tmp_path / name) for name in ("a.yaml", "w.yaml")]
    assert run(["sweep", *names, "--knob", "clock_mhz=50,100"]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "--knob clock_mhz: expected a value with which the design runs, got deadlock:" in shown
