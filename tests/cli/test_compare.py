"""``bnnsim compare``: differences found, numbers those of ``simulate``."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.cli.console import output
from bnnsim.evaluation import evaluate
from bnnsim.report.comparison.comparison import Quantity, comparison_info, parse_designs
from bnnsim.report.comparison.page import comparison_html
from bnnsim.spec.faults import InputError
from bnnsim.validation.certainty import leaders
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
    assert header.split() == ["quantity", "±", "narrow", "wide"]


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
    everybody = [True] * 3
    assert leaders((3, 1, 2), False, 0, everybody) == {1}
    assert leaders((3, 1, 3), True, 0, everybody) == {0, 2}
    assert leaders((None, 2), False, 0, everybody) == frozenset()


def test_what_is_within_the_models_error_is_a_tie_and_what_does_not_fit_leads_nobody() -> None:
    everybody = [True] * 3
    assert leaders((100, 95, 50), True, 0.06, everybody) == {0, 1}
    assert leaders((100, 95, 50), True, 0.04, everybody) == {0}
    assert leaders((100, 95, 900), True, 0.06, [True, True, False]) == {0, 1}
    assert leaders((100, 95), True, 0, [True, False]) == frozenset()
    tied = Quantity("power", "W", "lower", (2.0, 2.006), "", 0.057, (0, 1))
    assert tied.is_tie
    assert tied.best == frozenset()


def test_a_design_beyond_its_device_is_never_the_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """BinaryNet's 1,024-wide layers unrolled: many times the LUTs of the part, and the fastest by far."""
    for name, pe in (("small", 4), ("huge", 1024)):
        arch = f"name: {name}\nsource: made\nstyle: streaming\ndevice: xc7z020\nclock_mhz: 100\nlayers:\n"
        rows = [f"  fc{i}: {{pe: {pe if i < 3 else 10}, simd: {64 if i else 16}}}" for i in range(4)]
        (tmp_path / f"{name}.yaml").write_text(arch + "\n".join(rows))
    designs = [f"{tmp_path / name}.yaml:mlp-1024" for name in ("small", "huge")]
    info = comparison_info(parse_designs(designs, None))
    assert info.feasible == (True, False)
    assert "LUT" in info.obstacles[1]
    assert all(1 not in quantity.leaders for quantity in info.quantities)
    assert run(["compare", *designs]) == 0
    assert "not feasible: huge: LUT" in capsys.readouterr().out
    assert Quantity("power", "W", "lower", (4, 2)).ratio(1) == 0.5


def test_names_from_specs_are_text_in_the_page(designs: tuple[str, str, str]) -> None:
    info = comparison_info(parse_designs(designs[:2], designs[2]))
    assert "<h1>narrow against wide</h1>" in comparison_html(info)


def test_one_design_or_none_without_workload_is_refused() -> None:
    with pytest.raises(InputError, match="compare: expected two or more designs, got 1"):
        parse_designs(["a"], "w")
    with pytest.raises(InputError, match="compare: expected ARCH:WORKLOAD, or --workload for all"):
        parse_designs(["a:w", "b"], None)


def test_neither_a_faster_nor_a_slower_clock_is_best(designs: tuple[str, str, str]) -> None:
    info = comparison_info(parse_designs(designs[:2], designs[2]))
    (clock,) = [quantity for quantity in info.quantities if quantity.name == "clock"]
    assert clock.values == (100, 125)
    assert clock.best == frozenset()


def test_power_and_energy_name_their_basis_and_activity(
    designs: tuple[str, str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    info = comparison_info(parse_designs(designs[:2], designs[2]))
    basis = "chip; activity of random data at this rate"
    assert {q.name for q in info.quantities if q.basis == basis} == {"power", "energy a frame"}
    assert comparison_html(info).count(f'<small class="muted">{basis}</small>') == 2
    monkeypatch.setattr(output, "width", 160)
    assert run(["compare", *designs[:2], "--workload", designs[2]]) == 0
    assert "power [W] (chip; activity of random data" in " ".join(capsys.readouterr().out.split())


def test_an_engine_stands_beside_a_pipeline_with_its_costs() -> None:
    info = comparison_info(parse_designs(["digits-7z020:digits", "acce-bnn:binarynet"], None))
    by_name = {(q.name, q.unit): q.values for q in info.quantities}
    engine = evaluate("acce-bnn", "binarynet", timing_only=True)
    assert by_name["LUT", "pieces"][1] == engine.resources.total.lut
    assert by_name["power", "W"][1] == engine.power_w
    assert by_name["energy a frame", "µJ"][1] == engine.energy_per_frame_uj
    assert by_name["latency", "cycles"][1] == engine.simulation.latency_cycles
    assert info.limiting == ("conv0.window", "port dma")
    assert any(entry.key == "style" for entry in info.differences)


def test_a_resource_that_a_device_lacks_is_open_and_never_the_best() -> None:
    info = comparison_info(parse_designs(["fp-bnn:binarynet-streaming", "digits-7z020:digits"], None))
    by_name = {q.name: q for q in info.quantities}
    assert by_name["LUT"].values[0] is None and by_name["LUT"].best == frozenset()
    assert by_name["ALM"].values[1] is None and by_name["ALM"].best == frozenset()
    assert None not in by_name["FF"].values


MANY = ["digits-7z020:digits", "pynq-cnv:cnv", "acce-bnn:binarynet", "fracbnn:fracbnn-cifar10"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The page and the terminal's text of four designs, two of them engines with long programs."""
    target = tmp_path_factory.mktemp("many") / "c.html"
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert run(["compare", *MANY, "--out", str(target)]) == 0
    return target, printed.getvalue()


def test_no_entry_of_a_program_is_shown_as_a_structure(many: tuple[Path, str]) -> None:
    page, printed = many
    text = page.read_text()
    assert "{'" not in text and "{&#x27;" not in text and "{'" not in printed


def test_the_terminal_stops_after_forty_entries_and_says_how_many_follow(
    many: tuple[Path, str],
) -> None:
    first = many[1].partition("What it does to each number")[0]
    entries = [line for line in first.splitlines() if "." in line.split("  ")[0]]
    assert len(first.splitlines()) < 100
    assert 20 < len(entries) <= 80
    assert re.search(r"… and \d+ more: --json or --out has all of them", first)
    assert first.index("clock_mhz") < first.index("layers.")


@pytest.mark.parametrize("width", WIDTHS)
def test_many_designs_fit_the_window_and_keep_the_first_column_in_sight(
    many: tuple[Path, str], width: int
) -> None:
    with opened(many[0], width) as page:
        assert page.complaints() == []
        assert page.run("return document.documentElement.scrollWidth") <= width
        wide = "return Math.max(...[...document.querySelectorAll('table')].map(t => t.offsetWidth))"
        assert page.run(wide) <= max(width, 900)
        left = """const table = document.querySelector('#differences .table');
            table.scrollLeft = 10000;
            const cell = table.querySelector('tbody td');
            return cell.getBoundingClientRect().left - table.getBoundingClientRect().left;"""
        assert page.run(left) == pytest.approx(0, abs=1)


def test_the_csv_has_every_entry_of_every_design(many: tuple[Path, str]) -> None:
    with opened(many[0], 1400) as page:
        page.press("button.csv[data-figure=differences]")
        lines = page.run("return bnnsim.lastCsv").splitlines()
    info = comparison_info(parse_designs(MANY, None))
    assert len(lines) - 1 == len(info.differences) > len(info.parts)
