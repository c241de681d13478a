"""Tables of validate, compare and a second opinion at 80 columns: names shrink, figures stay whole."""

from __future__ import annotations

import re

import pytest

from bnnsim.cli.console import output
from bnnsim.cli.look.compare import _show
from bnnsim.cli.simulate.synthesis import show_synthesis
from bnnsim.cost.second_opinion import SynthesisedUnit, SynthesisReport
from bnnsim.report.comparison.comparison import ComparisonInfo
from bnnsim.report.comparison.spec_differences import Difference


def _printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_width", 80)


def _comparison(*rows: tuple[str | None, ...]) -> ComparisonInfo:
    names = tuple(f"design-of-some-length-{i}" for i in range(len(rows[0])))
    parts = tuple(
        Difference(f"workload.layers.block{i}.convolution_with_a_long_name.accumulator_bits", row)
        for i, row in enumerate(rows)
    )
    nothing = ("",) * len(names)
    return ComparisonInfo(
        names, parts, parts, (), nothing, (True,) * len(names), nothing, nothing, ((),) * len(names)
    )


@pytest.mark.parametrize("designs", [2, 3, 5])
def test_the_specs_entries_take_a_line_each_and_numbers_stay_whole(
    capsys: pytest.CaptureFixture[str], designs: int
) -> None:
    numbers = tuple(f"{123456789012 + i}.25" for i in range(designs))
    words = tuple(f"what an architecture says of its memory, design {i}" for i in range(designs))
    _show(_comparison(numbers, words, (None,) * designs))
    lines = _printed(capsys)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert all(number in text for number in numbers)
    assert len(re.findall(r"^ work.*–", text, re.M)) == text.count("What differs in the spec")


def test_a_second_opinion_keeps_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    unit = SynthesisedUnit(
        name="stage3.block2.convolution1.mvau", kind="mvau", count=12, lut=1234567, lut_low=1000000,
        lut_high=1500000, synthesised_lut=1600001, ff=2345678, synthesised_ff=2345679, bram18=1111,
        synthesised_bram18=1112, dsp=3, synthesised_dsp=4,
    )  # fmt: skip
    show_synthesis(SynthesisReport("Yosys 0.99", "synth_xilinx -family xc7", (unit,), ("sink",)))
    lines = _printed(capsys)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert all(figure in text for figure in ("1,234,567", "1,600,001 !", "2,345,679 !"))
    assert "no room for" in text
