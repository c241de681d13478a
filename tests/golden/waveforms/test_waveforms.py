"""Waveforms and traces read back: every word, time and state is the simulation's."""

from __future__ import annotations

import itertools
import json
import re
import tracemalloc
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from bnnsim.cli.app import run
from bnnsim.report.waveform import spool
from bnnsim.report.waveform.trace import Trace, trace
from bnnsim.simulation import RunOptions, Simulation, load_streaming_design, simulate
from tests.golden.waveforms.vcd_reader import Dump, read_vcd

ARCH, WORKLOAD = "digits-7z020", "digits"
BRANCHED = """\
name: branched
input: {shape: [4, 7, 7], type: bipolar}
layers:
  - {name: conv0, op: conv, out: 8, kernel: 3, activation: bipolar}
  - {name: conv1, op: conv, out: 8, kernel: 3, pad: 1, activation: bipolar}
  - {name: both, op: concat, inputs: [conv0, conv1]}
  - {name: fc0, op: linear, out: 6}
"""
BRANCHED_ARCH = """\
name: branched-arch
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 143
defaults: DEFAULTS
layers:
  conv0: {pe: 8, simd: 4, out_fifo_words: 40}
  conv1: {pe: 8, simd: 8, out_fifo_words: 40}
  both: {out_fifo_words: 3}
  fc0: {pe: 1, simd: 16}
"""
DESIGNS = {
    "digits": None,
    "branches of RTL units": "{sliding_window: rtl, units: rtl, fifo_words: 60}",
    "branches of freezing units": "{pipeline: freezing, fifo_words: 60}",
}
MOST_BYTES = 20_000_000


class Seen:
    """An observer that remembers every word's cycle and bits."""

    def __init__(self) -> None:
        self.written: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.read: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        self.written[channel].append((cycle, word))

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        self.read[channel].append((cycle, word))

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None: ...

    def stepped(self, unit: int, cycle: int) -> None: ...


@pytest.fixture(scope="module", params=DESIGNS)
def run_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Architecture, workload and options of a bit-exact run of two frames."""
    defaults = DESIGNS[request.param]
    if defaults is None:
        return {"architecture": ARCH, "workload": WORKLOAD, "frames": 2}
    folder = tmp_path_factory.mktemp("specs")
    (folder / "a.yaml").write_text(BRANCHED_ARCH.replace("DEFAULTS", defaults))
    (folder / "w.yaml").write_text(BRANCHED)
    names = {"architecture": str(folder / "a.yaml"), "workload": str(folder / "w.yaml")}
    return {**names, "frames": 2, "weights_seed": 4}


@pytest.fixture(scope="module")
def streams(run_of: dict[str, Any]) -> tuple[str, ...]:
    design, _ = load_streaming_design(run_of["architecture"], run_of["workload"])
    return tuple(stream.name for stream in design.graph.streams)


@pytest.fixture(scope="module")
def seen(run_of: dict[str, Any]) -> tuple[Seen, Simulation]:
    observer = Seen()
    return observer, simulate(**run_of, observer=observer)


def _trace(run_of: dict[str, Any], **where: Any) -> Trace:
    options = RunOptions(frames=run_of["frames"], weights_seed=run_of.get("weights_seed"))
    return trace(run_of["architecture"], run_of["workload"], options, **where)


@pytest.fixture(scope="module")
def traced(
    run_of: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trace, Dump, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("traced")
    result = _trace(run_of, vcd=folder / "a.vcd", perfetto=folder / "a.json")
    assert sorted(path.name for path in folder.iterdir()) == ["a.json", "a.vcd"]
    return result, read_vcd(folder / "a.vcd"), json.loads((folder / "a.json").read_text())


@pytest.fixture(scope="module")
def cycles(traced: tuple[Trace, Dump, dict[str, Any]]) -> list[dict[str, str]]:
    return list(traced[1].cycles("bnnsim.clock"))


def _scopes(streams: tuple[str, ...]) -> list[tuple[int, str]]:
    return [
        (i, "bnnsim.streams." + re.sub(r"\W", "_", name.replace("->", "_to_")))
        for i, name in enumerate(streams)
    ]


def test_the_waveform_has_a_clock_edge_for_every_cycle(
    traced: tuple[Trace, Dump, dict[str, Any]], cycles: list[dict[str, str]]
) -> None:
    assert len(cycles) == traced[0].simulation.cycles_total
    assert traced[1].timescale == "1 ps"
    clock = traced[1].names["bnnsim.clock"]
    rises = [time for time, code, value in traced[1].changes if code == clock and value == "1"]
    # 100 MHz: 10,000 ps; 143 MHz: 6,993.007 ps, in even whole picoseconds 6,994
    period_ps = {100.0: 10_000, 143.0: 6_994}[traced[0].simulation.clock_mhz]
    assert rises == [cycle * period_ps for cycle in range(len(cycles))]


def test_words_pass_the_waveform_in_the_cycles_and_with_the_bits_of_the_simulation(
    streams: tuple[str, ...], seen: tuple[Seen, Simulation], cycles: list[dict[str, str]]
) -> None:
    for channel, scope in _scopes(streams):
        for side, words in (("in", seen[0].written[channel]), ("out", seen[0].read[channel])):
            passed = [
                (cycle, int(now[f"{scope}.{side}_data"], 2))
                for cycle, now in enumerate(cycles)
                if now[f"{scope}.{side}_valid"] == "1" and now[f"{scope}.{side}_ready"] == "1"
            ]
            assert passed == words, f"{scope} {side}"


def test_a_blocked_word_keeps_its_bits_until_it_passes(
    streams: tuple[str, ...], cycles: list[dict[str, str]]
) -> None:
    blocked = 0
    for _, scope in _scopes(streams):
        for now, after in itertools.pairwise(cycles):
            if now[f"{scope}.in_valid"] == "1" and now[f"{scope}.in_ready"] == "0":
                blocked += 1
                assert after[f"{scope}.in_valid"] == "1"
                assert after[f"{scope}.in_data"] == now[f"{scope}.in_data"]
    assert blocked > 0


def test_levels_count_the_words_in_and_out(
    streams: tuple[str, ...], seen: tuple[Seen, Simulation], cycles: list[dict[str, str]]
) -> None:
    for channel, scope in _scopes(streams):
        written = {cycle for cycle, _ in seen[0].written[channel]}
        read = {cycle for cycle, _ in seen[0].read[channel]}
        level = 0
        for cycle, now in enumerate(cycles):
            assert int(now[f"{scope}.level_words"], 2) == level, f"{scope} in cycle {cycle}"
            level += (cycle in written) - (cycle in read)


def test_units_spend_the_cycles_of_their_account_in_each_state(
    seen: tuple[Seen, Simulation], cycles: list[dict[str, str]]
) -> None:
    for unit in seen[1].units:
        name = "bnnsim.units." + re.sub(r"\W", "_", unit.name)
        spent = Counter(now[name] for now in cycles)
        assert spent["busy"] == unit.busy_cycles
        assert spent["stalled_on_input"] == unit.stalled_on_input_cycles
        assert spent["stalled_on_output"] == unit.stalled_on_output_cycles
        assert spent["idle"] + spent["computing"] == unit.idle_cycles


def _rows(events: list[dict[str, Any]], pid: int) -> dict[str, list[dict[str, Any]]]:
    names = {
        event["tid"]: event["args"]["name"]
        for event in events
        if event["name"] == "thread_name" and event["pid"] == pid
    }
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    for event in events:
        if event["ph"] == "X" and event["pid"] == pid:
            rows[names[event["tid"]]].append(event)
    return rows


def test_bursts_of_the_trace_hold_every_word_in_its_cycle(
    streams: tuple[str, ...],
    seen: tuple[Seen, Simulation],
    traced: tuple[Trace, Dump, dict[str, Any]],
) -> None:
    rows = _rows(traced[2]["traceEvents"], 2)
    for channel, stream in enumerate(streams):
        for side, words in (("written", seen[0].written[channel]), ("read", seen[0].read[channel])):
            numbered = []
            for burst in rows[f"{stream} {side}"]:
                assert burst["dur"] == burst["args"]["words"]
                for i in range(burst["dur"]):
                    numbered.append((burst["args"]["first_word"] + i, burst["ts"] + i))
            assert numbered == [(i, cycle) for i, (cycle, _) in enumerate(words)]


def test_slices_of_the_trace_add_up_to_the_units_accounts(
    seen: tuple[Seen, Simulation], traced: tuple[Trace, Dump, dict[str, Any]]
) -> None:
    rows = _rows(traced[2]["traceEvents"], 1)
    assert list(rows) == [unit.name for unit in seen[1].units]
    for unit in seen[1].units:
        spent: Counter[str] = Counter()
        last = 0
        for event in rows[unit.name]:
            assert event["ts"] >= last, "slices of a row must not overlap"
            last = event["ts"] + event["dur"]
            spent[event["name"]] += event["dur"]
        assert spent["busy"] == unit.busy_cycles
        assert spent["stalled on input"] == unit.stalled_on_input_cycles
        assert spent["stalled on output"] == unit.stalled_on_output_cycles
        assert last <= seen[1].cycles_total


def test_counters_of_the_trace_are_the_levels_of_the_waveform(
    streams: tuple[str, ...],
    traced: tuple[Trace, Dump, dict[str, Any]],
    cycles: list[dict[str, str]],
) -> None:
    counters = defaultdict(list)
    for event in traced[2]["traceEvents"]:
        if event["ph"] == "C":
            counters[event["name"].split(" ")[0]].append((event["ts"], event["args"]["words"]))
    for channel, scope in _scopes(streams):
        steps = dict(counters[streams[channel]])
        level = 0
        for cycle, now in enumerate(cycles):
            level = steps.get(cycle, level)
            assert int(now[f"{scope}.level_words"], 2) == level


@pytest.mark.parametrize(("first", "end"), [(0, 1), (100, 160), (213, 214)])
def test_a_window_shows_what_the_whole_waveform_shows_there(
    run_of: dict[str, Any], tmp_path: Path, cycles: list[dict[str, str]], first: int, end: int
) -> None:
    _trace(run_of, vcd=tmp_path / "w.vcd", first_cycle=first, end_cycle=end)
    window = list(read_vcd(tmp_path / "w.vcd").cycles("bnnsim.clock"))
    whole = cycles[first:end]
    assert len(window) == len(whole)
    for now, expected in zip(window, whole, strict=True):
        for name, value in expected.items():
            side = name.removesuffix("_data")
            if name.endswith("_data") and expected[f"{side}_valid"] == "0":
                continue
            assert now[name] == value, name


def test_a_run_without_bits_has_no_data_signals(tmp_path: Path) -> None:
    result = trace("pynq-cnv", "cnv", RunOptions(), vcd=tmp_path / "t.vcd", end_cycle=50)
    assert not result.has_bits
    assert not [name for name in read_vcd(tmp_path / "t.vcd").names if name.endswith("_data")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "trace: expected --vcd FILE, --perfetto FILE or both, got neither"),
        (["--vcd", "{}/a.vcd", "--from", "-1"], "--from: expected a cycle >= 0, got -1"),
        (["--vcd", "{}/a.vcd", "--from", "5", "--to", "5"],
         "--to: expected a cycle after --from (5), got 5"),
        (["--vcd", "{}/a.vcd", "--from", "99999999"], "--from: expected a cycle of the run (0 to "),
        (["--vcd", "{0}/a", "--perfetto", "{0}/./a"],
         "--perfetto: expected a file other than --vcd's, got "),
        (["--vcd", "{}/no/a.vcd"], "no/a.vcd: expected a place to write, got No such file or directory"),
    ],
)  # fmt: skip
def test_wrong_windows_and_files_are_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    given = [option.format(tmp_path) for option in options]
    assert run(["trace", ARCH, WORKLOAD, "--frames", "1", *given]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert list(tmp_path.iterdir()) == []


def _peak_bytes(folder: Path, arch: str, workload: str, frames: int) -> tuple[int, int]:
    """The most bytes that Python and numpy held at a time, and the bytes written.

    Counted by the allocator, not by the system: a busy machine changes nothing.
    """
    files = {"vcd": folder / f"{frames}.vcd", "perfetto": folder / f"{frames}.json"}
    tracemalloc.start()
    try:
        trace(arch, workload, RunOptions(frames=frames, weights_seed=1), **files)
        return tracemalloc.get_traced_memory()[1], sum(f.stat().st_size for f in files.values())
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("arch", "workload", "few", "many"),
    [(ARCH, WORKLOAD, 4, 12), pytest.param("pynq-cnv", "cnv", 1, 2, marks=pytest.mark.long)],
)
def test_many_frames_need_no_more_memory_than_few(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arch: str, workload: str, few: int, many: int
) -> None:
    monkeypatch.setattr(spool, "CHUNK_BYTES", 1 << 9)  # full after few frames
    once = RunOptions(frames=1, weights_seed=1)
    trace(arch, workload, once, vcd=tmp_path / "first.vcd")  # loads and compiles
    less, less_written = _peak_bytes(tmp_path, arch, workload, few)
    more, more_written = _peak_bytes(tmp_path, arch, workload, many)
    assert more < MOST_BYTES
    assert more - less < (more_written - less_written) / 20
