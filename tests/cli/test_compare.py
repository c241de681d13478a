"""``bnnsim compare``: differences found, numbers those of ``simulate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.report.comparison import Quantity, comparison_html, comparison_info, parse_designs
from bnnsim.simulation import simulate
from bnnsim.spec.faults import InputError
from tests.cli.browser import WIDTHS, opened

ARCH = """\
name: {name}
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: {clock}
layers:
  conv0: {{pe: {pe}, simd: 4}}
  fc0: {{pe: 2, simd: 8}}
"""
WORKLOAD = """\
name: small
input: {shape: [4, 6, 6], type: bipolar}
layers:
  - {name: conv0, op: conv, out: 16, kernel: 3, activation: bipolar}
  - {name: fc0, op: linear, out: 10}
"""


@pytest.fixture
def designs(tmp_path: Path) -> tuple[str, str, str]:
    (tmp_path / "a.yaml").write_text(ARCH.format(name="narrow", clock=100, pe=2))
    (tmp_path / "b.yaml").write_text(ARCH.format(name="wide", clock=125, pe=8))
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    return str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"), str(tmp_path / "w.yaml")


def test_what_differs_is_listed_and_nothing_else(designs: tuple[str, str, str]) -> None:
    info = comparison_info(parse_designs(designs[:2], designs[2]))
    assert info.names == ("narrow", "wide")
    assert {entry.key: entry.values for entry in info.differences} == {
        "clock_mhz": ("100", "125"),
        "layers.conv0.pe": ("2", "8"),
    }


def test_numbers_are_those_of_simulate(
    designs: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *designs[:2], "--workload", designs[2], "--json", "-"]) == 0
    compared = json.loads(capsys.readouterr().out)
    by_name = {(q["name"], q["unit"]): q["values"] for q in compared["quantities"]}
    for i, arch in enumerate(designs[:2]):
        target = tmp_path / "s.json"
        assert run(["simulate", arch, designs[2], "--timing-only", "--json", str(target)]) == 0
        simulated = json.loads(target.read_text())
        assert by_name["throughput", "frames/s"][i] == simulated["throughput_fps"]
        assert by_name["latency", "cycles"][i] == simulated["latency_cycles"]
        assert by_name["latency", "µs"][i] == simulated["latency_us"]


def test_the_terminal_shows_each_design_in_a_column(
    designs: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *designs[:2], "--workload", designs[2]]) == 0
    printed = capsys.readouterr().out
    assert "layers.conv0.pe" in printed
    (header, *_) = [line for line in printed.splitlines() if line.strip().startswith("quantity")]
    assert header.split() == ["quantity", "narrow", "wide"]


def test_three_designs_each_with_its_own_workload(designs: tuple[str, str, str]) -> None:
    narrow, wide, workload = designs
    given = [f"{narrow}:{workload}", f"{wide}:{workload}", "digits-7z020:digits"]
    info = comparison_info(parse_designs(given, None))
    assert info.names == ("narrow × small", "wide × small", "digits-7z020 × digits")
    assert all(len(quantity.values) == 3 for quantity in info.quantities)


def test_a_design_against_itself_differs_in_nothing(designs: tuple[str, str, str]) -> None:
    info = comparison_info(parse_designs([designs[0], designs[0]], designs[2]))
    assert info.names == ("narrow #1", "narrow #2")
    assert info.differences == ()
    assert all(quantity.best == frozenset() for quantity in info.quantities)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_offline_and_copies_its_tables(
    designs: tuple[str, str, str], tmp_path: Path, width: int
) -> None:
    target = tmp_path / "c.html"
    assert run(["compare", *designs[:2], "--workload", designs[2], "--out", str(target)]) == 0
    with opened(target, width) as page:
        assert page.complaints() == []
        assert [url for url in page.requests() if not url.endswith("c.html")] == []
        assert page.run("return document.documentElement.scrollWidth") <= width
        page.press("button.csv[data-figure=differences]")
        assert page.run("return bnnsim.lastCsv") == (
            "entry,narrow,wide\nclock_mhz,100,125\nlayers.conv0.pe,2,8\n"
        )


def test_best_is_the_lowest_or_the_highest_as_the_quantity_says() -> None:
    assert Quantity("latency", "µs", "lower", (3, 1, 2)).best == {1}
    assert Quantity("throughput", "frames/s", "higher", (3, 1, 3)).best == {0, 2}
    assert Quantity("power", "W", "lower", (None, 2)).best == frozenset()
    assert Quantity("power", "W", "lower", (4, 2)).ratio(1) == 0.5


def test_names_from_specs_are_text_in_the_page(designs: tuple[str, str, str]) -> None:
    info = comparison_info(parse_designs(designs[:2], designs[2]))
    assert "<h1>narrow against wide</h1>" in comparison_html(info)


def test_one_design_or_none_without_workload_is_refused() -> None:
    with pytest.raises(InputError, match="compare: expected two or more designs, got 1"):
        parse_designs(["a"], "w")
    with pytest.raises(InputError, match="compare: expected ARCH:WORKLOAD, or --workload for all"):
        parse_designs(["a:w", "b"], None)


def test_an_engine_stands_beside_a_pipeline_with_its_costs_left_open() -> None:
    info = comparison_info(parse_designs(["digits-7z020:digits", "acce-bnn:binarynet"], None))
    by_name = {(q.name, q.unit): q.values for q in info.quantities}
    assert by_name["LUT", "pieces"][1] is None
    assert by_name["latency", "cycles"][1] == simulate("acce-bnn", "binarynet").latency_cycles
    assert info.limiting == ("conv0.window", "fc1")
    assert any(entry.key == "style" for entry in info.differences)
